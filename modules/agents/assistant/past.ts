/**
 * A conversation as it was shown while it went on: the stored messages of a model read into text and calls, what came of
 * these into results. Only messages that were run are read for calls: a fence in any other one is its text. Pure.
 */
import { fence, scan, type CallPart, type ResultPart } from '../../bracket/index.ts'
import type { Json, JsonMap } from '../../contracts/seams.ts'
import type { ChatCall, ChatResult, PastEvent } from '../../contracts/services.ts'
import type { NewMessage } from './messages.ts'

export const callEvent = ({ name, params, source }: CallPart): ChatCall => ({
  type: 'call',
  text: fence('tool', source),
  tool: name,
  params,
})

export const pastOf = (messages: readonly NewMessage[]): PastEvent[] => messages.flatMap(eventsOf)

function eventsOf({ kind, content, provider }: NewMessage): PastEvent[] {
  switch (kind) {
    case 'user':
      return [{ type: 'user', text: content }]
    case 'answer':
    case 'note':
      return [{ type: 'text', text: content, provider }]
    case 'calls':
      return scan(content, { repair: true }).flatMap((part): PastEvent[] => {
        if (part.kind === 'call') return [callEvent(part)]
        const text = part.kind === 'text' ? part.text.trim() : ''
        return text === '' ? [] : [{ type: 'text', text, provider }]
      })
    case 'results':
      return scan(content).flatMap((part) => (part.kind === 'result' ? [resultEvent(part)] : []))
    default: {
      const never: never = kind
      return never
    }
  }
}

function resultEvent({ name, body, source }: ResultPart): ChatResult {
  const isGood = body['status'] === 'success'
  const { code, message, hint } = (body['error'] ?? {}) as JsonMap
  return {
    type: 'result',
    text: fence('result', source),
    tool: name,
    status: isGood ? 'success' : 'error',
    ms: null,
    ...(isGood ? {} : { error: { code: textOf(code), message: textOf(message), hint: textOf(hint) } }),
  }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
