/**
 * Five signals that are derived and not measured, always all five. Each stands on inputs that do not depend on each
 * other: what an agent did today, what it did in the days before, what the kernel measured. It is validated only when
 * two of them, with enough samples, say the same; what is not validated may be shown, but nothing is proposed for it.
 * Pure; called at perceive.
 */
import type { DerivedSignal, GoalGap, MetaGoal, Scores } from '../../../contracts/meta-loop.ts'
import { META_GOALS } from '../../../contracts/meta-loop.ts'
import type { MetricSnapshot, OperationMetrics } from '../../../contracts/meta-metrics.ts'
import { isKnown } from '../rules/confidence.ts'
import { PATHS } from '../rules/paths.ts'
import { recurring } from '../rules/patterns.ts'
import { enoughOrCounted, measured, signal, type Evidence } from './evidence.ts'

export interface SignalInput {
  /** of the last 24 hours */
  operation: OperationMetrics
  /** of the last seven days, these 24 hours among them; null: not known */
  week: OperationMetrics | null
  scores: Scores
  gaps: readonly GoalGap[]
  snapshot: Pick<MetricSnapshot, 'values'>
  /** tools the agent could use; null: not known */
  tools: number | null
  samples_min?: number
}

const SAMPLES_MIN = 5
const RETRIES_MAX = 0.2
const SUCCESS_MIN = 0.85
const TOOLS_USED_MIN = 0.3
const CALLS_PER_TOOL = 5
const TOOLS_UNKNOWN = 10
const CALIBRATED_MAX = 0.1
const DRIFT_STABLE = 0.3
const DRIFT_URGENT = 0.5
const RECURRING_FINDINGS = 2
const DAYS_BEFORE = 6

const round = (value: number): number => Math.round(value * 1_000) / 1_000

const share = (part: number, of: number): number | null => (of > 0 ? part / of : null)
const isBelow = (value: number | null, limit: number): boolean | null => (value === null ? null : value < limit)

/** A count of the week that is not of today. */
const before = (input: SignalInput, count: (one: OperationMetrics) => number): number =>
  input.week === null ? 0 : Math.max(0, count(input.week) - count(input.operation))

function strategyEffectiveness(input: SignalInput, samplesMin: number): DerivedSignal {
  const { retry_count: retries, task_count: tasks } = input.operation
  const rate = share(retries, tasks)
  const tasksBefore = before(input, (one) => one.task_count)
  const rateBefore = share(
    before(input, (one) => one.retry_count),
    tasksBefore,
  )
  const evidence: Evidence[] = [
    { input: 'operation.retry_rate', value: rate, samples: tasks, good: isBelow(rate, RETRIES_MAX) },
    {
      input: 'operation.retry_rate_before',
      value: rateBefore,
      samples: tasksBefore,
      good: isBelow(rateBefore, RETRIES_MAX),
    },
    measured(input.snapshot, samplesMin, PATHS.success, (value) => value >= SUCCESS_MIN),
  ]
  const verdict = rate === null ? 'unknown' : rate < RETRIES_MAX ? 'effective' : 'needs_improvement'
  return signal('strategy_effectiveness', 'normal', evidence, samplesMin, { retry_rate: rate, verdict })
}

function toolUnderutilization(input: SignalInput, samplesMin: number): DerivedSignal {
  const enough = CALLS_PER_TOOL * Math.max(1, input.tools ?? TOOLS_UNKNOWN)
  const { tool_call_count: calls, event_count: events } = input.operation
  const used = events > 0 ? Math.min(1, calls / enough) : null
  const eventsBefore = before(input, (one) => one.event_count)
  const callsBefore = before(input, (one) => one.tool_call_count) / DAYS_BEFORE
  const usedBefore = eventsBefore > 0 ? Math.min(1, callsBefore / enough) : null
  const isUsed = (value: number | null): boolean | null => (value === null ? null : value > TOOLS_USED_MIN)
  const evidence: Evidence[] = [
    { input: 'operation.tool_calls', value: used, samples: events, good: isUsed(used) },
    { input: 'operation.tool_calls_before', value: usedBefore, samples: eventsBefore, good: isUsed(usedBefore) },
  ]
  const adequate = isUsed(used) !== false
  const verdict = used === null ? 'unknown' : adequate ? 'adequate' : 'underutilized'
  const payload = { utilization: used === null ? null : round(used), verdict }
  return signal('tool_underutilization', adequate ? 'low' : 'normal', evidence, samplesMin, payload)
}

function confidenceCalibration(input: SignalInput, samplesMin: number): DerivedSignal {
  const { tool_call_success_rate: success, confidence_accuracy: accuracy } = input.operation
  const apart = success === null || accuracy === null ? null : round(Math.abs(success - accuracy))
  const weekly = input.week?.confidence_accuracy ?? null
  const measuredSuccess = input.snapshot.values[PATHS.success]
  const apartMeasured =
    accuracy === null || !isKnown(measuredSuccess) ? null : Math.abs(measuredSuccess.value - accuracy)
  const apartBefore =
    weekly === null || input.week === null || input.week.tool_call_success_rate === null
      ? null
      : Math.abs(input.week.tool_call_success_rate - weekly)
  const callsBefore = before(input, (one) => one.tool_call_count)
  const evidence: Evidence[] = [
    {
      input: 'operation.tool_call_success_rate',
      value: apart,
      samples: input.operation.tool_call_count,
      good: isBelow(apart, CALIBRATED_MAX),
    },
    {
      input: PATHS.success,
      value: apartMeasured,
      samples: enoughOrCounted(measuredSuccess, samplesMin),
      good: isBelow(apartMeasured, CALIBRATED_MAX),
    },
    {
      input: 'operation.week',
      value: apartBefore,
      samples: callsBefore,
      good: isBelow(apartBefore, CALIBRATED_MAX),
    },
  ]
  const verdict = apart === null ? 'unknown' : apart < CALIBRATED_MAX ? 'calibrated' : 'miscalibrated'
  const priority = apart !== null && apart > CALIBRATED_MAX ? 'normal' : 'low'
  return signal('confidence_calibration', priority, evidence, samplesMin, { difference: apart, verdict })
}

function driftScore(input: SignalInput, samplesMin: number): DerivedSignal {
  const scored = META_GOALS.some((goal) => input.scores.goals[goal] !== null)
  const drift = scored ? input.scores.below_threshold.length / META_GOALS.length : null
  const known = input.gaps.filter(({ gap }) => gap !== null)
  const open = share(known.filter(({ gap }) => (gap ?? 0) > 0).length, known.length)
  const samples = known.map(({ metric }) => enoughOrCounted(input.snapshot.values[metric], samplesMin))
  const evidence: Evidence[] = [
    {
      input: 'scores.below_threshold',
      value: drift,
      samples: input.operation.event_count,
      good: isBelow(drift, DRIFT_STABLE),
    },
    {
      input: 'gaps.open',
      value: open,
      samples: Math.max(0, ...samples),
      good: isBelow(open, DRIFT_STABLE),
    },
  ]
  const verdict = drift === null ? 'unknown' : drift < DRIFT_STABLE ? 'stable' : 'drifting'
  const priority = driftPriority(drift ?? 0)
  return signal('drift_score', priority, evidence, samplesMin, {
    drift_score: drift === null ? null : round(drift),
    verdict,
  })
}

const driftPriority = (drift: number): DerivedSignal['priority'] =>
  drift > DRIFT_URGENT ? 'urgent' : drift > DRIFT_STABLE ? 'high' : 'normal'

function patternRecurrence(input: SignalInput, samplesMin: number): DerivedSignal {
  const { error_count_by_type: errors, event_count: events } = input.operation
  const found = recurring(errors)
  const earlier: Record<string, number> = {}
  for (const type of Object.keys(input.week?.error_count_by_type ?? {}))
    earlier[type] = before(input, (one) => one.error_count_by_type[type] ?? 0)
  const eventsBefore = before(input, (one) => one.event_count)
  const foundBefore = recurring(earlier)
  const evidence: Evidence[] = [
    {
      input: 'operation.error_count_by_type',
      value: events > 0 ? found.length : null,
      samples: events,
      good: events > 0 ? found.length === 0 : null,
    },
    {
      input: 'operation.error_count_by_type_before',
      value: eventsBefore > 0 ? foundBefore.length : null,
      samples: eventsBefore,
      good: eventsBefore > 0 ? foundBefore.length === 0 : null,
    },
    measured(input.snapshot, samplesMin, PATHS.findings, (value) => value < RECURRING_FINDINGS),
  ]
  const verdict = events === 0 ? 'unknown' : found.length > 0 ? 'recurring_patterns' : 'no_recurrence'
  const payload = { recurring: Object.fromEntries(found), verdict }
  return signal('pattern_recurrence', found.length > 0 ? 'high' : 'low', evidence, samplesMin, payload)
}

export function derivedSignals(input: SignalInput): DerivedSignal[] {
  const samplesMin = input.samples_min ?? SAMPLES_MIN
  return [
    strategyEffectiveness(input, samplesMin),
    toolUnderutilization(input, samplesMin),
    confidenceCalibration(input, samplesMin),
    driftScore(input, samplesMin),
    patternRecurrence(input, samplesMin),
  ]
}

/** The signal a change for a goal stands on. */
const BACKED_BY: Readonly<Record<MetaGoal, DerivedSignal['source']>> = {
  G1_truthful: 'pattern_recurrence',
  G2_economical: 'drift_score',
  G3_reliable: 'strategy_effectiveness',
  G4_capable: 'drift_score',
  G5_diligent: 'tool_underutilization',
  G6_self_know: 'confidence_calibration',
}

/** May anything be proposed for this goal? Never on a signal that is not validated. */
export const mayProposeFor = (goal: MetaGoal, signals: readonly DerivedSignal[]): boolean =>
  signals.some(({ source, validation }) => source === BACKED_BY[goal] && validation === 'validated')
