/** What rules and the critic say, for tests: whatever a test does not name is as when all is well. */
import type { DerivedSignal, Finding, MetaGoal, RuleDefinition, Scores } from '../../../modules/contracts/meta-loop.ts'
import type { MetricValue } from '../../../modules/contracts/meta-metrics.ts'
import type { Json } from '../../../modules/contracts/seams.ts'
import { evaluate, type FiredMemory } from '../../../modules/control/meta-loop/rules/evaluate.ts'
import { critic } from '../../../modules/control/meta-loop/scoring/critic.ts'
import { scoresOf } from '../../../modules/control/meta-loop/scoring/scores.ts'
import { derivedSignals, type SignalInput } from '../../../modules/control/meta-loop/scoring/signals.ts'
import { NOTHING_FIRED, optionsOf, snapshotOf, worked } from './made.ts'

export type Values = Readonly<Record<string, number | null | MetricValue>>

export const findingsOf = (
  rules: readonly RuleDefinition[],
  values: Values,
  memory: FiredMemory = NOTHING_FIRED,
  more: Parameters<typeof optionsOf>[0] = {},
): Finding[] => evaluate(rules, snapshotOf(values), memory, optionsOf(more)).findings
export const namesOf = (...input: Parameters<typeof findingsOf>): string[] =>
  findingsOf(...input).map(({ rule }) => rule)
export const reasonOf = (
  rule: string,
  ...[rules, values, memory = NOTHING_FIRED, more = {}]: Parameters<typeof findingsOf>
) => evaluate(rules, snapshotOf(values), memory, optionsOf(more)).silent.find((one) => one.rule === rule)?.reason

export const HEALTHY = worked({
  event_count: 100,
  tokens_per_task: 15_000,
  task_count: 12,
  task_count_first_try: 11,
  task_count_7d: 12,
  retry_count: 1,
  tool_call_success_rate: 0.9,
  confidence_accuracy: 0.9,
})

export const signalInput = (more: Partial<SignalInput> = {}): SignalInput => ({
  operation: worked(),
  week: null,
  scores: scoresOf(worked()),
  gaps: [],
  snapshot: snapshotOf({}),
  tools: 10,
  ...more,
})

export const belowAs = (below_threshold: MetaGoal[]): Scores => ({ ...scoresOf(HEALTHY), below_threshold })

const STEPS: Readonly<Record<string, Json>> = {
  'configs/agents/assistant.yml steps_max': 8,
  'configs/inference/openai.yml params.retries': 2,
  'configs/inference/openai.yml params.temperature': 0.7,
  'configs/inference/ask.yml depth_max': 2,
  'configs/services/tools.yml deadline_ms': 30_000,
}
export const live = (file: string, key: string): Json | undefined => STEPS[`${file} ${key}`]

/** All five, as they are when every input knows enough and agrees. */
export const allSignals = (validation: DerivedSignal['validation']): DerivedSignal[] =>
  derivedSignals(signalInput()).map((one) => ({ ...one, validation }))

export const criticized = (below: MetaGoal[], findings: Finding[] = [], signals = allSignals('validated')) =>
  critic({ scores: belowAs(below), signals, snapshot: { id: 's1' }, sure: below }, findings, live)
