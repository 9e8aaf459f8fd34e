/**
 * Tells calls with equal arguments by a number of 52 bits. It runs on the path of a call, so it looks at so much and no
 * more: arguments that are larger have none. What is no plain data counts as its kind only. Pure.
 */

const STEPS_MAX = 200
const CHARS_MAX = 2_000
const PRIME = 0x01000193

interface Walk {
  low: number
  high: number
  steps: number
  chars: number
}

/** Undefined: too large to be told. */
export function hashOf(name: string, args: readonly unknown[]): number | undefined {
  const walk: Walk = { low: 0x811c9dc5, high: 0x9747b28c, steps: STEPS_MAX, chars: CHARS_MAX }
  mixText(walk, name)
  if (!mix(walk, args)) return undefined
  return (walk.high >>> 12) * 0x100000000 + (walk.low >>> 0)
}

/** False when there is more than it may look at. */
function mix(walk: Walk, value: unknown): boolean {
  if (--walk.steps < 0) return false
  if (typeof value === 'string') return mixText(walk, `s${value}`)
  if (typeof value !== 'object' || value === null) return mixText(walk, `${typeof value}${String(value)}`)
  if (Array.isArray(value)) {
    mixText(walk, `[${value.length}`)
    return value.every((one) => mix(walk, one))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype && !isPlain(prototype)) return mixText(walk, 'object')
  const names = Object.keys(value).sort()
  mixText(walk, `{${names.length}`)
  return names.every((name) => mixText(walk, name) && mix(walk, (value as Record<string, unknown>)[name]))
}

/** `Object.prototype` of another realm. */
const isPlain = (prototype: unknown): boolean => Object.getPrototypeOf(prototype) === null

function mixText(walk: Walk, text: string): boolean {
  walk.chars -= text.length
  if (walk.chars < 0) return false
  for (let n = 0; n < text.length; n++) {
    const code = text.charCodeAt(n)
    walk.low = Math.imul(walk.low ^ code, PRIME)
    walk.high = Math.imul(walk.high ^ (code + n), PRIME)
  }
  walk.low = Math.imul(walk.low ^ 0xff, PRIME)
  return true
}
