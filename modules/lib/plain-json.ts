/**
 * Values on their way out of the process, as JSON. A BigInt becomes its digits and nothing becomes null; what JSON
 * would drop or refuse (functions, symbols, streams, rings) is an error of the service the value came from, never
 * silently something else. Used wherever a result or an event is written for somebody outside.
 */
import { coded, reasonOf } from './errors.ts'

/** Where a value comes from, for the error that names it. */
export interface ValueSource {
  api: string
  method: string
}

export const isStream = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function'

export function plainText(value: unknown, source: ValueSource): string {
  if (isStream(value)) throw streamRefused(source)
  try {
    // toJSON() may return nothing, whatever the declared type says.
    return JSON.stringify(value, replace) ?? 'null'
  } catch (error) {
    throw coded('result_not_cloneable', { ...source, reason: reasonOf(error) })
  }
}

export const toPlain = (value: unknown, source: ValueSource): unknown => JSON.parse(plainText(value, source)) as unknown

/** JSON that is written already. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** `rest`, which has a member, with one more whose value is written once, however large it is. */
export const plainMember = (name: string, value: unknown, source: ValueSource, rest: object): JsonText =>
  new JsonText(`{${JSON.stringify(name)}:${plainText(value, source)},${JSON.stringify(rest).slice(1)}`)

export const streamRefused = (source: ValueSource): Error =>
  coded('result_not_cloneable', { ...source, reason: 'it is a stream; read it through a handle' })

function replace(_key: string, value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`it holds a ${typeof value}`)
  return typeof value === 'bigint' ? String(value) : value
}
