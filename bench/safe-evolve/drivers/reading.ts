/** Drivers of the cache, whose values may be old but not too old, and of the search, whose order is computed here anew. */
import type { Call, Driver, Planned } from '../contract.ts'
import { due, kindOf, pick, ruled, whole } from './driver.ts'

/** What the way of a call and a busy machine may add to the age of a value. */
const SLACK_MS = 400

export function cache(): Driver {
  /** `key#n` → when it was first seen */
  const seen = new Map<string, number>()
  const newest = new Map<string, number>()
  let serial = 0
  const call = (method: string, ...args: unknown[]): Call => ({ service: 'cache', method, args })
  const note = (value: string, key: string, n: number): number => {
    newest.set(key, Math.max(newest.get(key) ?? 0, n))
    const first = seen.get(value) ?? performance.now()
    seen.set(value, first)
    return performance.now() - first
  }
  const read = (key: string, ttl: number): Planned => {
    const least = newest.get(key) ?? 0
    const rule = ttl === 0 ? `a new value, above ${least}` : `a value not older than ${ttl} ms`
    return ruled(call('read', key, ttl), rule, (answer) => {
      const { value, n, hit } = answer as { value: string; n: number; hit: boolean }
      if (value !== `${key}#${n}` || typeof hit !== 'boolean') return false
      const age = note(value, key, n)
      return ttl === 0 ? !hit && n > least : !hit || age <= ttl + SLACK_MS
    })
  }
  const key = (random: () => number): string => `c${whole(random, 30)}`
  return {
    fill: () => [],
    next: (random) => {
      switch (kindOf(random)) {
        case 'common':
          return read(key(random), pick(random, [200, 1_000]))
        case 'edge':
          return pick(random, [
            () => read(key(random), 0),
            () => due(call('read', 'c1', -1), { error: 'no such age' }),
            () => ruled(call('size'), 'at most 200', (value) => Number(value) >= 0 && Number(value) <= 200),
            () => ruled(call('drop', key(random)), 'true or false', (value) => typeof value === 'boolean'),
          ])()
        default: {
          const keys = [key(random), `once-${serial++}`, key(random)]
          return ruled(call('readAll', keys, 500), 'the values in their order', (values) => {
            return (
              Array.isArray(values) &&
              values.length === 3 &&
              keys.every((one, i) => String(values[i]).startsWith(`${one}#`))
            )
          })
        }
      }
    },
  }
}

const DOCS = 240
const NOUNS = 'river mountain city harbor forest bridge tower market garden castle'.split(' ')
const KINDS = 'old new quiet loud green stone wooden northern'.split(' ')

function vectorOf(text: string): number[] {
  const vector = Array.from({ length: 32 }, () => 0)
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
    const place = Array.from(word).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 32, 0)
    vector[place] = (vector[place] ?? 0) + 1
  }
  return vector
}

function nearest(docs: ReadonlyMap<string, string>, query: string, k: number): { id: string; score: number }[] {
  const product = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0)
  const asked = vectorOf(query)
  const hits = Array.from(docs, ([id, text]) => {
    const vector = vectorOf(text)
    const length = Math.sqrt(product(asked, asked)) * Math.sqrt(product(vector, vector))
    return { id, score: length === 0 ? 0 : Math.round((product(asked, vector) / length) * 10_000) / 10_000 }
  })
  return hits.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)).slice(0, k)
}

export function search(): Driver {
  const docs = new Map<string, string>()
  for (let index = 0; index < DOCS; index++) {
    const words = [KINDS[index % 8], NOUNS[index % 10], 'near', KINDS[(index * 3 + 1) % 8], NOUNS[(index * 7 + 2) % 10]]
    docs.set(`d${String(index).padStart(3, '0')}`, words.join(' '))
  }
  const call = (method: string, ...args: unknown[]): Call => ({ service: 'search', method, args })
  const find = (query: string, k: number, asTool: boolean): Planned =>
    due(asTool ? { ...call('find', { query, k }), aspect: 'tool' } : call('find', query, k), {
      value: nearest(docs, query, k),
    })
  return {
    fill: () =>
      Array.from(docs, ([id, text]) =>
        ruled(call('add', id, text), 'how many there are', (value) => Number.isInteger(value)),
      ),
    next: (random) => {
      const query = `${pick(random, KINDS)} ${pick(random, NOUNS)}`
      switch (kindOf(random)) {
        case 'common':
          return find(query, 3, random() < 0.3)
        case 'edge': {
          const [id, text] = pick(random, [...docs])
          return pick(random, [
            () => due(call('add', id, text), { value: docs.size }),
            () => due(call('find', query, 0), { error: 'no such number' }),
            () => due(call('size'), { value: docs.size }),
            () => due(call('remove', 'nothing'), { value: false }),
            () => find('near', 5, false),
          ])()
        }
        default:
          return random() < 0.5
            ? find(query, 300, false)
            : due(call('find', '?', 3), { value: nearest(docs, '?', 3) }, { value: [] })
      }
    },
    lost: () => ({
      call: call('size'),
      wasLost: (value) => Number(value) < docs.size,
      forget: () => undefined,
    }),
  }
}
