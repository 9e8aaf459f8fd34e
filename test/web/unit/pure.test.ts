/** Parts of the page that decide without a browser: addresses, frames, looks, differences, lines. */
import { expect, it, vi } from 'vitest'
import { FrameReader } from '../../../web/src/api/frames.ts'
import { fits, pauseBefore } from '../../../web/src/api/stream.ts'
import { lookAgain } from '../../../web/src/live/again.ts'
import { PAGES, type PageInfo } from '../../../web/src/pages.ts'
import { diffLines, folded } from '../../../web/src/parts/diff-lines.ts'
import { hrefOf, readRoute } from '../../../web/src/route.ts'

it('an address is read as it was written, whatever a name has in it', () => {
  const href = hrefOf('services', ['tasks/counter?a=1#b', 'é %'], { tab: 'calls & more', none: undefined })
  expect(readRoute(href)).toEqual({
    page: 'services',
    parts: ['tasks/counter?a=1#b', 'é %'],
    query: { tab: 'calls & more' },
  })
  expect(readRoute('')).toEqual({ page: '', parts: [], query: {} })
  expect(readRoute('#/a/%zz').parts).toEqual(['%zz'])
})

it('events are the same wherever the stream is cut', () => {
  const text = 'id: 7\nevent: service.live\ndata: {"a":1}\n\n: still here\n\nevent: stream.missed\ndata: {}\n\n'
  for (let cut = 0; cut <= text.length; cut++) {
    const reader = new FrameReader()
    expect([...reader.read(text.slice(0, cut)), ...reader.read(text.slice(cut))]).toEqual([
      { id: '7', event: 'service.live', data: '{"a":1}' },
      { id: undefined, event: 'stream.missed', data: '{}' },
    ])
  }
})

it('patterns fit as those of the API do', () => {
  expect([
    fits('*', 'a.b'),
    fits('service.*', 'service.live'),
    fits('service.*', 'services.x'),
    fits('a', 'a.b'),
  ]).toEqual([true, true, false, false])
})

it('pauses between tries grow, up to a limit, and are never all the same', () => {
  expect([0, 1, 2, 9].map((tries) => pauseBefore(tries, 1))).toEqual([250, 500, 1_000, 8_000])
  expect(pauseBefore(3, 0)).toBe(1_000)
})

it('many bells are few looks, never two at once, and the last look is after the last bell', async () => {
  vi.useFakeTimers()
  try {
    let looks = 0
    let open = 0
    let most = 0
    let rung = 0
    let seen = 0
    const bell = lookAgain(async () => {
      most = Math.max(most, ++open)
      const at = rung
      await new Promise((resolve) => setTimeout(resolve, 20))
      seen = at
      looks++
      open--
    }, 250)
    for (let n = 0; n < 1_000; n++) {
      rung++
      bell()
      await vi.advanceTimersByTimeAsync(1)
    }
    await vi.advanceTimersByTimeAsync(2_000)
    expect([most, seen]).toEqual([1, 1_000])
    expect(looks).toBeLessThanOrEqual(6)
  } finally {
    vi.useRealTimers()
  }
})

it('a difference puts together to both texts, and equal lines far from it are folded', () => {
  const before = Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n')
  const after = before.replace('line 20', 'line twenty\nand more')
  const lines = diffLines(before, after)
  const text = (not: 'in' | 'out'): string =>
    lines
      .filter(({ kind }) => kind !== not)
      .map((one) => one.text)
      .join('\n')
  expect([text('in'), text('out')]).toEqual([before, after])
  expect(lines.filter(({ kind }) => kind !== 'same').map(({ kind, text: one }) => `${kind} ${one}`)).toEqual([
    'out line 20',
    'in line twenty',
    'in and more',
  ])
  expect(folded(lines).filter((one) => 'gap' in one)).toEqual([{ gap: 17 }, { gap: 16 }])
})

it('every page has an address and a key of its own', () => {
  for (const read of [({ id }: PageInfo) => id, ({ key }: PageInfo) => key]) {
    const all = PAGES.map(read)
    expect(all.filter((one, at) => all.indexOf(one) !== at)).toEqual([])
  }
  expect(PAGES.filter(({ key }) => !/^[a-z]$/.test(key))).toEqual([])
})
