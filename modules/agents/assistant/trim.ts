/**
 * What of a conversation is sent to the model, and what is kept of it. Both drop whole exchanges, oldest first: a call
 * never stands without its result, and the first message, which says what it is all about, always stays. Tokens are
 * estimated as a quarter of the characters: exact for no model, near enough for a limit. Pure.
 */
import { fence, printResult, scan } from '../../bracket/index.ts'
import type { Json } from '../../contracts/seams.ts'
import type { ToolMore } from '../../contracts/tool.ts'
import type { ChatMessage } from '../../contracts/services.ts'
import { toChat, type NewMessage } from './messages.ts'

export const CHARS_PER_TOKEN = 4

const sizeOf = (messages: readonly { content: string }[]): number =>
  messages.reduce((sum, { content }) => sum + content.length, 0)

/** Calls with their results, or one message by itself. */
function exchanges<M extends NewMessage>(messages: readonly M[]): M[][] {
  const found: M[][] = []
  for (const message of messages) {
    if (message.kind === 'results' && found.length > 0) found.at(-1)?.push(message)
    else found.push([message])
  }
  return found
}

/** `chars_max` is for all of it, `system` included. */
export function compose(system: string, messages: readonly NewMessage[], chars_max: number): ChatMessage[] {
  const head: ChatMessage = { role: 'system', content: system }
  const budget = Math.max(1_000, chars_max - system.length)
  if (sizeOf(messages) <= budget) return [head, ...alternating(messages)]
  // No single message may take it all; the first one gets less, since the last ones matter more.
  const fitting = messages.map((message, index) => shorten(message, Math.floor(budget / (index === 0 ? 4 : 2))))
  const asked = fitting.findLastIndex(({ kind }) => kind === 'user')
  const fixed = asked > 0 ? [fitting[0], fitting[asked]] : [fitting[0]]
  const [first, last] = fixed as [NewMessage, NewMessage | undefined]
  let left = budget - sizeOf(last === undefined ? [first] : [first, last])
  const take = (groups: NewMessage[][], least: number): NewMessage[][] => {
    const taken: NewMessage[][] = []
    for (const group of groups.toReversed()) {
      const size = sizeOf(group)
      if (size > left && taken.length >= least) break
      left -= size
      taken.unshift(group)
    }
    return taken
  }
  // The last exchange of this turn is what the model is to go on from, whatever else it costs.
  const after = exchanges(fitting.slice(Math.max(0, asked) + 1))
  const now = take(after, 1)
  const before = now.length < after.length ? [] : take(exchanges(fitting.slice(1, Math.max(1, asked))), 0)
  const gap = after.length - now.length
  const question = last ?? first
  const told = gap === 0 ? question : { ...question, content: `${question.content}\n\n${doneAlready(gap)}` }
  const kept = last === undefined ? [told] : [first, ...fromTurnStart(before), told]
  return [head, ...alternating([...kept, ...now.flat()])]
}

/** The model is not to do it again. */
const doneAlready = (gap: number): string =>
  `[You have made ${gap} rounds of tool calls for this already; only the last of them are shown.]`

/** What is left of older turns begins with what the user said. */
function fromTurnStart(groups: NewMessage[][]): NewMessage[] {
  const start = groups.findIndex(([first]) => first?.kind === 'user')
  return start < 0 ? [] : groups.slice(start).flat()
}

/** Where something was left out, two messages from outside would meet: many a model refuses that. */
function alternating(messages: readonly NewMessage[]): ChatMessage[] {
  return messages.map(toChat).flatMap((message, index, all) => {
    const meets = message.role === 'user' && all[index - 1]?.role === 'user'
    return meets
      ? [{ role: 'assistant' as const, content: '[Older messages were left out here.]' }, message]
      : [message]
  })
}

/** A message of at most about so many characters. Results stay results: only the texts in them get shorter. */
export function shorten<M extends NewMessage>(message: M, chars_max: number): M {
  if (message.content.length <= chars_max) return message
  if (message.kind !== 'results') return { ...message, content: cut(message.content, chars_max) }
  const results = scan(message.content).filter((part) => part.kind === 'result')
  for (let each = Math.floor(chars_max / Math.max(1, results.length)); each > 40; each = Math.floor(each / 2)) {
    const content = results
      .map(({ name, body }) => {
        const status = body['status'] === 'success' ? 'success' : 'error'
        const value = shortValue(body[status === 'success' ? 'data' : 'error'] ?? null, each)
        const error = value as { code: string; message: string; hint: string }
        const more = body['more'] as unknown as ToolMore | undefined
        const success = { name, status: 'success' as const, value, ...(more === undefined ? {} : { more }) }
        return fence('result', printResult(status === 'success' ? success : { name, status, error }))
      })
      .join('\n')
    if (content.length <= chars_max) return { ...message, content }
  }
  const names = results.map(({ name }) => name).join(', ')
  return { ...message, content: cut(`[The results of ${names} were too long and are left out.]`, chars_max) }
}

function shortValue(value: Json, chars_max: number): Json {
  if (typeof value === 'string') return cut(value, chars_max)
  if (Array.isArray(value)) {
    const kept = value.slice(0, Math.max(1, Math.floor(chars_max / 20))).map((one) => shortValue(one, chars_max))
    return kept.length < value.length ? [...kept, `… and ${value.length - kept.length} more`] : kept
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shortValue(one, chars_max)]))
}

function cut(text: string, chars_max: number): string {
  if (text.length <= chars_max) return text
  const half = Math.floor(chars_max / 2)
  return `${text.slice(0, half)}\n… ${text.length - 2 * half} characters left out …\n${text.slice(text.length - half)}`
}

export interface KeepLimits {
  messages_max: number
  conversation_chars_max: number
}

/** Which messages are too many to be kept: from behind the first one up to a whole exchange. */
export function surplus<M extends NewMessage & { seq: number }>(
  messages: readonly M[],
  { messages_max, conversation_chars_max }: KeepLimits,
): { after: number; before: number } | undefined {
  const [first] = messages
  if (first === undefined) return undefined
  let count = messages.length
  let chars = sizeOf(messages)
  let at = 1
  while (at < messages.length - 1 && (count > messages_max || chars > conversation_chars_max)) {
    count--
    chars -= messages[at]?.content.length ?? 0
    at++
  }
  if (at === 1) return undefined
  const turn = messages.findIndex(({ kind }, index) => index >= at && kind === 'user')
  if (turn > 0) at = turn
  while (at < messages.length - 1 && messages[at]?.kind === 'results') at++
  return { after: first.seq, before: messages[at]?.seq ?? first.seq }
}
