/** What the service `control/metrics` may be told: windows, limits, how long what is kept stays. */
import { z } from 'zod'

const count = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().positive().default(value)

const DAY_MS = 86_400_000

export const configSchema = z.object({
  /** what a snapshot looks back on */
  window_ms: z.number().int().min(1_000).max(DAY_MS).default(3_600_000),
  /** what the metrics of an agent look back on */
  operation_window_ms: count(DAY_MS),
  /** what proposals are counted over: they are few */
  evolution_window_ms: count(7 * DAY_MS),
  /** how often the kernel's counts are read */
  sample_ms: count(10_000),
  /** one collector, and one question of it to another service */
  collector_ms: count(2_000),
  source_ms: count(1_500),
  /** a service that was not called for longer after it failed: nobody knows when it would have answered again */
  recovery_gap_ms: count(300_000),
  /** less time of all services together is not shared out: parts of next to nothing say nothing */
  busy_ms_min: z.number().nonnegative().default(1_000),
  /** parts of a window: what has passed leaves it a part at a time */
  slots: z.number().int().min(4).max(1_000).default(120),
  /** different counts in a slot, services, times of each, requests, calls of each: the oldest go */
  counts_max: count(4_000),
  services_max: count(1_000),
  times_max: count(512),
  requests_max: count(1_000),
  spans_max: count(64),
  repeats_max: count(5_000),
  snapshots_max: count(10_000),
  snapshots_days: count(30),
  events_max: count(100_000),
  events_days: count(30),
  /** events on their way to the disk */
  waiting_max: count(10_000),
  /** for `days_until_exhausted` */
  budget_usd: z.number().positive().optional(),
  budget_days: count(30),
  /** fewer observations tell of no drift, and make no baseline */
  drift_samples_min: count(10),
  /** collections that are looked at, and documents of each that are looked for in the index */
  collections_max: count(20),
  index_sample: count(5),
})

export type Config = z.infer<typeof configSchema>
