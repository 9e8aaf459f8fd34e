/**
 * What becomes an event of an agent, and what of it is kept: numbers, yes and no, and hashes of texts, under the names
 * that are counted. Nothing else reaches the disk. Pure but for the key of the hashes, which the store brings.
 */
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { OPERATION_EVENT_TYPES, type OperationEvent, type OperationEventType } from '../../contracts/meta-metrics.ts'
import type { MachineEvent } from '../../contracts/module.ts'
import type { FinishedCall } from '../../contracts/observe.ts'
import type { ChatAnswer } from '../../contracts/services.ts'
import { coded, codeOf } from '../../lib/errors.ts'

export type Given = Omit<OperationEvent, 'at'>

export const DEFAULT_BOT = 'default'

const SIGNED = 'signed.'
const NAMES: ReadonlySet<string> = new Set(
  `tool success tokens_in tokens_out duration_ms task_id tokens_consumed duration_seconds retries complexity error_type
  status confidence outcome rating comment context_tokens verdict metric change_id`.split(/\s+/),
)
/** A word of a program, not a text: it may be counted by. */
const ERROR_TYPE = /^[a-z]+(?:_[a-z]+){0,5}$/
const ERROR_TYPE_CHARS_MAX = 40
const HASH_CHARS = 16
const SESSIONS_MAX = 10_000

const schema = z.object({
  bot_id: z.string().regex(/^[\w.-]{1,100}$/, 'a name of at most 100 letters, digits, `_`, `.` and `-`'),
  type: z.enum(OPERATION_EVENT_TYPES, { error: () => `it is one of ${OPERATION_EVENT_TYPES.join(', ')}` }),
  session_id: z.string().max(1_000).nullish(),
  data: z.record(z.string(), z.unknown()).default({}),
})

/** Rejects what is no event of an agent with `event_invalid`, which lists the types there are. */
export function readEvent(given: unknown): Given {
  const read = schema.safeParse(given)
  if (read.success) return { ...read.data, session_id: read.data.session_id ?? null }
  const [issue] = read.error.issues
  throw coded('event_invalid', { field: issue?.path.join('.') || 'event', reason: issue?.message ?? '' })
}

/** As it is kept. A task that says it failed has failed. */
export function anonymous(given: Given, key: Buffer): Given {
  const { data } = given
  const type = given.type === 'task_complete' && data['status'] === 'failed' ? 'task_failed' : given.type
  const hashed = (text: string): string => createHmac('sha256', key).update(text).digest('hex').slice(0, HASH_CHARS)
  const entries = Object.entries(data).flatMap(([name, value]): [string, unknown][] => {
    if (!NAMES.has(name) || value === undefined) return []
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) return [[name, value]]
    if (typeof value !== 'string') return [[name, hashed(JSON.stringify(value) ?? '')]]
    if (name === 'error_type' && value.length <= ERROR_TYPE_CHARS_MAX && ERROR_TYPE.test(value)) return [[name, value]]
    return [[name, hashed(value)]]
  })
  const session_id = given.session_id === null ? null : hashed(given.session_id)
  return { bot_id: given.bot_id, type, session_id, data: Object.fromEntries(entries) }
}

/** An event of the bus that is one of an agent: the system's own tool calls, and what came signed. */
export function fromBus({ type, data }: MachineEvent): Given | undefined {
  if (type === 'tool.called') {
    const { tool, status, ms } = data
    return own('tool_call', null, { tool, success: status === 'success', duration_ms: ms })
  }
  if (!type.startsWith(SIGNED)) return undefined
  const name = type.slice(SIGNED.length)
  if (!OPERATION_EVENT_TYPES.includes(name as OperationEventType)) return undefined
  const payload = (data['payload'] ?? {}) as Record<string, unknown>
  const { bot_id = DEFAULT_BOT, session_id = null, ...rest } = payload
  const inner = typeof rest['data'] === 'object' && rest['data'] !== null ? rest['data'] : rest
  const read = schema.safeParse({ bot_id, type: name, session_id, data: inner })
  return read.success ? { ...read.data, session_id: read.data.session_id ?? null } : undefined
}

/** A turn of a chat is a task of the system's own agent; one that waits for a person is not over. */
export function fromCall({ method, kind, outcome, result, thrown, ms }: FinishedCall): Given | undefined {
  if (method !== 'chat' && method !== 'chatStream') return undefined
  const duration_seconds = ms / 1000
  if (outcome === 'error') return own('task_failed', null, { duration_seconds, error_type: codeOf(thrown) ?? 'error' })
  const answer = (kind === 'stream' ? (result as { answer?: unknown } | null)?.answer : result) as Partial<ChatAnswer>
  if (typeof answer?.conversation_id !== 'string' || !Array.isArray(answer.steps)) return undefined
  if (answer.status === 'parked') return undefined
  const retries = answer.steps.filter(({ status }) => status === 'error').length
  const told = answer.usage ?? undefined
  const tokens = told === undefined ? {} : { tokens_consumed: told.input_tokens + told.output_tokens }
  const data = { duration_seconds, retries, ...tokens }
  if (answer.status === 'cut') return own('task_failed', answer.conversation_id, { ...data, error_type: 'cut' })
  return own('task_complete', answer.conversation_id, data)
}

/** The first turn of a conversation begins a session; which ones were seen is remembered for so many. */
export function sessionOf({ session_id }: Given, known: Set<string>): Given | undefined {
  if (session_id === null || known.has(session_id)) return undefined
  known.add(session_id)
  const [oldest] = known
  if (known.size > SESSIONS_MAX && oldest !== undefined) known.delete(oldest)
  return own('session_start', session_id, {})
}

const own = (type: OperationEventType, session_id: string | null, data: Record<string, unknown>): Given => ({
  bot_id: DEFAULT_BOT,
  type,
  session_id,
  data,
})
