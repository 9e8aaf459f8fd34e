/**
 * What can go wrong in a month, how large it is at the least, and within how many hours the loop has to have seen it. The
 * sizes follow from the thresholds of the rules and goals: each crosses its threshold within the window with a margin for
 * chance. The windows follow from the clocks: a window of an hour and a watch of five minutes where a sudden change is
 * seen, a day of an agent's work that has to fill with it, and four hours until the next cycle.
 */
import type { Finding, MetaGoal } from '../../../modules/contracts/meta-loop.ts'
import { PATHS } from '../../../modules/control/meta-loop/rules/paths.ts'

export const FAULTS = [
  'outage',
  'decay',
  'slow',
  'cost',
  'overspend',
  'wrong_calls',
  'chatty',
  'repeats',
  'retries',
  'tokens',
  'tools_fail',
  'overconfident',
] as const
export type FaultKind = (typeof FAULTS)[number]

/** By any one of these it is seen. */
export type Evidence =
  | { by: 'rule'; rule: string }
  | { by: 'goal'; goal: MetaGoal }
  /** which way it came to be seen is left to the loop */
  | { by: 'metric'; metric: string; kinds: Finding['kind'][] }

export interface FaultRow {
  what: string
  /** faults of services and those of the agent go on beside each other, of each one at a time */
  track: 'services' | 'agent'
  /** from the least that has to be seen, up */
  size: readonly [least: number, most: number]
  hours: readonly [least: number, most: number]
  within_hours: number
  /** how long after its end what is measured still has it */
  after_hours: number
  seen: readonly Evidence[]
  /** rules and goals that may propose something for it */
  proposes: readonly string[]
}

const MOVED: Finding['kind'][] = ['trend', 'anomaly', 'inflection']
const rules = (...names: string[]): Evidence[] => names.map((rule) => ({ by: 'rule', rule }))
const moved = (...metrics: string[]): Evidence[] => metrics.map((metric) => ({ by: 'metric', metric, kinds: MOVED }))

/** An hour's window, and the next cycle that was asked for by no one. */
const OF_HOUR = 5
const OF_DAY = 28

/** Calls that fail are seen and answered alike, however suddenly they begin to. */
const FAILING: Pick<FaultRow, 'track' | 'after_hours' | 'seen' | 'proposes'> = {
  track: 'services',
  after_hours: OF_HOUR,
  seen: rules('success_rate_drop', 'improve_success_rate', 'error_spike'),
  proposes: ['success_rate_drop', 'improve_success_rate'],
}

/** What is wrong with an agent's work is seen by the goal it belongs to, when a day of it is full of that. */
const ofGoal = (goal: MetaGoal, what: string, size: FaultRow['size'], within_hours: number): FaultRow => ({
  what,
  track: 'agent',
  size,
  hours: [24, 30],
  within_hours,
  after_hours: OF_DAY,
  seen: [{ by: 'goal', goal }],
  proposes: [goal],
})

export const ROWS: Readonly<Record<FaultKind, FaultRow>> = {
  outage: {
    what: 'share of orders that fail at once',
    size: [0.6, 1],
    hours: [1, 3],
    within_hours: 1,
    ...FAILING,
    seen: [...FAILING.seen, ...moved(PATHS.success, PATHS.findings)],
  },
  decay: {
    what: 'share of orders that fail in the end, after it rose for twelve hours',
    size: [0.4, 0.7],
    hours: [18, 24],
    within_hours: 16,
    ...FAILING,
  },
  slow: {
    what: 'times as slow as usual, after it rose for three hours',
    track: 'services',
    size: [2.5, 6],
    hours: [8, 14],
    within_hours: 8,
    after_hours: OF_HOUR,
    seen: moved('performance.latency_s_p50', 'performance.latency_s_p95'),
    proposes: [],
  },
  cost: {
    what: 'times as dear as usual, at once',
    track: 'services',
    size: [8, 20],
    hours: [5, 8],
    within_hours: OF_HOUR,
    after_hours: OF_DAY,
    seen: [...rules('budget_overrun'), ...moved(PATHS.spend, 'budget.spend_per_hour')],
    proposes: ['budget_overrun'],
  },
  overspend: {
    what: 'times as dear as usual, for so long that the budget will not last',
    track: 'services',
    size: [14, 20],
    hours: [30, 34],
    within_hours: OF_DAY,
    after_hours: OF_DAY,
    seen: rules('budget_overrun'),
    proposes: ['budget_overrun'],
  },
  wrong_calls: {
    what: 'share of tool calls that a model writes wrongly',
    track: 'agent',
    size: [0.7, 1],
    hours: [5, 8],
    within_hours: OF_HOUR,
    after_hours: OF_DAY,
    seen: [...rules('quality_declining'), ...moved(PATHS.quality)],
    proposes: ['quality_declining', 'G4_capable'],
  },
  chatty: {
    what: 'answers of a model for each that is needed',
    track: 'services',
    size: [2, 4],
    hours: [5, 8],
    within_hours: OF_HOUR,
    after_hours: OF_HOUR,
    seen: [...rules('coordination_overhead'), ...moved(PATHS.overhead_pct)],
    proposes: ['coordination_overhead'],
  },
  repeats: {
    what: 'share of orders that are the same again',
    track: 'services',
    size: [0.85, 0.95],
    hours: [5, 8],
    within_hours: OF_HOUR,
    after_hours: OF_HOUR,
    seen: rules('redundancy'),
    proposes: [],
  },
  retries: ofGoal('G3_reliable', 'share of tasks that need another try', [0.5, 0.9], 16),
  tokens: ofGoal('G2_economical', 'times as many tokens a task as usual', [3, 6], 20),
  tools_fail: ofGoal('G4_capable', 'share of tool calls that fail', [0.35, 0.6], 16),
  overconfident: ofGoal('G6_self_know', 'distance of what it thinks of its work from how it ends', [0.75, 0.95], 20),
}
