/**
 * What the system knows of itself, as numbers: one catalogue that says what each means and where it comes from, and
 * snapshots that are taken once and never change. What is not known is null, never a default: nothing is concluded from it.
 * The service `control/metrics` measures; `meta-loop`, HTTP and `mm` read.
 */

/** The seven domains of a snapshot, and what of the system's own work, of its memory and of its stability is measured beside them. */
export type MetricDomain =
  | 'performance'
  | 'budget'
  | 'coordination'
  | 'scaling'
  | 'errors'
  | 'evolution'
  | 'telemetry'
  | 'operation'
  | 'memory'
  | 'stability'

/** `up`: more is better; `down`: less is; `band`: between `min` and `max`; `neither`: a count that says nothing by itself. */
export type MetricDirection = 'up' | 'down' | 'band' | 'neither'

/** One line of the catalogue, and of docs/metrics.md. */
export interface MetricDescriptor {
  /** `domain.name`: what rules, goals and the history name it by */
  path: string
  label: string
  domain: MetricDomain
  /** `s`, `days`, `bytes`, `usd`, `ratio`, `percent`, `count`, `per_s`, `points` */
  unit: string
  value_type: 'float' | 'int'
  direction: MetricDirection
  /** it may be unknown, and then is null; a count of what certainly was looked at is not */
  nullable: boolean
  target: number | null
  /** the smallest and largest it can be; null: no bound */
  min: number | null
  max: number | null
  /** what it means here, in one sentence */
  meaning: string
  /** where it is read: a service and what of it */
  source: string
}

export interface MetricValue {
  /** null: unknown */
  value: number | null
  /** how many observations are in it; 0 for what is read, not counted */
  samples: number
}

/** A service as it stands in its `domain:`. */
export interface ServiceHealth {
  api: string
  /** of the kernel: `live`, `tripped`, … */
  state: string
  /** `system`: it watches, and does no work that is measured */
  role: 'productive' | 'coordination' | 'system'
  calls: number
  errors: number
  p95_s: number | null
  /** services it calls */
  calls_to: string[]
}

/** What services of one `domain:` (of their configs; `other` without one) did in the window. */
export interface DomainView {
  domain: string
  /** `healthy`: all of its services are live; `failed`: none is */
  health: 'healthy' | 'degraded' | 'failed'
  services: ServiceHealth[]
  success_rate: MetricValue
  /** seconds from a failure to the next good answer, p95 */
  recovery_s_p95: MetricValue
  /** decisions nobody had to take, as a share of all */
  autonomy_rate: MetricValue
  /** failures, refused versions and trips that were told of its services */
  alert_count: number
  /** against the stored baseline, as a share of it, by metric; a metric without a baseline is left out */
  drift: Record<string, number>
}

/** Taken once; stored; never altered. */
export interface MetricSnapshot {
  /** `s12`; grows over restarts */
  id: string
  /** epoch milliseconds */
  at: number
  window_ms: number
  /** by path: every path of the catalogue stands in it */
  values: Record<string, MetricValue>
  domains: DomainView[]
  /** collector → why it could not tell all of its values; those are null then */
  errors: Record<string, string>
}

export const OPERATION_EVENT_TYPES = [
  'tool_call',
  'task_complete',
  'task_failed',
  'human_feedback',
  'cron_execution',
  'session_start',
  'session_end',
  'policy_delta',
] as const
export type OperationEventType = (typeof OPERATION_EVENT_TYPES)[number]

/** What a task, a tool or a session did, as it is counted for the scores of an agent. */
export interface OperationEvent {
  /** whose: events of another one do not count */
  bot_id: string
  type: OperationEventType
  session_id: string | null
  data: Record<string, unknown>
  /** epoch milliseconds */
  at: number
}

/** Operational metrics of one agent over a window. null: there was nothing to tell it by. */
export interface OperationMetrics {
  tokens_consumed: number
  tokens_per_task: number | null
  tool_call_count: number
  tool_call_success_rate: number | null
  retry_count: number
  error_count_by_type: Record<string, number>
  context_window_usage: number | null
  wall_clock_per_task: number | null
  cost_usd: number
  event_count: number
  task_count: number
  /** tasks that needed no retry */
  task_count_first_try: number
  /** of seven days, whatever the window */
  task_count_7d: number
  /** 1 − mean |confidence − outcome| over what said how sure it was */
  confidence_accuracy: number | null
  /** stored events that could not be read any more */
  events_skipped: number
}

export interface MetricHistoryPoint extends MetricValue {
  snapshot: string
  at: number
}

export interface ControlMetricsApi {
  catalogue(): MetricDescriptor[]
  /** Measures now, stores it and gives it out. A collector that fails leaves its values null. Rejects when it cannot be stored. */
  take(): Promise<MetricSnapshot>
  /** The newest; null: none was taken yet. */
  latest(): Promise<MetricSnapshot | null>
  /** Newest first. */
  list(query?: { since?: number; until?: number; limit?: number }): Promise<{ snapshots: MetricSnapshot[] }>
  /** Rejects with `snapshot_missing`. */
  show(id: string): Promise<MetricSnapshot>
  /** Oldest first. Rejects with `metric_unknown`, which lists the paths there are. */
  history(path: string, query?: { since?: number; limit?: number }): Promise<{ points: MetricHistoryPoint[] }>
  /** Rejects with `event_invalid` for a type that is not known. Texts in `data` are kept only as hashes. */
  record(event: Omit<OperationEvent, 'at'>): Promise<{ recorded: true }>
  /** Default: the last 24 hours of the agent `default`. */
  operation(query?: { bot_id?: string; window_ms?: number }): Promise<OperationMetrics>
  /** What was recorded, newest first: of one agent, of these types. Default: of the agent `default`, at most 100. */
  recorded(query?: {
    bot_id?: string
    types?: OperationEvent['type'][]
    since?: number
    limit?: number
  }): Promise<{ events: OperationEvent[] }>
  /**
   * Values a drift is measured from: those of a snapshot, until another is set. Before one is set, those of the first
   * snapshot that has enough observations. Rejects with `snapshot_missing`.
   */
  setBaseline(id: string): Promise<void>
}
