/** What rules are made of and what they say, for the routes of the meta-loop. */
import { z } from 'zod'
import type { Finding, RuleDefinition, SilentRule } from '../../../contracts/meta-loop.ts'
import { expectedShape } from './changes.ts'
import { shape } from './route.ts'
import { jsonMap } from './shapes.ts'

const severity = z.enum(['info', 'warning', 'critical'])
const altitudes = z.array(z.enum(['tuning', 'config', 'prompt', 'structure', 'tool', 'code', 'kernel']))
const change = z
  .object({
    file: z.string(),
    key: z.string(),
    factor: z.number().exactOptional(),
    add: z.number().exactOptional(),
    value: z.json().exactOptional(),
  })
  .exactOptional()
const principle = z
  .object({
    text: z.string(),
    scope: z.string().describe('a service that has a prompt, or `all`'),
    mode: z.enum(['org_wide', 'override', 'advisory']),
  })
  .exactOptional()
  .describe('what it would tell models: one line of their prompts')
const structure = z
  .object({
    operation: z.enum(['double', 'retire']),
    service: z.string().exactOptional(),
    idle_hours: z.number().exactOptional(),
  })
  .exactOptional()
  .describe('which services there should be: two where one stands, or none where nobody calls')
const expected = expectedShape.exactOptional().describe('what its change has to make better, of the service it changes')

export const ruleShape = shape<RuleDefinition>(
  'Rule',
  z.object({
    name: z.string(),
    description: z.string().exactOptional(),
    conditions: z.array(
      z.object({ metric: z.string(), comparator: z.enum(['lt', 'le', 'gt', 'ge', 'eq', 'ne']), threshold: z.number() }),
    ),
    severity,
    altitudes,
    enabled: z.boolean().exactOptional(),
    confidence_min: z.number().exactOptional(),
    cooldown_ms: z.number().exactOptional(),
    samples_min: z.number().exactOptional(),
    context: z.array(z.string()).exactOptional(),
    change,
    principle,
    structure,
    expected,
  }),
)

export const findingShape = shape<Finding>(
  'Finding',
  z.object({
    rule: z.string().describe('or the name of a pattern'),
    kind: z.enum(['threshold', 'goal', 'trend', 'anomaly', 'pattern', 'inflection']),
    severity,
    description: z.string(),
    context: jsonMap.describe('the numbers it was seen by'),
    altitudes,
    fingerprint: z.string(),
    confidence: z.number(),
    change,
    principle,
    structure,
    expected,
  }),
)

export const silentShape: z.ZodType<SilentRule, SilentRule> = z.object({
  rule: z.string(),
  reason: z.enum(['disabled', 'no_data', 'below_confidence', 'cooldown', 'pending', 'does_not_hold']),
})
