/** Which events are taken, from whom, and how they go on: the config of the service `events`. Pure. */
import { z } from 'zod'
import type { EventPriority } from '../../contracts/signed-events.ts'

export const PRIORITIES: readonly EventPriority[] = ['low', 'normal', 'high', 'urgent']
const priority = z.enum(['low', 'normal', 'high', 'urgent'])
const trust = z.number().min(0).max(1)
const count = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().positive().default(value)

/** A dotted name; `task.*` is every name that begins with `task.` and goes on. */
const PATTERN = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$/

const ruleSchema = z.strictObject({
  type: z.string().regex(PATTERN, 'a dotted name in lower case, or one that ends in `.*`'),
  min_trust: trust.default(0.5),
  /** the highest its events may have, and what they have when they name none */
  priority: priority.default('normal'),
  /** on disk, for who counts them later */
  kept: z.boolean().default(false),
})

export const configSchema = z.object({
  /** who may send: its key (`secret:NAME`, 32 characters at least) and how far it is trusted */
  signers: z.record(z.string(), z.strictObject({ key: z.string().min(32), trust: trust.default(0.5) })).default({}),
  /** the first that fits holds; a type without one is unknown */
  types: z.array(ruleSchema).max(1_000).default([]),
  /** patterns of the bus whose events are kept too, as `call.failed` */
  keep: z.array(z.string().min(1)).max(100).default([]),
  /** how far from now an event's time may be, and how long its id is known */
  skew_ms: count(300_000),
  event_bytes_max: count(65_536),
  waiting_max: count(10_000),
  kept_max: count(100_000),
  limit_max: count(1_000),
})

export type Config = z.infer<typeof configSchema>
export type TypeRule = Config['types'][number]

export const eventSchema = z.strictObject({
  id: z.string().min(1).max(200),
  type: z.string().min(1).max(200),
  source: z.string().min(1).max(200),
  time: z.number().int(),
  priority: priority.optional(),
  payload: z.record(z.string(), z.json()),
  signature: z.string().regex(/^[0-9a-f]{64}$/, 'HMAC-SHA-256 in hex'),
})

/** `meta.*` covers `meta.x`, not `metadata.x` and not `meta`. */
export const covers = (pattern: string, type: string): boolean =>
  pattern === '*' || (pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type)

export const ruleFor = (rules: readonly TypeRule[], type: string): TypeRule | undefined =>
  rules.find((rule) => covers(rule.type, type))

export const isAbove = (one: EventPriority, other: EventPriority): boolean =>
  PRIORITIES.indexOf(one) > PRIORITIES.indexOf(other)
