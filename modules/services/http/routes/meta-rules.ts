/** What the rules say now, the metrics they name, and a rule of one's own before it is there. */
import { z } from 'zod'
import type { RulePreview } from '../../../contracts/meta-loop.ts'
import type { MetricDescriptor } from '../../../contracts/meta-metrics.ts'
import { coded } from '../../../lib/errors.ts'
import { loopOf, metricsOf, there } from './loop-asked.ts'
import { route, shape } from './route.ts'
import { findingShape, ruleShape, silentShape } from './rule-shapes.ts'
import { epochMs } from './shapes.ts'

const HISTORY_MAX = 1_000

const bound = z.number().nullable()
const value = { value: z.number().nullable().describe('null: unknown'), samples: z.number() }

const metric = shape<MetricDescriptor>(
  'Metric',
  z.object({
    path: z.string(),
    label: z.string(),
    domain: z.enum([
      'performance',
      'budget',
      'coordination',
      'scaling',
      'errors',
      'evolution',
      'telemetry',
      'operation',
      'memory',
      'stability',
    ]),
    unit: z.string(),
    value_type: z.enum(['float', 'int']),
    direction: z.enum(['up', 'down', 'band', 'neither']).describe('which way is better'),
    nullable: z.boolean(),
    target: bound,
    min: bound,
    max: bound,
    meaning: z.string(),
    source: z.string(),
  }),
)

const preview: z.ZodType<RulePreview, RulePreview> = z.object({
  fires: z.number().describe('of how many snapshots it would have held'),
  points: z.array(
    z.object({
      snapshot: z.string(),
      at: epochMs,
      outcome: z.enum(['fires', 'no_data', 'below_confidence', 'does_not_hold']),
      values: z.array(z.number().nullable()).describe('in the order of its conditions'),
    }),
  ),
})

export const metaRuleRoutes = [
  route({
    id: 'meta.findings',
    method: 'GET',
    path: '/api/meta/findings',
    scope: 'read',
    summary: 'What the rules and patterns say of the newest snapshot, and why the others say nothing',
    answer: z.object({
      snapshot: z.string().nullable().describe('null: none was taken yet'),
      findings: z.array(findingShape),
      silent: z.array(silentShape),
    }),
    errors: ['loop_missing'],
    act: ({ desk }) => there(loopOf(desk).findings()),
  }),
  route({
    id: 'meta.metrics',
    method: 'GET',
    path: '/api/meta/metrics',
    scope: 'read',
    summary: 'The metrics rules and goals may name, each with its value in the newest snapshot',
    answer: z.object({
      snapshot: z.object({ id: z.string(), at: epochMs }).nullable().describe('null: none was taken yet'),
      metrics: z.array(z.object({ metric, ...value })),
    }),
    errors: ['loop_missing'],
    async act({ desk }) {
      const catalogue = await there(metricsOf(desk).catalogue())
      const latest = await metricsOf(desk).latest()
      return {
        snapshot: latest === null ? null : { id: latest.id, at: latest.at },
        metrics: catalogue.map((one) => ({
          metric: one,
          ...(latest?.values[one.path] ?? { value: null, samples: 0 }),
        })),
      }
    },
  }),
  route({
    id: 'meta.metric_history',
    method: 'GET',
    path: '/api/meta/metrics/{path}',
    scope: 'read',
    summary: 'One metric in the snapshots there are, the oldest first',
    params: z.object({ path: z.string().min(1).describe('as `performance.avg_success_rate`') }),
    query: z.object({
      limit: z.coerce.number().int().min(1).max(HISTORY_MAX).default(100).describe('the newest so many'),
    }),
    answer: z.object({ points: z.array(z.object({ snapshot: z.string(), at: epochMs, ...value })) }),
    errors: ['loop_missing', 'metric_unknown'],
    act: ({ desk, params: { path }, query }) => there(metricsOf(desk).history(path, query)),
  }),
  route({
    id: 'meta.rule_preview',
    method: 'POST',
    path: '/api/meta/rules/preview',
    scope: 'read',
    summary: 'A rule on the newest 100 snapshots: of how many it would have held',
    notes: 'Judged as a cycle would; what was said before is of no account. Nothing is kept.',
    verb: 'mm meta set-rule --preview',
    body: z.object({ rule: ruleShape }),
    answer: preview,
    errors: ['loop_missing', 'rule_invalid', 'metric_unknown'],
    act: ({ desk, body: { rule } }) => there(loopOf(desk).preview(rule)),
  }),
  route({
    id: 'meta.rule_draft',
    method: 'POST',
    path: '/api/meta/rules/draft',
    scope: 'read',
    summary: 'The text of the loop’s config with a rule of your own put in, replaced or taken out',
    notes:
      'Nothing is written. To write it, propose it: `POST /api/changes` with `{path: file, base_hash, text}` as its edit.',
    body: z.object({
      set: ruleShape.exactOptional().describe('replaces the one of its name'),
      remove: z.string().exactOptional().describe('the name of one'),
    }),
    answer: z.object({ file: z.string(), base_hash: z.string(), before: z.string(), text: z.string() }),
    errors: ['loop_missing', 'rule_invalid', 'metric_unknown', 'config_edit_failed', 'bad_arguments'],
    act({ desk, body: { set, remove } }) {
      if (set !== undefined && remove === undefined) return there(loopOf(desk).draft({ set }))
      if (remove !== undefined && set === undefined) return there(loopOf(desk).draft({ remove }))
      throw coded('bad_arguments', { reason: 'exactly one of set and remove' })
    },
  }),
]
