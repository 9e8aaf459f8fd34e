/**
 * Operational metrics of one agent, from its events. Pure. What nothing was told of is null, not 0: an agent that did
 * nothing is neither good nor bad. Used by the service, which reads the events of the window.
 */
import type { OperationEvent, OperationMetrics } from '../../contracts/meta-metrics.ts'

/** Dollars a million tokens. */
const INPUT_USD = 3
const OUTPUT_USD = 15

/** `events`: of the window and of one agent; `tasksOfWeek`: tasks of seven days, whatever the window. */
export function operationOf(events: readonly OperationEvent[], tasksOfWeek: number, skipped = 0): OperationMetrics {
  const calls = events.filter(({ type }) => type === 'tool_call')
  const tasks = events.filter(isTask)
  const tokensIn = sum(calls, 'tokens_in')
  const tokensOut = sum(calls, 'tokens_out')
  const tokens = tokensIn + tokensOut + sum(tasks, 'tokens_consumed')
  const toldTokens = events.some(({ data }) =>
    ['tokens_in', 'tokens_out', 'tokens_consumed'].some((name) => numberOf(data[name]) !== undefined),
  )
  return {
    tokens_consumed: tokens,
    tokens_per_task: tasks.length === 0 || !toldTokens ? null : round(tokens / tasks.length, 1),
    tool_call_count: calls.length,
    tool_call_success_rate: share(calls, ({ data }) => data['success'] !== false),
    retry_count: sum(tasks, 'retries'),
    error_count_by_type: errorsOf(tasks),
    context_window_usage: meanOf(events, 'context_tokens', 0),
    wall_clock_per_task: meanOf(tasks, 'duration_seconds', 3),
    cost_usd: round((INPUT_USD * tokensIn + OUTPUT_USD * tokensOut) / 1e6, 4),
    event_count: events.length,
    task_count: tasks.length,
    task_count_first_try: tasks.filter(({ data }) => (numberOf(data['retries']) ?? 0) === 0).length,
    task_count_7d: tasksOfWeek,
    confidence_accuracy: confidenceOf(events),
    events_skipped: skipped,
  }
}

const isTask = ({ type }: OperationEvent): boolean => type === 'task_complete' || type === 'task_failed'

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

const sum = (events: readonly OperationEvent[], name: string): number =>
  events.reduce((total, { data }) => total + (numberOf(data[name]) ?? 0), 0)

const share = (events: readonly OperationEvent[], holds: (event: OperationEvent) => boolean): number | null =>
  events.length === 0 ? null : round(events.filter(holds).length / events.length, 3)

/** Of those that told it, and not 0. */
function meanOf(events: readonly OperationEvent[], name: string, digits: number): number | null {
  const values = events.flatMap(({ data }) => numberOf(data[name]) || [])
  return values.length === 0 ? null : round(values.reduce((a, b) => a + b, 0) / values.length, digits)
}

function errorsOf(tasks: readonly OperationEvent[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { type, data } of tasks) {
    if (type !== 'task_failed') continue
    const kind = typeof data['error_type'] === 'string' ? data['error_type'] : 'unknown'
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
}

/** What came of it: told as a number, or how it ended. */
function outcomeOf({ type, data }: OperationEvent): number {
  const told = numberOf(data['outcome'])
  if (told !== undefined) return told
  return type === 'task_failed' || data['success'] === false ? 0 : 1
}

function confidenceOf(events: readonly OperationEvent[]): number | null {
  const distances = events.flatMap((event) => {
    const confidence = numberOf(event.data['confidence'])
    return confidence === undefined ? [] : [Math.abs(confidence - outcomeOf(event))]
  })
  if (distances.length === 0) return null
  return round(1 - distances.reduce((a, b) => a + b, 0) / distances.length, 3)
}
