/**
 * The corpus of attacks on a real system, in a process of its own: each ends as it was declared, and neither the kernel nor
 * a neighbor in another process notices. The process has ended by itself when there is a result.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { ATTACKS } from '../attacks/cases/index.ts'
import type { CorpusResult } from '../attacks/run.ts'
import { resultOf } from '../support/child.ts'

const RSS_GROWTH_MB_MAX = 50
/** The numbered list the corpus began with; the gaps in it were there. */
const NUMBERED = (
  '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 27 28 29 30 31 32 33 34 35 37 38 39 40 41 42 43 44 ' +
  '45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 62 63 65 66 67 68 69 70 71 72 73 74 75 77 78 79 80 81 82 84 85 86 87'
).split(' ')

let result: CorpusResult
beforeAll(async () => {
  result = await resultOf<CorpusResult>('test/attacks/run.ts')
}, 400_000)

it('the corpus holds every numbered case, and each of the others has a name of its own', () => {
  const ids = ATTACKS.map(({ id }) => id)
  expect(NUMBERED.filter((id) => !ids.includes(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.length).toBeGreaterThanOrEqual(90)
})

describe('ends as declared', () => {
  it.each(ATTACKS.map(({ id, title }) => [id, title]))('%s: %s', (id) => {
    const verdict = result.verdicts.find((one) => one.id === id)
    expect(verdict?.ok === true ? 'as declared' : verdict).toBe('as declared')
  })
})

describe('meanwhile', () => {
  it('no call to a neighbor in another process failed', () => {
    expect(result.measured.beats).toBeGreaterThan(100)
    expect(result.measured.failed_beats).toBe(0)
  })

  it('this process grew little in each of them', () => {
    const grown = result.verdicts.filter(({ rss_growth_mb }) => rss_growth_mb > RSS_GROWTH_MB_MAX)
    expect(grown.map(({ id, rss_growth_mb }) => ({ id, rss_growth_mb }))).toEqual([])
  })

  it('no built-in prototype of this process gained a member', () => {
    expect(result.polluted).toEqual([])
  })

  it('no process of a sandbox is left', () => {
    expect(result.left).toEqual([])
  })
})
