/**
 * Errors as they cross: flat strings, cut at 8 KB. What is thrown belongs to the module, so it is read once, here, in its
 * own time. An error that comes in is made anew in this realm.
 */
import type { GuestError } from '../../../contracts/sandbox.ts'
import { NotPassed } from './codec.ts'
import { defineProperty, hasOwn, NativeError, slice, text } from './primordials.ts'

export const ERROR_CHARS_MAX = 8_192

/** Message and hint of the codes that are thrown in here: rows of the one table, given at the start. */
export type Rows = Record<string, { message: string; hint: string }>
const table: { rows: Rows } = { rows: {} }
export const setRows = (rows: Rows): void => {
  table.rows = rows
}

const cut = (value: unknown, max = ERROR_CHARS_MAX): string => {
  const whole = text(value)
  return whole.length > max ? slice(whole, 0, max) : whole
}

export class CodedError extends Error {
  code: string
  hint: string

  constructor(code: string, message: string, hint: string) {
    super(message)
    this.name = 'CodedError'
    this.code = code
    this.hint = hint
  }
}

/** An error of the table; `{reason}` and the like are filled in. */
export function coded(code: string, details: Record<string, string> = {}): CodedError {
  const row = hasOwn(table.rows, code) ? table.rows[code] : undefined
  return new CodedError(code, fill(row?.message ?? code, details), fill(row?.hint ?? '', details))
}

const fill = (template: string, details: Record<string, string>): string =>
  template.replace(/\{(\w+)\}/g, (_whole, key: string) => details[key] ?? '')

/** What a module sees of a value that does not cross. */
export const asThrown = (thrown: unknown): unknown =>
  thrown instanceof NotPassed ? coded(thrown.code, { reason: thrown.reason }) : thrown

export function flatten(from: unknown): GuestError {
  const thrown = asThrown(from)
  try {
    if (typeof thrown !== 'object' || thrown === null) return { name: 'Error', message: cut(thrown), stack: '' }
    const { name, message, stack, code, hint } = thrown as Partial<GuestError>
    const flat: GuestError = {
      name: name === undefined ? 'Error' : cut(name, 256),
      message: message === undefined ? 'an object was thrown' : cut(message),
      stack: typeof stack === 'string' ? cut(stack) : '',
    }
    if (typeof code === 'string') flat.code = cut(code, 256)
    if (typeof hint === 'string') flat.hint = cut(hint)
    return flat
  } catch {
    return { name: 'Error', message: 'an error that cannot be printed', stack: '' }
  }
}

export function revive(flat: GuestError): Error {
  const error: Error = new NativeError(flat.message)
  defineProperty(error, 'name', { value: flat.name, writable: true, configurable: true })
  for (const key of ['code', 'hint'] as const) {
    if (flat[key] !== undefined) {
      defineProperty(error, key, { value: flat[key], writable: true, enumerable: true, configurable: true })
    }
  }
  return error
}
