/** Events of a window that are held in memory say what the disk would. */
import { expect, it } from 'vitest'
import { RecentEvents, type ReadEvent } from '../../../modules/control/metrics/recent-events.ts'

const BOT = 'ada'
const DAY_MS = 1_000

/** A disk, and what was read of it. */
function make(): {
  add: (at: number, bot?: string) => void
  rows: { number: number; at: number; bot: string }[]
  asked: number[]
  numbers: (now: number, windowMs?: number) => number[]
  forget: () => void
} {
  const rows: { number: number; at: number; bot: string }[] = []
  const asked: number[] = []
  let made = 0
  const recent = new RecentEvents((bot, since, after): ReadEvent[] => {
    asked.push(after)
    return rows
      .filter((row) => row.bot === bot && row.at >= since && row.number > after)
      .map(({ number, at }) => ({ number, at, event: undefined }))
  })
  return {
    rows,
    asked,
    add: (at, bot = BOT) => void rows.push({ number: ++made, at, bot }),
    numbers: (now, windowMs = DAY_MS) =>
      recent
        .of(BOT, now, windowMs, { first: rows[0]?.number ?? 0, last: rows.at(-1)?.number ?? 0 })
        .map(({ number }) => number),
    forget: () => recent.forget(),
  }
}

it('what came since is read, and nothing twice', () => {
  const { add, numbers, asked } = make()
  for (const at of [1, 2, 3]) add(at)
  expect(numbers(10)).toEqual([1, 2, 3])
  add(11)
  add(12, 'somebody else')
  expect([numbers(12), numbers(13)]).toEqual([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ])
  // From the last number there was, also where that is somebody else's.
  expect(asked).toEqual([0, 3, 5])
})

it('the window has its edge', () => {
  const { add, numbers } = make()
  for (const at of [1, 500, 900]) add(at)
  numbers(900)
  expect([numbers(1_001), numbers(1_002), numbers(1_501)]).toEqual([[1, 2, 3], [2, 3], [3]])
})

it('what the disk has deleted is gone here too', () => {
  const { add, numbers, rows } = make()
  for (const at of [1, 2, 3]) add(at)
  numbers(3)
  rows.splice(0, 2)
  expect(numbers(4)).toEqual([3])
})

it('a clock that is set back, another window and a file that somebody else wrote are read anew', () => {
  const { add, numbers, asked, forget } = make()
  for (const at of [1, 500, 1_400]) add(at)
  expect([numbers(1_500), numbers(900), numbers(1_500, 100)]).toEqual([[2, 3], [1, 2, 3], [3]])
  expect(numbers(1_500, 100)).toEqual([3])
  forget()
  expect(numbers(1_500, 100)).toEqual([3])
  expect(asked).toEqual([0, 0, 0, 3, 0])
})

it('of a window with very many nothing is held', () => {
  const { add, numbers, asked } = make()
  for (let n = 0; n < 20_001; n++) add(1)
  expect([numbers(2).length, numbers(3).length]).toEqual([20_001, 20_001])
  expect(asked).toEqual([0, 0])
})
