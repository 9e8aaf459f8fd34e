/**
 * Whether two values are the same, as `node:assert/strict` has it, and how they are shown when they are not. Runs in the
 * sandbox a module's tests run in, where there is no Node. Pure.
 */
const SHOWN_CHARS = 300
const DEPTH_MAX = 200

type Pair = readonly [a: object, b: object]

export function isSame(a: unknown, b: unknown, open: readonly Pair[] = []): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  // A ring is the same when all around it is.
  if (open.some(([x, y]) => x === a && y === b)) return true
  if (open.length > DEPTH_MAX) throw new RangeError(`values nested deeper than ${DEPTH_MAX} are not compared`)
  const inside = [...open, [a, b] as const]
  return isSameInside(a, b, inside) && isSameMembers(a, b, inside)
}

/** What stands in no member of an object. */
function isSameInside(a: object, b: object, open: readonly Pair[]): boolean {
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime())
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b)
  if (a instanceof Error && b instanceof Error) return a.message === b.message && a.name === b.name
  if (a instanceof Set && b instanceof Set)
    return a.size === b.size && [...a].every((one) => b.has(one) || [...b].some((other) => isSame(one, other, open)))
  if (a instanceof Map && b instanceof Map)
    return (
      a.size === b.size &&
      [...a].every(([key, value]) =>
        b.has(key)
          ? isSame(value, b.get(key), open)
          : [...b].some((other) => isSame(key, other[0], open) && isSame(value, other[1], open)),
      )
    )
  // Without members to compare, they are only the same when they are one.
  return !/^\[object (Promise|Weak\w+|Number|String|Boolean|Symbol)\]$/.test(Object.prototype.toString.call(a))
}

function isSameMembers(a: object, b: object, open: readonly Pair[]): boolean {
  const keys = membersOf(a)
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false
  if (keys.length !== membersOf(b).length) return false
  const at = (of: object, key: PropertyKey): unknown => (of as Record<PropertyKey, unknown>)[key]
  return keys.every((key) => Object.prototype.propertyIsEnumerable.call(b, key) && isSame(at(a, key), at(b, key), open))
}

const membersOf = (of: object): PropertyKey[] =>
  Reflect.ownKeys(of).filter((key) => Object.prototype.propertyIsEnumerable.call(of, key))

export function shown(value: unknown): string {
  const text = textOf(value)
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'function') return `[function ${value.name}]`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof RegExp || typeof value !== 'object')
    return typeof value === 'string' ? quoted(value) : String(value)
  const plain = (_key: string, one: unknown): unknown => {
    if (typeof one === 'bigint') return `${one}n`
    if (one instanceof Map) return { Map: [...one] }
    if (one instanceof Set) return { Set: [...one] }
    return one === undefined || typeof one === 'function' || typeof one === 'symbol' ? String(one) : one
  }
  try {
    return JSON.stringify(value, plain) ?? String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

const quoted = (text: string): string => JSON.stringify(text)
