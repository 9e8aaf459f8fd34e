/**
 * What the loop is configured with: goals, rules, cadence, limits, and the keys it may propose to tune. Every key is
 * volatile: an edit holds from the next step on, and no cycle is lost. Names of limits are those the policy knows the
 * directions of (`cadence.max_cycles_per_hour`). docs/meta-loop.md explains them.
 */
import { z } from 'zod'
import { reasonOf } from '../../lib/errors.ts'
import { META_GOALS, type MetaGoal } from '../../contracts/meta-loop.ts'
import { THRESHOLDS, type BuiltinRule } from './rules/builtin.ts'
import { readRules } from './rules/custom.ts'
import { META_GOAL_DEFAULTS, STRATEGIC_GOALS } from './scoring/goals.ts'
import { KNOBS } from './scoring/knobs.ts'

const count = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().min(0).default(value)
const positive = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().positive().default(value)
const time = (value: number): z.ZodDefault<z.ZodNumber> => z.number().positive().default(value)
const share = (value: number): z.ZodDefault<z.ZodNumber> => z.number().min(0).max(1).default(value)

export const CADENCE_MODES = ['balanced', 'aggressive', 'conservative', 'frozen'] as const

const cadenceSchema = z.strictObject({
  mode: z.enum(CADENCE_MODES).default('balanced'),
  max_cycles_per_hour: count(4),
  max_cycles_per_day: count(20),
  max_emergency_per_hour: count(2),
  min_interval_between_cycles_seconds: z.number().min(0).default(180),
  per_step_timeout_seconds: time(60),
  total_cycle_timeout_seconds: time(300),
  normal_interval_hours: time(4),
  away_interval_minutes: time(30),
  /** sessions that have to begin after a change before its delayed verdict */
  delayed_eval_sessions: positive(5),
})

const loopSchema = z.strictObject({
  /** outcomes of tasks a loosening change is tested against */
  shadow_test_window: positive(5),
  /** share of the goals below their threshold above which nothing is changed */
  drift_threshold: share(0.5),
})

const watchSchema = z.strictObject({
  interval_seconds: time(300),
  /** how often is looked whether something is due */
  check_ms: z.number().int().min(10).default(1_000),
  /** of changes of the loop, taken back since the last one that was kept */
  failures_max: positive(2),
  /** cycles a gap may stay open */
  gap_cycles: positive(5),
})

function goalSchema(goal: MetaGoal) {
  const { weight, threshold } = META_GOAL_DEFAULTS[goal]
  return z
    .strictObject({ weight: z.number().min(0).max(100).default(weight), threshold: share(threshold) })
    .prefault({})
}

const goalsSchema = z.strictObject(
  Object.fromEntries(META_GOALS.map((goal) => [goal, goalSchema(goal)])) as Record<
    MetaGoal,
    ReturnType<typeof goalSchema>
  >,
)

const name = z.string().min(1).max(200)

const strategicSchema = z
  .array(
    z.strictObject({
      id: name,
      metric: name,
      direction: z.enum(['up', 'down']),
      target: z.number(),
      weight: z.number().min(0).default(1),
    }),
  )
  .max(50)
  .default([...STRATEGIC_GOALS])

const knobsSchema = z
  .array(
    z.strictObject({ goal: z.enum(META_GOALS), file: name, key: name, direction: z.enum(['increase', 'decrease']) }),
  )
  .max(50)
  .default([...KNOBS])

const thresholdsSchema = z
  .partialRecord(z.enum(Object.keys(THRESHOLDS) as [BuiltinRule, ...BuiltinRule[]]), z.number())
  .default({})

/** Their shape; whether their metrics are known is asked when the metrics are there. */
const rulesSchema = z
  .array(z.unknown())
  .default([])
  .superRefine((rules, context) => {
    try {
      readRules(rules, { paths: pathsIn(rules), taken: [] })
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: reasonOf(thrown) })
    }
  })

/** Every text of a rule that could name a metric. */
function pathsIn(rules: readonly unknown[]): string[] {
  const paths: string[] = []
  JSON.stringify(rules, (_key, value: unknown) => {
    if (typeof value === 'string') paths.push(value)
    return value
  })
  return paths
}

const volatile = { volatile: true }

export const configSchema = z.object({
  /** whose work is scored */
  bot_id: z.string().min(1).max(200).default('default').meta(volatile),
  goals: goalsSchema.prefault({}).meta(volatile),
  cadence: cadenceSchema.prefault({}).meta(volatile),
  meta_loop: loopSchema.prefault({}).meta(volatile),
  strategic_goals: strategicSchema.meta(volatile),
  /** which value serves which goal */
  knobs: knobsSchema.meta(volatile),
  /** of the built-in rules */
  thresholds: thresholdsSchema.meta(volatile),
  /** of one's own */
  rules: rulesSchema.meta(volatile),
  disabled_rules: z.array(name).max(500).default([]).meta(volatile),
  /** how high what it proposes may reach; with `code`, a model is asked for another text of a module */
  altitudes: z
    .array(z.enum(['tuning', 'config', 'prompt', 'structure', 'code']))
    .default(['tuning', 'config'])
    .meta(volatile),
  /** a finding that is less sure says nothing */
  confidence_min: share(0.7).meta(volatile),
  /** after a rule led to a proposal */
  cooldown_hours: z.number().min(0).default(4).meta(volatile),
  watch: watchSchema.prefault({}).meta(volatile),
  /** gets each alert as a POST, through the service `fetch`, which has to allow its host */
  webhook: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .meta(volatile),
  /** bytes of one signal, and signals that wait */
  signal_bytes_max: positive(65_536).meta(volatile),
  signals_max: positive(1_000).meta(volatile),
  /** after a person said no, or a change did not help, the same one is not proposed again */
  repeat_after_hours: time(168).meta(volatile),
  /** cycles that are kept */
  kept_max: positive(10_000).meta(volatile),
})

export type Config = z.infer<typeof configSchema>
