/**
 * What the loop thinks with: how it scores, what holds, what it would change. The pure functions of `scoring/` and
 * `rules/`, joined here with what the config says, in the one place the rest of the loop knows them by. Made anew for
 * each config; the critic has no switch. Rules of one's own that cannot be used leave those before them in force.
 */
import type {
  CriticOutput,
  DerivedSignal,
  Finding,
  GoalGap,
  RuleDefinition,
  RulePreview,
  Scores,
  SilentRule,
} from '../../contracts/meta-loop.ts'
import type {
  MetricDescriptor,
  MetricHistoryPoint,
  MetricSnapshot,
  OperationMetrics,
} from '../../contracts/meta-metrics.ts'
import type { Json } from '../../contracts/seams.ts'
import type { Config } from './config.ts'
import { anomalyFindings } from './rules/anomalies.ts'
import { builtinRules } from './rules/builtin.ts'
import { readRules, type Known } from './rules/custom.ts'
import { evaluate, EVALUATE_DEFAULTS, gated, type FiredMemory } from './rules/evaluate.ts'
import { inflectionFindings } from './rules/inflections.ts'
import { multiDomainDrift, recurrenceFindings } from './rules/patterns.ts'
import { goalPolicies } from './rules/policies.ts'
import { previewOf } from './rules/preview.ts'
import { trendFindings } from './rules/trends.ts'
import { critic } from './scoring/critic.ts'
import { gapsOf } from './scoring/gaps.ts'
import { scoresOf } from './scoring/scores.ts'
import { derivedSignals } from './scoring/signals.ts'
import { surelyBelow } from './scoring/sure.ts'

/** The value a config has now; undefined: there is none. */
export type LiveValue = (file: string, key: string) => Json | undefined

export interface Facts {
  snapshot: MetricSnapshot
  operation: OperationMetrics
  /** oldest first, without `snapshot` */
  earlier: readonly MetricSnapshot[]
  catalogue: readonly MetricDescriptor[]
  memory: FiredMemory
  now: number
}

export interface Concluded {
  findings: Finding[]
  silent: SilentRule[]
  /** they hold while their proposal waits */
  repeated: Finding[]
}

export interface Perceived {
  scores: Scores
  gaps: GoalGap[]
  signals: DerivedSignal[]
}

export class Judgement {
  readonly #config: Config
  #custom: RuleDefinition[]

  /** `custom`: the rules of one's own that were in force until now. */
  constructor(config: Config, custom: RuleDefinition[] = []) {
    this.#config = config
    this.#custom = custom
  }

  perceive(
    snapshot: MetricSnapshot,
    operation: OperationMetrics,
    { week, tools }: { week: OperationMetrics | null; tools: number | null },
  ): Perceived {
    const scores = this.scores(operation)
    const gaps = this.gaps(snapshot)
    return { scores, gaps, signals: derivedSignals({ operation, week, scores, gaps, snapshot, tools }) }
  }

  scores(operation: OperationMetrics): Scores {
    return scoresOf(operation, this.#config.goals)
  }

  gaps({ values }: MetricSnapshot): GoalGap[] {
    return gapsOf(this.#config.strategic_goals, values)
  }

  /** Reads the rules of one's own anew. Throws `rule_invalid` or `metric_unknown`; then those before stay. */
  readCustom(catalogue: readonly MetricDescriptor[]): void {
    this.#custom = readRules(this.#config.rules, this.known(catalogue))
  }

  /** What a rule of one's own is read by. */
  known(catalogue: readonly MetricDescriptor[]): Known {
    return { paths: catalogue.map(({ path }) => path), taken: this.#builtin().map(({ name }) => name) }
  }

  /** `snapshots`: oldest first. */
  preview(rule: RuleDefinition, snapshots: readonly MetricSnapshot[]): RulePreview {
    return previewOf(rule, snapshots, this.#config.confidence_min)
  }

  rules(): { builtin: RuleDefinition[]; custom: RuleDefinition[] } {
    return { builtin: this.#builtin(), custom: [...this.#custom] }
  }

  conclude({ snapshot, operation, earlier, catalogue, memory, now }: Facts): Concluded {
    const { disabled_rules, confidence_min, cooldown_hours } = this.#config
    const cooldown_ms = cooldown_hours * 3_600_000
    const options = { ...EVALUATE_DEFAULTS, now, disabled_rules, confidence_min, cooldown_ms }
    const ruled = evaluate([...this.#builtin(), ...this.#custom], snapshot, memory, options)
    const histories = historiesOf([...earlier, snapshot], catalogue)
    const seen = [
      multiDomainDrift(snapshot.domains),
      ...recurrenceFindings(operation.error_count_by_type, operation.task_count),
      ...trendFindings(histories, catalogue),
      ...anomalyFindings(histories, catalogue),
    ].filter((one) => one !== null)
    const patterns = gated(
      seen.map((finding) => ({ finding })),
      memory,
      options,
    )
    return {
      findings: [...ruled.findings, ...patterns.findings],
      silent: [...ruled.silent, ...patterns.silent],
      repeated: [...ruled.repeated, ...patterns.repeated],
    }
  }

  /** Those that are sure enough. */
  inflections(before: MetricSnapshot, after: MetricSnapshot, catalogue: readonly MetricDescriptor[]): Finding[] {
    const { confidence_min, disabled_rules } = this.#config
    return inflectionFindings(before, after, catalogue).filter(
      ({ rule, confidence }) => confidence >= confidence_min && !disabled_rules.includes(rule),
    )
  }

  criticize(
    perceived: Perceived & { snapshot: { id: string }; operation: OperationMetrics },
    findings: readonly Finding[],
    live: LiveValue,
  ): CriticOutput {
    const { goals, knobs } = this.#config
    const sure = surelyBelow(perceived.scores, perceived.operation, goals)
    return critic({ ...perceived, sure }, findings, live, knobs)
  }

  #builtin(): RuleDefinition[] {
    return [...builtinRules(this.#config.thresholds), ...goalPolicies(this.#config.strategic_goals)]
  }
}

const historiesOf = (
  snapshots: readonly MetricSnapshot[],
  catalogue: readonly MetricDescriptor[],
): Record<string, MetricHistoryPoint[]> =>
  Object.fromEntries(
    catalogue.map(({ path }) => [
      path,
      snapshots.map(({ id, at, values }) => ({ snapshot: id, at, ...(values[path] ?? { value: null, samples: 0 }) })),
    ]),
  )
