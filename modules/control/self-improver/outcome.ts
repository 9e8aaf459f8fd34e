/**
 * What one call came to, and how two of them differ. The incumbent makes every call twice, so that what depends on time
 * or chance is known by its place in the result and blamed on nobody. Pure.
 */
import { inspect } from 'node:util'

export interface Outcome {
  /** `ok`, or the code of the error */
  outcome: string
  /** of an error: its name and message */
  error: { name: string; message: string } | undefined
  /** place in the result → value there, as text */
  leaves: ReadonlyMap<string, string>
  ms: number
  /** what it asked of others, in order: service, aspect, method and arguments as JSON */
  effects: readonly string[]
  /** it asked for what nobody can answer in a trial */
  unanswered: boolean
  /** it asked what was never asked before, and got what others were answered */
  alike: boolean
}

/** A larger result is compared as far as this. */
const LEAVES_MAX = 5_000
const DEPTH_MAX = 40
const SHOWN_CHARS = 300

export function leavesOf(value: unknown): Map<string, string> {
  const leaves = new Map<string, string>()
  walk(value, '', 0, leaves)
  return leaves
}

function walk(value: unknown, path: string, depth: number, leaves: Map<string, string>): void {
  if (leaves.size >= LEAVES_MAX) return
  const isList = Array.isArray(value)
  const isMap =
    typeof value === 'object' &&
    value !== null &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  if ((!isList && !isMap) || depth > DEPTH_MAX) {
    // As JSON has it: what a caller gets over HTTP is 0 in either case.
    leaves.set(
      path,
      inspect(value === 0 ? 0 : value, { depth: 10, sorted: true, maxArrayLength: 200, maxStringLength: 10_000 }),
    )
    return
  }
  if (isList) leaves.set(`${path}#`, String(value.length))
  const entries = isList ? value.entries() : Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  if (!isList) leaves.set(`${path}{}`, '')
  for (const [key, one] of entries) walk(one, `${path}.${key}`, depth + 1, leaves)
}

/** The same place in other elements of a list is the same kind of place. */
const placeOf = (path: string): string => path.replace(/\.\d+(?=\.|$|#|\{)/g, '.*')

/** Places that differ between two results, without those of another length. */
export function differingPlaces(a: Outcome, b: Outcome): string[] {
  const places = new Set<string>()
  for (const path of new Set([...a.leaves.keys(), ...b.leaves.keys()]))
    if (a.leaves.get(path) !== b.leaves.get(path)) places.add(placeOf(path))
  return [...places]
}

export interface Noise {
  /** places in results of the method that are not the same twice */
  places: Set<string>
  /** the incumbent does not come to the same end twice */
  outcome: boolean
  effects: boolean
}

export const noNoise = (): Noise => ({ places: new Set(), outcome: false, effects: false })

/** What two calls of the same version tell about it. */
export function learn(noise: Noise, a: Outcome, b: Outcome): void {
  if (a.outcome !== b.outcome) noise.outcome = true
  for (const place of differingPlaces(a, b)) noise.places.add(place)
  if (a.effects.join('\n') !== b.effects.join('\n')) noise.effects = true
}

/** An error that nobody meant: what an argument of the wrong shape runs into. */
const isAccident = ({ outcome, error }: Outcome): boolean =>
  outcome === 'callee_error' && error !== undefined && /^(TypeError|RangeError|ReferenceError)$/.test(error.name)

/**
 * How the candidate's call differs from the incumbent's, in words; undefined: it does not. `made` says that the arguments
 * were made up, so that how an accident ends is nobody's promise.
 */
export function differenceOf(live: Outcome, candidate: Outcome, noise: Noise, made: boolean): string | undefined {
  if (candidate.outcome.startsWith('sandbox_')) return `it ended the sandbox: ${shown(candidate)}`
  if (noise.outcome) return undefined
  if (made && isAccident(live) && (candidate.outcome === 'ok' || isAccident(candidate))) return undefined
  if (live.outcome !== candidate.outcome) return `it was ${shown(live)} and is ${shown(candidate)}`
  if (live.outcome === 'ok') {
    const place = changedPlace(live, candidate, noise)
    if (place !== undefined)
      return `${place.path === '' ? 'the result' : `\`${place.path.slice(1)}\``} was ${place.was} and is ${place.is}`
  } else if (live.error?.name !== candidate.error?.name && !made) {
    return `it threw ${live.error?.name} and throws ${candidate.error?.name}`
  }
  if (noise.effects || live.unanswered || candidate.unanswered) return undefined
  if (live.effects.join('\n') === candidate.effects.join('\n')) return undefined
  return effectsDiffer(live.effects, candidate.effects)
}

function changedPlace(
  live: Outcome,
  candidate: Outcome,
  noise: Noise,
): { path: string; was: string; is: string } | undefined {
  const cut = (text: string | undefined): string =>
    text === undefined ? 'absent' : text === '' ? 'an object' : text.slice(0, SHOWN_CHARS)
  for (const [path, was] of live.leaves) {
    const is = candidate.leaves.get(path)
    if (is !== was && !noise.places.has(placeOf(path))) return { path, was: cut(was), is: cut(is) }
  }
  // More in an object takes nothing from its readers; more in a list, or in place of a value, is told above.
  return undefined
}

function effectsDiffer(was: readonly string[], is: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const one of was) counts.set(one, (counts.get(one) ?? 0) + 1)
  for (const one of is) {
    const left = counts.get(one) ?? 0
    if (left === 0) return `it asks for ${effectText(one)}, which it did not`
    counts.set(one, left - 1)
  }
  const [missed] = [...counts].find(([, left]) => left > 0) ?? []
  // A question less, as from a cache, is no difference; something done less is.
  return missed === undefined || isQuestion(effectText(missed))
    ? undefined
    : `it no longer asks for ${effectText(missed)}`
}

const isQuestion = (effect: string): boolean =>
  /[.@](get|list|find|query|read|show|search|count|has|peek|load|fetch|lookup)/i.test(effect)

export function effectText(effect: string): string {
  try {
    const [api, aspect, method, args] = JSON.parse(effect) as [string, string, string, unknown[]]
    return `${api}${aspect === 'default' ? '' : `@${aspect}`}.${method}${argsText(args)}`
  } catch {
    return effect // its arguments are no JSON
  }
}

export const argsText = (args: readonly unknown[]): string =>
  `(${args.map((one) => inspect(one, { depth: 6, breakLength: Infinity, sorted: true, maxStringLength: 200 })).join(', ')})`.slice(
    0,
    SHOWN_CHARS * 2,
  )

export function shown({ outcome, error, leaves }: Outcome): string {
  if (outcome !== 'ok') return `${error?.name ?? 'Error'} ${outcome}: ${error?.message ?? ''}`.slice(0, SHOWN_CHARS)
  const text = [...leaves].slice(0, 8).map(([path, value]) => (path === '' ? value : `${path.slice(1)}: ${value}`))
  return text.join(', ').slice(0, SHOWN_CHARS)
}
