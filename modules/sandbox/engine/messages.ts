/** What a guest may say, read from what it did say: its form is checked, and nothing else is kept. Pure. */
import type { CallOptions } from '../../contracts/module.ts'
import type { GuestError, GuestTold, HostAsk } from '../../contracts/sandbox.ts'

type Loose = Record<string, unknown>

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const asRecord = (value: unknown): Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {}

type HostQuestion = { [K in keyof HostAsk]: { kind: K; what: HostAsk[K]['ask'] } }[keyof HostAsk]

/** undefined: it is none. */
export function asHostAsk(kind: string, given: unknown): HostQuestion | undefined {
  const what = asRecord(given)
  const { stream, path } = what
  switch (kind) {
    case 'call': {
      const call = asCall(what)
      return call && { kind, what: call }
    }
    case 'open': {
      const call = asCall(what)
      return call && isNumber(stream) ? { kind, what: { stream, ...call } } : undefined
    }
    case 'next':
    case 'close':
      return isNumber(stream) ? { kind, what: { stream } } : undefined
    case 'prompt':
      return isText(path) ? { kind, what: { path } } : undefined
    default:
      return undefined
  }
}

function asCall({ api, aspect, method, args, options }: Loose): HostAsk['call']['ask'] | undefined {
  if (!isText(api) || !isText(aspect) || !isText(method) || !Array.isArray(args)) return undefined
  const call: HostAsk['call']['ask'] = { api, aspect, method, args }
  if (options !== undefined) call.options = asOptions(asRecord(options))
  return call
}

function asOptions({ deadlineMs, signal, trace, detail }: Loose): CallOptions {
  const options: CallOptions = {}
  if (isNumber(deadlineMs)) options.deadlineMs = deadlineMs
  if (signal instanceof AbortSignal) options.signal = signal
  if (isText(trace)) options.trace = trace
  if (detail === true) options.detail = true
  return options
}

/** undefined: it is nothing that can be told. */
export function asTold(given: unknown): GuestTold | undefined {
  const told = asRecord(given)
  const { tell, id, label, ms, pattern, level, message, type } = told
  switch (tell) {
    case 'log': {
      if (!isText(message) || !isLevel(level)) return undefined
      const line = { tell, level, message } as const
      return told['fields'] === undefined ? line : { ...line, fields: asRecord(told['fields']) }
    }
    case 'emit':
      return isText(type) ? { tell, type, data: asRecord(told['data']) } : undefined
    case 'own':
    case 'spawn':
      return isNumber(id) && isText(label) ? { tell, id, label } : undefined
    case 'every':
      return isNumber(id) && isNumber(ms) && isText(label) ? { tell, id, ms, label } : undefined
    case 'cron':
      return isNumber(id) && isText(pattern) && isText(label) ? { tell, id, pattern, label } : undefined
    case 'on':
      return isNumber(id) && isText(pattern) ? { tell, id, pattern } : undefined
    case 'released':
      return isNumber(id) ? { tell, id } : undefined
    case 'fault': {
      const error = asError(told['error'])
      return isText(label) ? { tell, error, label } : { tell, error }
    }
    default:
      return undefined
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const isLevel = (level: unknown): level is (typeof LEVELS)[number] => LEVELS.some((one) => one === level)

const CHARS_MAX = 8_192
const cut = (value: unknown): string => (isText(value) ? value.slice(0, CHARS_MAX) : '')

export function asError(given: unknown): GuestError {
  const { name, message, stack, code, hint } = asRecord(given)
  const error: GuestError = { name: cut(name), message: cut(message), stack: cut(stack) }
  if (isText(code)) error.code = cut(code)
  if (isText(hint)) error.hint = cut(hint)
  return error
}
