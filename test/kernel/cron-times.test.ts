/** When a job of a cron pattern is due by a clock that jumps. */
import { expect, it } from 'vitest'
import { CronTimes } from '../../modules/kernel/cron-times.ts'
import { LIMITS } from '../../modules/kernel/limits.ts'

process.env['TZ'] = 'Europe/Berlin'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/** Looks at the clock each minute of real time, as the kernel does, and takes what is due. */
class Job {
  readonly runs: number[] = []
  private readonly times: CronTimes
  private wall: number

  constructor(pattern: string, start: string) {
    this.wall = new Date(start).getTime()
    this.times = new CronTimes(pattern, this.wall, LIMITS.cron_repeat_ms)
  }

  pass(ms: number): this {
    for (let left = ms; left > 0; ) {
      const due = this.times.due(this.wall)
      if (due === undefined) return this
      const step = Math.min(left, due, LIMITS.cron_look_ms)
      this.wall += step
      left -= step
      if (due === step) this.run()
    }
    return this
  }

  jump(ms: number): this {
    this.wall += ms
    if (this.times.due(this.wall) === 0) this.run()
    return this
  }

  private run(): void {
    if (this.times.due(this.wall) !== 0) return
    this.runs.push(this.wall)
    this.times.taken(this.wall)
  }

  get at(): string[] {
    return this.runs.map((time) => new Date(time).toString().slice(4, 24))
  }
}

it('a clock that goes on: each turn once, at its time', () => {
  const job = new Job('0 * * * *', '2026-06-01T10:30:00').pass(4 * HOUR)
  expect(job.at).toEqual([11, 12, 13, 14].map((hour) => `Jun 01 2026 ${hour}:00:00`))
})

it.each([
  ['an hour', HOUR],
  ['a day', DAY],
  ['a year', YEAR],
])('set forward by %s: what was missed runs once, and then at its times', (_name, ms) => {
  const job = new Job('0 * * * *', '2026-06-01T10:30:00').jump(ms)
  expect(job.runs).toHaveLength(1)
  job.pass(2 * HOUR)
  expect(job.runs).toHaveLength(3)
})

it('set forward with nothing missed: nothing runs', () => {
  expect(new Job('0 12 * * *', '2026-06-01T10:30:00').jump(HOUR).runs).toEqual([])
})

it('set back by an hour: what ran does not run again', () => {
  const job = new Job('0 12 * * *', '2026-06-01T11:30:00').pass(45 * MINUTE)
  expect(job.at).toEqual(['Jun 01 2026 12:00:00'])
  job.jump(-HOUR).pass(20 * HOUR)
  expect(job.runs).toHaveLength(1)
  job.pass(6 * HOUR)
  expect(job.at[1]).toBe('Jun 02 2026 12:00:00')
})

it('set back by an hour before its turn: it runs at its turn', () => {
  const job = new Job('0 12 * * *', '2026-06-01T11:30:00').jump(-HOUR).pass(2 * HOUR)
  expect(job.at).toEqual(['Jun 01 2026 12:00:00'])
})

it('a job that comes more often than the clock was set back goes on at once', () => {
  const job = new Job('* * * * *', '2026-06-01T11:30:30').pass(2 * MINUTE).jump(-HOUR)
  const before = job.runs.length
  job.pass(5 * MINUTE)
  expect(job.runs.length - before).toBe(5)
})

it('a clock that was wrong by a year and is mended: the job goes by the new time', () => {
  const job = new Job('0 12 * * *', '2026-06-01T11:30:00').jump(YEAR)
  expect(job.runs).toHaveLength(1)
  job.jump(-YEAR).pass(HOUR)
  expect(job.at[1]).toBe('Jun 01 2026 12:00:00')
})

it('summer time begins: an hourly job runs 23 times that day, one in the missing hour runs once', () => {
  expect(new Job('30 * * * *', '2026-03-29T00:00:00').pass(23 * HOUR).runs).toHaveLength(23)
  expect(new Job('30 2 * * *', '2026-03-29T00:00:00').pass(23 * HOUR).runs).toHaveLength(1)
})

it('summer time ends: an hourly job runs 25 times that day, one in the doubled hour runs once', () => {
  expect(new Job('30 * * * *', '2026-10-25T00:00:00').pass(25 * HOUR).runs).toHaveLength(25)
  expect(new Job('30 2 * * *', '2026-10-25T00:00:00').pass(25 * HOUR).runs).toHaveLength(1)
})

it('a pattern without a further turn ends', () => {
  const times = new CronTimes('2026-06-01T12:00:00', new Date('2026-06-01T13:00:00').getTime(), LIMITS.cron_repeat_ms)
  expect(times.due(new Date('2026-06-01T13:00:00').getTime())).toBeUndefined()
})

it('a pattern that is none throws', () => {
  expect(() => new CronTimes('often', 0, 0)).toThrow()
})
