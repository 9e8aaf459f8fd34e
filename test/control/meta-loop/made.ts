/** Snapshots, work of agents and histories for tests: what a test does not name is unknown, or nothing happened. */
import type {
  DomainView,
  MetricDescriptor,
  MetricHistoryPoint,
  MetricSnapshot,
  MetricValue,
  OperationMetrics,
} from '../../../modules/contracts/meta-metrics.ts'
import { EVALUATE_DEFAULTS, type EvaluateOptions } from '../../../modules/control/meta-loop/rules/evaluate.ts'

export const MANY = 1_000
export const NOW = 1_750_000_000_000

/** A plain number has many samples. */
export function snapshotOf(
  values: Readonly<Record<string, number | null | MetricValue>>,
  more: Partial<MetricSnapshot> = {},
): MetricSnapshot {
  const whole = (one: number | null | MetricValue): MetricValue =>
    one === null ? { value: null, samples: 0 } : typeof one === 'number' ? { value: one, samples: MANY } : one
  return {
    id: 's1',
    at: NOW,
    window_ms: 300_000,
    values: Object.fromEntries(Object.entries(values).map(([path, one]) => [path, whole(one)])),
    domains: [],
    errors: {},
    ...more,
  }
}

export const worked = (operation: Partial<OperationMetrics> = {}): OperationMetrics => ({
  tokens_consumed: 0,
  tokens_per_task: null,
  tool_call_count: 0,
  tool_call_success_rate: null,
  retry_count: 0,
  error_count_by_type: {},
  context_window_usage: null,
  wall_clock_per_task: null,
  cost_usd: 0,
  event_count: 0,
  task_count: 0,
  task_count_first_try: 0,
  task_count_7d: 0,
  confidence_accuracy: null,
  events_skipped: 0,
  ...operation,
})

export const domainOf = (domain: string, more: Partial<DomainView> = {}): DomainView => ({
  domain,
  health: 'healthy',
  services: [],
  success_rate: { value: 0.9, samples: MANY },
  recovery_s_p95: { value: null, samples: 0 },
  autonomy_rate: { value: null, samples: 0 },
  alert_count: 0,
  drift: {},
  ...more,
})

export const metricOf = (
  path: string,
  direction: MetricDescriptor['direction'],
  more: Partial<MetricDescriptor> = {},
): MetricDescriptor => ({
  path,
  label: path,
  domain: 'performance',
  unit: 's',
  value_type: 'float',
  direction,
  nullable: true,
  target: null,
  min: null,
  max: null,
  meaning: 'made for a test',
  source: 'a test',
  ...more,
})

/** One every five minutes, oldest first. */
export const historyOf = (values: readonly (number | null)[], samples = MANY): MetricHistoryPoint[] =>
  values.map((value, index) => ({
    snapshot: `s${index + 1}`,
    at: NOW + index * 300_000,
    value,
    samples: value === null ? 0 : samples,
  }))

export const optionsOf = (more: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  ...EVALUATE_DEFAULTS,
  now: NOW,
  disabled_rules: [],
  ...more,
})

export const NOTHING_FIRED = { pending: [], fired_at: {} }

/** Numbers from 0 to 1 that are the same in each run (xorshift). */
export function seeded(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}

/** Normal, of mean 0 and deviation 1. */
export const noiseOf = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random())
