/**
 * Calls made from recorded ones: one value changed at a time, to the edges of its kind and to what the sources themselves
 * name, one below and above. A condition on a rare value has that value in its text, so it is met. Pure and repeatable.
 */
import type { Call } from './bench.ts'

/** Values of the sources that are told apart. */
const NAMED_MAX = 60
/** Recorded calls of one method that are changed. */
const SEEDS_MAX = 6
const DEPTH_MAX = 6

export interface Named {
  numbers: number[]
  texts: string[]
}

/** Numbers and short texts as they stand in sources: those of changed files first. */
export function namedIn(sources: readonly string[]): Named {
  const numbers = new Set<number>()
  const texts = new Set<string>()
  for (const source of sources) {
    for (const [whole] of source.matchAll(/(?<![\w.$])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/gi)) {
      const value = Number(whole.replaceAll('_', ''))
      if (Number.isFinite(value) && numbers.size < NAMED_MAX) numbers.add(value)
    }
    for (const [, , text = ''] of source.matchAll(/(['"`])((?:(?!\1)[^\\\n]){1,40})\1/g))
      if (texts.size < NAMED_MAX) texts.add(text)
  }
  return { numbers: [...numbers], texts: [...texts] }
}

const LONG = 2_000
const LIST_LONG = 300

/** Other values of the same kind in the place of this one: what no caller would send tells nothing. */
export function variantsOf(value: unknown, named: Named, depth = 0): unknown[] {
  switch (typeof value) {
    case 'number':
      return numbersNear(value, named)
    case 'string':
      return textsNear(value, named)
    case 'boolean':
      return [!value]
    case 'object':
      if (value === null) return []
      return Array.isArray(value)
        ? listsNear(value, named, depth)
        : mapsNear(value as Record<string, unknown>, named, depth)
    default:
      return []
  }
}

function numbersNear(value: number, { numbers }: Named): number[] {
  const edges = [0, 1, -1, value + 1, value - 1, -value, value * 2, value * 10, 1_000]
  const all = [...numbers.flatMap((one) => [one, one + 1, one - 1, one * 2, -one]), ...edges]
  // Where whole numbers come, no others do.
  return Number.isInteger(value) ? all.filter(Number.isInteger) : [...all, value / 3, 0.1]
}

function textsNear(value: string, { texts, numbers }: Named): string[] {
  const edges = [
    '',
    ' ',
    ` ${value} `,
    value.toUpperCase(),
    value.toLowerCase(),
    `${value}x`,
    value.slice(1),
    `é𝄞${value}`,
  ]
  const long = value === '' ? 'x'.repeat(LONG) : value.repeat(Math.ceil(LONG / value.length)).slice(0, LONG)
  const inside = numbersIn(value, numbers)
  return [
    ...inside.slice(0, INSIDE_FIRST),
    ...texts,
    ...edges,
    ...inside.slice(INSIDE_FIRST),
    '__proto__',
    'constructor',
    '0',
    '-1',
    ...numbers.slice(0, 10).map(String),
    long,
  ]
}

/** A number in a text is a number too. */
const INSIDE_FIRST = 8
const INSIDE_MAX = 60

function numbersIn(value: string, numbers: readonly number[]): string[] {
  const lists = [...value.matchAll(/-?\d+(?:\.\d+)?/g)].slice(0, 4).map((found) => {
    const near = (other: string): string =>
      value.slice(0, found.index) + other + value.slice(found.index + found[0].length)
    const one = Number(found[0])
    const edges = [-one, one / 2 + 0.25, 0, one + 1, one * 1_000, 1e21]
    return [...edges, ...numbers.flatMap((named) => [named, named + 1, named - 1])].map(String).map(near)
  })
  return interleave(lists).slice(0, INSIDE_MAX)
}

function listsNear(list: readonly unknown[], named: Named, depth: number): unknown[] {
  if (list.length === 0) return []
  const [first] = list
  const long = Array.from({ length: LIST_LONG }, (_, index) => list[index % list.length])
  const shapes: unknown[] = [[], [first], [...list, ...list], [...list].reverse(), long]
  if (depth >= DEPTH_MAX) return shapes
  const inner = variantsOf(first, named, depth + 1).map((one) => [one, ...list.slice(1)])
  const last = variantsOf(list.at(-1), named, depth + 1).map((one) => [...list.slice(0, -1), one])
  return [...shapes, ...inner, ...(list.length > 1 ? last : [])]
}

function mapsNear(map: Record<string, unknown>, named: Named, depth: number): unknown[] {
  if (depth >= DEPTH_MAX) return []
  return interleave(
    Object.keys(map).map((key) => variantsOf(map[key], named, depth + 1).map((one) => ({ ...map, [key]: one }))),
  )
}

type Seed = Call & { outcome?: string }

/**
 * In turns from method to method and argument to argument, the ones nearest to what the sources name first. Each value is
 * tried in two of the recorded calls, so that one which is refused for another argument does not hide it.
 */
export function madeCalls(recorded: readonly Seed[], named: Named, limit: number): Call[] {
  const lists = [...seedsOf(recorded).values()].map((seeds) => interleave(slotsOf(seeds, named)))
  const calls: Call[] = []
  const seen = new Set<string>()
  for (const call of interleave(lists)) {
    if (calls.length >= limit) break
    const key = keyOf(call)
    if (key === undefined || seen.has(key)) continue
    seen.add(key)
    calls.push(call)
  }
  return calls
}

/** Those that were answered first: behind an error there is little to be found. */
function seedsOf(recorded: readonly Seed[]): Map<string, Call[]> {
  const seeds = new Map<string, Call[]>()
  const isOk = ({ outcome = 'ok' }: Seed): boolean => outcome === 'ok'
  for (const { aspect, method, args } of [...recorded.filter(isOk), ...recorded.filter((one) => !isOk(one))]) {
    const call = { aspect, method, args }
    const key = `${aspect} ${method}`
    const known = seeds.get(key) ?? []
    seeds.set(key, known)
    const shape = keyOf(call)
    if (known.length < SEEDS_MAX && !known.some((one) => keyOf(one) === shape)) known.push(call)
  }
  return seeds
}

const TRIES = 2

/** For each argument of a method the calls in which it has another value. */
function slotsOf(seeds: readonly Call[], named: Named): Call[][] {
  const slots: Call[][] = []
  for (let slot = 0; slot < Math.max(0, ...seeds.map(({ args }) => args.length)); slot++) {
    const variants = seeds.map(({ args }) => (slot < args.length ? variantsOf(args[slot], named) : []))
    const calls: Call[] = []
    for (let index = 0; index < Math.max(0, ...variants.map(({ length }) => length)); index++) {
      for (let turn = 0; turn < TRIES; turn++) {
        const which = (index + turn) % seeds.length
        const [seed, list = []] = [seeds[which], variants[which]]
        if (seed !== undefined && index < list.length) calls.push({ ...seed, args: seed.args.with(slot, list[index]) })
      }
    }
    slots.push(calls)
  }
  return slots
}

/** The first text among the arguments becomes one that was not there before. */
export function freshened(args: readonly unknown[], serial: number): unknown[] {
  const at = args.findIndex((one) => typeof one === 'string')
  if (at >= 0) return args.with(at, `${String(args[at])}~${serial}`)
  const isMap = (one: unknown): one is Record<string, unknown> =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
  const map = args.findIndex(isMap)
  const found = args[map]
  const key = isMap(found) ? Object.keys(found).find((name) => typeof found[name] === 'string') : undefined
  return isMap(found) && key !== undefined
    ? args.with(map, { ...found, [key]: `${String(found[key])}~${serial}` })
    : [...args]
}

export function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  const all: T[] = []
  for (let index = 0; index < longest; index++)
    for (const list of lists) if (index < list.length) all.push(list[index] as T)
  return all
}

export const keyOf = ({ aspect, method, args }: Call): string | undefined => {
  try {
    return JSON.stringify([aspect, method, args])
  } catch {
    return undefined
  }
}
