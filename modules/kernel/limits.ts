/**
 * Every limit of the kernel in one table, unit in the name. A service's config may change those in `SERVICE_LIMITS`
 * under `limits:`; the meta file may change any under `limits:`.
 */
export const LIMITS = {
  /** one evaluation of a module's top level */
  evaluate_ms: 10_000,
  init_ms: 10_000,
  self_test_ms: 10_000,
  shutdown_ms: 5_000,
  /** tasks of the old version may take this long to end before the new run() starts */
  task_stop_ms: 1_000,
  drain_ms: 30_000,
  quiesce_ms: 5_000,
  /** how often queued calls of a service that becomes quiet are looked at again */
  quiesce_look_ms: 5,
  queue_ms: 30_000,
  queue_calls_max: 10_000,
  generations_draining_max: 8,
  /** a reload that was put off is tried again after this long, doubled each time, up to the second */
  defer_ms: 100,
  defer_ms_max: 30_000,
  /** what failed because nothing could be written is tried again at the first sweep after this long */
  disk_retry_ms: 3_000,
  /** how long a job may wait before the wall clock, which jumps, is looked at again */
  cron_look_ms: 60_000,
  /** a wall clock set back by less than this repeats no job; by more, it was wrong before */
  cron_repeat_ms: 10_800_000,
  /** more restarts than this within the window, and the service is switched off */
  restarts_max: 5,
  restart_window_ms: 10_000,
  restart_pause_ms: 100,
  restart_pause_ms_max: 30_000,
  /** late errors of one version within the window that count as a failure of the whole */
  late_errors_max: 3,
  /** a failure this soon after a reload is blamed on the new version */
  fresh_ms: 60_000,
  /** changes that can be undone */
  changes_kept: 200,
  /** characters of the texts before them */
  changes_chars_max: 16_777_216,
  /** the swap of the kernel: how long reloads may take to end, and the new one to answer */
  kernel_pause_ms: 10_000,
  kernel_adopt_ms: 10_000,
  /** a swap that found the system busy is tried again after this long */
  kernel_retry_ms: 1_000,
  kernel_history_kept: 100,
  /** versions that were taken back, of services and kernels */
  refused_kept: 1_000,
  /** characters of the texts of one last good version, and of all that are kept */
  last_good_chars_max: 4_194_304,
  last_good_total_chars_max: 67_108_864,
  /** a rollback waits so long for the version it goes back to to be on disk */
  last_good_write_ms: 1_000,
  /** trust groups and single modules that may have processes of their own */
  sandbox_processes_max: 8,
  config_bytes_max: 1_048_576,
  /** names, values, signs and spaces of one config: each costs about 5 µs to read */
  config_tokens_max: 10_000,
  services_max: 10_000,
  /** an in-place write counts as finished when its stamp is this old */
  write_quiet_ms: 8,
  /** an error of a file is told once it stayed broken this long; a stop or rename waits as long */
  file_grace_ms: 250,
  sweep_ms: 1_000,
  /** files a sweep looks at in one go */
  sweep_slice_files: 64,
  /** imported files outside the watched folders that are watched one by one */
  outside_files_max: 1_000,
  /** a burst of changes (a checkout) is one batch: quiet for this long, or the cap */
  burst_quiet_ms: 25,
  burst_quiet_ms_max: 100,
  burst_cap_ms: 2_000,
  /** the cap while git holds its index lock */
  checkout_cap_ms: 30_000,
  burst_paths: 5,
  events_kept: 1_000,
  latencies_kept: 256,
  prompt_bytes_max: 1_048_576,
} as const

export type LimitName = keyof typeof LIMITS
export type Limits = Readonly<Record<LimitName, number>>

export const SERVICE_LIMITS: readonly LimitName[] = [
  'evaluate_ms',
  'init_ms',
  'self_test_ms',
  'shutdown_ms',
  'task_stop_ms',
  'drain_ms',
  'quiesce_ms',
  'queue_ms',
  'queue_calls_max',
]

/** The limits of one service: its config may change some of them. */
export function serviceLimits(base: Limits, own: Readonly<Record<string, number>>): Limits {
  const known = Object.entries(own).filter(([name]) => (SERVICE_LIMITS as readonly string[]).includes(name))
  return known.length === 0 ? base : withLimits(base, Object.fromEntries(known))
}

export function withLimits(base: Limits, changes: Record<string, unknown>): Limits {
  const known = Object.entries(changes).filter(
    ([name, value]) => Object.hasOwn(base, name) && typeof value === 'number' && Number.isFinite(value) && value >= 0,
  )
  return { ...base, ...(Object.fromEntries(known) as Partial<Limits>) }
}
