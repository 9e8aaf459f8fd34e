/**
 * Rules on a snapshot: which hold, which say nothing and why, and which were said before. The same rules, snapshot and
 * memory give the same answer; what was fired when is handed in. Findings of patterns pass the same gate. Pure; called
 * by the meta-loop at critique, and when somebody asks what the rules say now.
 */
import type { Finding, RuleDefinition, Severity, SilentRule } from '../../../contracts/meta-loop.ts'
import type { MetricSnapshot } from '../../../contracts/meta-metrics.ts'
import type { JsonMap } from '../../../contracts/seams.ts'
import { holds, inWords } from './conditions.ts'
import { confidenceOf, isKnown } from './confidence.ts'
import { fingerprintOf } from './fingerprint.ts'

/** What led to proposals before, by fingerprint. */
export interface FiredMemory {
  /** of proposals that are not decided yet, or not over */
  pending: readonly string[]
  /** when it last led to one, epoch milliseconds */
  fired_at: Readonly<Record<string, number>>
}

export interface EvaluateOptions {
  /** epoch milliseconds */
  now: number
  disabled_rules: readonly string[]
  /** below it nothing is said */
  confidence_min: number
  cooldown_ms: number
  /** observations of a metric that are enough, where the rule names no other */
  samples_min: number
}

export const EVALUATE_DEFAULTS = { confidence_min: 0.7, cooldown_ms: 14_400_000, samples_min: 10 }

export interface Evaluation {
  /** critical first */
  findings: Finding[]
  silent: SilentRule[]
  /** of the silent ones, those that hold while their proposal waits: to be counted on it */
  repeated: Finding[]
}

/** A finding, with the limits of the rule that made it where it has its own. */
export type Candidate = { finding: Finding } & Pick<RuleDefinition, 'confidence_min' | 'cooldown_ms'>

const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 }

export function evaluate(
  rules: readonly RuleDefinition[],
  snapshot: Pick<MetricSnapshot, 'values'>,
  memory: FiredMemory,
  options: EvaluateOptions,
): Evaluation {
  const silent: SilentRule[] = []
  const candidates: Candidate[] = []
  for (const rule of rules) {
    const made = candidateOf(rule, snapshot.values, options)
    if (typeof made === 'string') silent.push({ rule: rule.name, reason: made })
    else candidates.push(made)
  }
  const gate = gated(candidates, memory, options)
  return { ...gate, silent: [...silent, ...gate.silent] }
}

/** Findings that may be said now: sure enough, not disabled, not waiting, not just said. */
export function gated(candidates: readonly Candidate[], memory: FiredMemory, options: EvaluateOptions): Evaluation {
  const out: Evaluation = { findings: [], silent: [], repeated: [] }
  for (const candidate of candidates) {
    const { finding } = candidate
    const reason = silencedBy(candidate, memory, options)
    if (reason === null) out.findings.push(finding)
    else out.silent.push({ rule: finding.rule, reason })
    if (reason === 'pending') out.repeated.push(finding)
  }
  out.findings.sort((a, b) => RANK[a.severity] - RANK[b.severity])
  return out
}

const isDisabled = (name: string, { disabled_rules }: EvaluateOptions): boolean => disabled_rules.includes(name)

function silencedBy(
  { finding, confidence_min, cooldown_ms }: Candidate,
  memory: FiredMemory,
  options: EvaluateOptions,
): SilentRule['reason'] | null {
  const { rule, fingerprint, confidence } = finding
  if (isDisabled(rule, options)) return 'disabled'
  if (confidence < (confidence_min ?? options.confidence_min)) return 'below_confidence'
  if (memory.pending.includes(fingerprint)) return 'pending'
  const last = memory.fired_at[fingerprint]
  if (last !== undefined && options.now - last < (cooldown_ms ?? options.cooldown_ms)) return 'cooldown'
  return null
}

function candidateOf(
  rule: RuleDefinition,
  values: MetricSnapshot['values'],
  options: EvaluateOptions,
): Candidate | SilentRule['reason'] {
  const { name, conditions, context = [], confidence_min, cooldown_ms } = rule
  if (rule.enabled === false || isDisabled(name, options)) return 'disabled'
  const told: JsonMap = {}
  const words: string[] = []
  for (const condition of conditions) {
    const one = values[condition.metric]
    if (!isKnown(one)) return 'no_data'
    if (!holds(condition.comparator, one.value, condition.threshold)) return 'does_not_hold'
    told[condition.metric] = one.value
    words.push(inWords(condition, one.value))
  }
  for (const path of context) told[path] = values[path]?.value ?? null
  const metrics = conditions.map(({ metric }) => metric)
  const inputs = metrics.map((path) => values[path])
  const finding: Finding = {
    rule: name,
    kind: 'threshold',
    severity: rule.severity,
    description: [rule.description, words.join(', and ')].filter((part) => part !== undefined).join(': '),
    context: { ...told, thresholds: conditions.map(({ threshold }) => threshold) },
    altitudes: [...rule.altitudes],
    fingerprint: fingerprintOf({ rule: name, metrics, target: rule.change }),
    confidence: confidenceOf(inputs, rule.samples_min ?? options.samples_min),
    ...(rule.change === undefined ? {} : { change: rule.change }),
    ...(rule.principle === undefined ? {} : { principle: rule.principle }),
    ...(rule.structure === undefined ? {} : { structure: rule.structure }),
    ...(rule.expected === undefined ? {} : { expected: rule.expected }),
  }
  return {
    finding,
    ...(confidence_min === undefined ? {} : { confidence_min }),
    ...(cooldown_ms === undefined ? {} : { cooldown_ms }),
  }
}
