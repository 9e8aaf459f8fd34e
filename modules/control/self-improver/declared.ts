/**
 * Where a change says that it answers otherwise than before, and whether a call is one of those. A region is narrow or it
 * is none: it names a method and at least one condition on the arguments, and recorded calls of the method lie outside of
 * it for the most part. Everywhere else the change has to answer alike. Pure.
 */
import type { DeclaredChange, DeclaredCondition } from '../../contracts/proposals.ts'
import type { Json } from '../../contracts/seams.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Call } from './bench.ts'

/** Of the recorded calls of a method. */
const SHARE_MAX = 0.5
/** Fewer say nothing about how wide a region is. */
const CALLS_MIN = 4

/** The region a call lies in; undefined: it has to be answered as before. */
export const regionOf = (call: Call, changes: readonly DeclaredChange[]): DeclaredChange | undefined =>
  changes.find(
    ({ method, when }) =>
      method === call.method && when.every((one) => valuesAt(call.args, one.at).some((found) => holds(one, found))),
  )

/** Why these regions are no regions; undefined: they are narrow enough. */
export function tooWide(changes: readonly DeclaredChange[], calls: readonly Call[]): string | undefined {
  for (const change of changes) {
    const own = calls.filter(({ method }) => method === change.method)
    const inside = own.filter((call) => regionOf(call, [change]) !== undefined).length
    if (own.length >= CALLS_MIN && inside > own.length * SHARE_MAX)
      return `it says that ${change.method} answers otherwise in ${inside} of ${own.length} recorded calls: say more narrowly where`
  }
  return undefined
}

/** Values a `*` leads to, at most; of a longer list the first. */
const ITEMS_MAX = 10_000

/** `0.order.lines`: the first argument, then its members; `0.lines.*.count`: of any item. Without a `*` it is one value. */
function valuesAt(args: readonly unknown[], at: string): unknown[] {
  let values: unknown[] = [args]
  for (const key of at.split('.'))
    values =
      key === '*'
        ? values.flatMap((value) => (Array.isArray(value) ? value.slice(0, ITEMS_MAX) : [])).slice(0, ITEMS_MAX)
        : values.map((value) => memberOf(value, key))
  return values
}

const memberOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined

function holds({ is, value }: DeclaredCondition, found: unknown): boolean {
  switch (is) {
    case 'above':
      return typeof found === 'number' && typeof value === 'number' && found > value
    case 'below':
      return typeof found === 'number' && typeof value === 'number' && found < value
    case 'equal':
      return isEqual(found, value)
    case 'unequal':
      return found !== undefined && !isEqual(found, value)
    case 'missing':
      return found === undefined || found === null
    case 'longer':
      return typeof value === 'number' && (lengthOf(found) ?? -1) > value
    case 'shorter':
      return typeof value === 'number' && (lengthOf(found) ?? Infinity) < value
    case 'contains':
      return texts(found, value, (text, part) => text.includes(part))
    case 'begins':
      return texts(found, value, (text, part) => text.startsWith(part))
    case 'ends':
      return texts(found, value, (text, part) => text.endsWith(part))
    case 'has':
      return texts(found, value, (text, letters) => anyOf(letters)?.test(text) === true)
    case 'lacks':
      return texts(found, value, (text, letters) => anyOf(letters)?.test(text) === false)
    default: {
      const never: never = is
      return never
    }
  }
}

const texts = (found: unknown, value: unknown, is: (text: string, part: string) => boolean): boolean =>
  typeof found === 'string' && typeof value === 'string' && value !== '' && is(found, value)

/**
 * One of these letters; `a-z` is a range. No other pattern: what a model writes must not take time to match. undefined:
 * a range that goes down, which is true of no text.
 */
function anyOf(letters: string): RegExp | undefined {
  const escaped = letters.replace(/[\\\]^]/g, '\\$&')
  try {
    return new RegExp(`[${escaped}]`, 'u')
  } catch {
    return undefined
  }
}

const lengthOf = (value: unknown): number | undefined =>
  typeof value === 'string' || Array.isArray(value) ? value.length : undefined

function isEqual(found: unknown, value: Json | undefined): boolean {
  if (found === undefined || value === undefined) return false
  try {
    return canonicalJson(found) === canonicalJson(value)
  } catch {
    return false // what is no JSON is equal to none
  }
}
