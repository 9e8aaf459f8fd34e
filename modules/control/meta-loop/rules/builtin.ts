/**
 * The nine rules the system comes with (SynthOrg), as one table. Some say "drop" or "spike" in their names, but all are
 * tests of a level: what moves is found by trends and inflections. Thresholds are settings; what each rule would change
 * is a value of a shipped config. Used by the meta-loop, which gives them to `evaluate` with its other rules.
 */
import type { Comparator, RuleDefinition, Severity } from '../../../contracts/meta-loop.ts'
import type { Altitude } from '../../../contracts/policy.ts'
import { PATHS } from './paths.ts'

export const THRESHOLDS = {
  quality_declining: 5,
  success_rate_drop: 0.7,
  /** days; this one fires at its threshold too */
  budget_overrun: 14,
  coordination_cost_ratio: 0.4,
  /** percent */
  coordination_overhead: 35,
  straggler_bottleneck: 2,
  redundancy: 0.3,
  /** share of decisions that failed */
  scaling_failure: 0.5,
  error_spike: 10,
}
export type BuiltinRule = keyof typeof THRESHOLDS

const ASSISTANT = 'configs/agents/assistant.yml'
const SOME_AGENT = { metric: PATHS.agents, comparator: 'gt', threshold: 0 } as const
const SCALING_DECISIONS_MIN = 3

interface Row {
  description: string
  metric: string
  comparator: Comparator
  severity: Severity
  altitudes: Altitude[]
  /** of the threshold, as it is set, where the metric says the opposite */
  inverted?: true
  others?: RuleDefinition['conditions']
  samples_min?: number
  context?: string[]
  change?: NonNullable<RuleDefinition['change']>
}

const TABLE: Readonly<Record<BuiltinRule, Row>> = {
  quality_declining: {
    description: 'answers are worse than they should be',
    metric: PATHS.quality,
    comparator: 'lt',
    severity: 'warning',
    altitudes: ['config', 'prompt', 'code'],
    others: [SOME_AGENT],
    change: { file: 'configs/inference/openai.yml', key: 'params.temperature', factor: 0.8 },
  },
  success_rate_drop: {
    description: 'too many calls fail',
    metric: PATHS.success,
    comparator: 'lt',
    severity: 'warning',
    altitudes: ['config'],
    others: [SOME_AGENT],
    change: { file: 'configs/services/tools.yml', key: 'deadline_ms', factor: 1.2 },
  },
  budget_overrun: {
    description: 'the budget will be used up soon',
    metric: PATHS.days_left,
    comparator: 'le',
    severity: 'critical',
    altitudes: ['config'],
    context: [PATHS.spend],
    change: { file: ASSISTANT, key: 'steps_max', factor: 0.8 },
  },
  coordination_cost_ratio: {
    description: 'too much is spent on coordinating',
    metric: PATHS.coordination_ratio,
    comparator: 'gt',
    severity: 'warning',
    altitudes: ['config', 'structure'],
    change: { file: 'configs/inference/ask.yml', key: 'depth_max', factor: 0.8 },
  },
  coordination_overhead: {
    description: 'it takes many more turns than one that works alone would need',
    metric: PATHS.overhead_pct,
    comparator: 'gt',
    severity: 'warning',
    altitudes: ['config'],
    change: { file: ASSISTANT, key: 'steps_max', factor: 0.8 },
  },
  straggler_bottleneck: {
    description: 'the slowest of those that work at once takes much longer than the others',
    metric: PATHS.straggler,
    comparator: 'gt',
    severity: 'info',
    altitudes: ['config', 'structure'],
  },
  redundancy: {
    description: 'the same is asked again and again',
    metric: PATHS.redundancy,
    comparator: 'gt',
    severity: 'info',
    altitudes: ['config'],
  },
  scaling_failure: {
    description: 'most changes of size fail',
    metric: PATHS.scaling_success,
    comparator: 'lt',
    severity: 'warning',
    altitudes: ['config'],
    inverted: true,
    others: [{ metric: PATHS.scaling_decisions, comparator: 'ge', threshold: SCALING_DECISIONS_MIN }],
    samples_min: SCALING_DECISIONS_MIN,
  },
  error_spike: {
    description: 'many errors were found',
    metric: PATHS.findings,
    comparator: 'gt',
    severity: 'warning',
    altitudes: ['config', 'prompt', 'code'],
  },
}

/** The rules, with thresholds of one's own where there are any. */
export function builtinRules(thresholds: Partial<Record<BuiltinRule, number>> = {}): RuleDefinition[] {
  return (Object.keys(TABLE) as BuiltinRule[]).map((name) => {
    const { metric, comparator, inverted = false, others = [], ...row } = TABLE[name]
    const set = thresholds[name] ?? THRESHOLDS[name]
    return { name, ...row, conditions: [{ metric, comparator, threshold: inverted ? 1 - set : set }, ...others] }
  })
}
