/** What is seen is bounded, leaves with its window, and counts only what it can tell. */
import { describe, expect, it } from 'vitest'
import { hashOf } from '../../../../modules/control/metrics/seen/args-hash.ts'
import { Counts } from '../../../../modules/control/metrics/seen/counts.ts'
import { percentile, Recent } from '../../../../modules/control/metrics/seen/recent.ts'
import { Recoveries } from '../../../../modules/control/metrics/seen/recoveries.ts'
import { gapsOf, Requests } from '../../../../modules/control/metrics/seen/requests.ts'
import { hourOf, Spend } from '../../../../modules/control/metrics/seen/spend.ts'

const NOW = 1_800_000_000_000

describe('counts', () => {
  const make = (namesMax = 10): Counts => new Counts({ windowMs: 1_000, slots: 10, namesMax })

  it('leave with their window, a slot at a time', () => {
    const counts = make()
    counts.add(NOW, 'a')
    counts.add(NOW + 500, 'a', 2)
    expect(counts.sum(NOW + 900, 'a')).toBe(3)
    expect(counts.sum(NOW + 1_000, 'a')).toBe(3)
    expect(counts.sum(NOW + 1_100, 'a')).toBe(2)
    expect(counts.sum(NOW + 1_600, 'a')).toBe(0)
  })

  it('a slot that comes round again forgets what was in it', () => {
    const counts = make()
    counts.add(NOW, 'a', 5)
    counts.add(NOW + 1_100, 'a')
    expect(counts.sum(NOW + 1_100, 'a')).toBe(1)
  })

  it('have so many names in a slot, and no more', () => {
    const counts = make(3)
    for (let n = 0; n < 1_000; n++) counts.add(NOW, `name ${n}`)
    counts.add(NOW, 'name 1')
    expect(counts.of(NOW, 'name').size).toBe(3)
    expect(counts.sum(NOW, 'name 1')).toBe(2)
    expect(counts.dropped).toBe(997)
  })

  it('say what was counted since they were last asked, also within the same moment', () => {
    const counts = make()
    counts.add(NOW, 'calls a')
    expect(counts.of(NOW, 'calls').get('a')).toBe(1)
    counts.add(NOW, 'calls a')
    expect(counts.of(NOW, 'calls').get('a')).toBe(2)
    expect(counts.of(NOW + 5_000, 'calls').size).toBe(0)
  })

  it('are told by their kind', () => {
    const counts = make()
    counts.add(NOW, 'calls a')
    counts.add(NOW + 100, 'calls a')
    counts.add(NOW, 'call b')
    expect([...counts.of(NOW + 100, 'calls')]).toEqual([['a', 2]])
  })
})

describe('what was spent', () => {
  const HOUR_MS = 3_600_000

  it('is summed from an hour on, also where more comes and the oldest goes', () => {
    const spend = new Spend()
    const sum = (hours: number): number => spend.since(NOW - hours * HOUR_MS).usd
    spend.add(NOW - 5 * HOUR_MS, 1)
    spend.add(NOW, 2)
    expect([sum(1), sum(6)]).toEqual([2, 3])
    spend.add(NOW, 4)
    spend.add(NOW, null)
    expect([sum(1), sum(6)]).toEqual([6, 7])
    expect(spend.since(NOW)).toEqual({ usd: 6, answers: 3, priced: 2 })
    spend.forget(NOW - HOUR_MS)
    expect([sum(1), sum(6)]).toEqual([6, 6])
  })

  it('is saved by the hour, and only what was added to', () => {
    const spend = new Spend()
    const hour = hourOf(NOW)
    spend.add(NOW, 1)
    spend.restore([
      { hour, usd: 10, answers: 1, priced: 1 },
      { hour: hour - 1, usd: 100, answers: 1, priced: 1 },
    ])
    expect(spend.toSave()).toEqual([{ hour, usd: 11, answers: 2, priced: 2 }])
    spend.saved()
    expect(spend.toSave()).toEqual([])
    expect(spend.since(NOW - HOUR_MS).usd).toBe(111)
  })
})

describe('recent values', () => {
  it('are the last so many, and those of the window', () => {
    const recent = new Recent(3)
    for (let n = 1; n <= 5; n++) recent.add(NOW + n, n)
    expect(recent.since(NOW).toSorted()).toEqual([3, 4, 5])
    expect(recent.since(NOW + 5)).toEqual([5])
  })

  it('a percentile is one of them, and of none it is null', () => {
    const hundred = Array.from({ length: 100 }, (_none, n) => n + 1)
    expect([percentile(hundred, 0.5), percentile(hundred, 0.95), percentile(hundred, 1)]).toEqual([50, 95, 100])
    expect([percentile([7], 0.95), percentile([], 0.5)]).toEqual([7, null])
  })
})

describe('equal arguments', () => {
  const hash = (...args: unknown[]): number | undefined => hashOf('m', args)

  it('are told by what they hold, whatever the order of their names', () => {
    expect(hash({ a: 1, b: [2, 'x'] })).toBe(hash({ b: [2, 'x'], a: 1 }))
    expect(new Set([hash(1), hash('1'), hash([1]), hash(null), hash(undefined), hash({ a: 1 }), hash(1, 1)]).size).toBe(
      7,
    )
    expect(hashOf('n', [1])).not.toBe(hash(1))
    expect(new Set(Array.from({ length: 20_000 }, (_none, n) => hash({ n }))).size).toBe(20_000)
  })

  it('do not depend on signals, which are another each time', () => {
    const asked = (): object => ({ signal: new AbortController().signal, caller: 'x' })
    expect(hash({ a: 1 }, asked())).toBe(hash({ a: 1 }, asked()))
  })

  it('too large ones are not told, however deep or round', () => {
    const round: Record<string, unknown> = {}
    round['self'] = round
    expect([hash('x'.repeat(3_000)), hash(Array.from({ length: 500 })), hash(round)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('recovery', () => {
  const make = (): Recoveries => new Recoveries(2, 10_000)

  it('is from the first failure to the end of the next good call that began after it', () => {
    const recoveries = make()
    recoveries.failed('a', NOW)
    recoveries.failed('a', NOW + 1_000)
    recoveries.answered('a', NOW - 5, NOW + 1_500)
    expect(recoveries.since('a', 0)).toEqual([])
    recoveries.answered('a', NOW + 2_000, NOW + 3_000)
    recoveries.answered('a', NOW + 4_000, NOW + 5_000)
    expect(recoveries.since('a', 0)).toEqual([3])
  })

  it('is told of a failure that was heard of late', () => {
    const recoveries = make()
    recoveries.answered('a', NOW + 100, NOW + 200)
    recoveries.failed('a', NOW)
    expect(recoveries.since('a', 0)).toEqual([0.2])
  })

  it('is what the counts say where no call was told, but not within the time the failure came in', () => {
    const recoveries = make()
    recoveries.failed('a', NOW)
    recoveries.counted('a', NOW - 1, NOW + 1_000)
    expect(recoveries.since('a', 0)).toEqual([])
    recoveries.counted('a', NOW + 1_000, NOW + 2_000)
    expect(recoveries.since('a', 0)).toEqual([2])
  })

  it('nobody knows of one that was not asked for long', () => {
    const recoveries = make()
    recoveries.failed('a', NOW)
    recoveries.answered('a', NOW + 20_000, NOW + 20_001)
    recoveries.failed('a', NOW + 30_000)
    recoveries.failed('a', NOW + 60_000)
    recoveries.answered('a', NOW + 61_000, NOW + 61_000)
    expect(recoveries.since('a', 0)).toEqual([1])
  })

  it('is kept for so many services', () => {
    const recoveries = make()
    for (const api of ['a', 'b', 'c']) {
      recoveries.failed(api, NOW)
      recoveries.answered(api, NOW, NOW + 1_000)
    }
    expect(['a', 'b', 'c'].map((api) => recoveries.since(api, 0).length)).toEqual([1, 1, 0])
  })
})

describe('requests', () => {
  it('are so many, and so many calls of each', () => {
    const requests = new Requests(2, 3)
    for (let n = 0; n < 5; n++) {
      const request = requests.of(`t${n}`)
      request.ended = NOW + n
      for (let span = 0; span < 10; span++) requests.addSpan(request, 'g', NOW, 1)
    }
    expect(requests.since(NOW).map(({ ended, spans }) => [ended - NOW, spans.length])).toEqual([
      [3, 3],
      [4, 3],
    ])
    expect(requests.since(NOW + 4)).toHaveLength(1)
  })

  it('calls one after the other are no stragglers; of those side by side the slowest tells', () => {
    const span = (at: number, ms: number, group = 'g'): { group: string; at: number; ms: number } => ({ group, at, ms })
    expect(gapsOf({ spans: [span(0, 10), span(10, 100), span(110, 5)] })).toEqual([])
    expect(gapsOf({ spans: [span(0, 10), span(0, 100, 'other')] })).toEqual([])
    expect(gapsOf({ spans: [span(0, 10), span(1, 10), span(2, 40)] })).toEqual([2])
    expect(gapsOf({ spans: [span(0, 10), span(1, 10), span(100, 3), span(101, 9)] })).toEqual([1, 1.5])
  })
})
