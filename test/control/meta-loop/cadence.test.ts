/** When a cycle may run, and when one is due: at the edges. */
import { describe, expect, it } from 'vitest'
import { isDue, mayRun, type Begun } from '../../../modules/control/meta-loop/cadence.ts'
import { delayedVerdict } from '../../../modules/control/meta-loop/evaluations.ts'
import { shadowTest } from '../../../modules/control/meta-loop/shadow-test.ts'

const LIMITS = {
  max_cycles_per_hour: 4,
  max_cycles_per_day: 20,
  max_emergency_per_hour: 2,
  min_interval_between_cycles_seconds: 180,
  normal_interval_hours: 4,
  away_interval_minutes: 30,
}
const NOW = 1_750_000_000_000
const MINUTE_MS = 60_000
const ago = (minutes: number, trigger = 'manual'): Begun => ({ at: NOW - minutes * MINUTE_MS, trigger })

describe('a cycle', () => {
  it('may run at the interval, not before it', () => {
    expect(mayRun('manual', NOW, [ago(3)], LIMITS)).toBeUndefined()
    expect(mayRun('manual', NOW, [{ at: NOW - 179_999, trigger: 'manual' }], LIMITS)).toBe('min interval not met')
  })

  it('is refused as the fifth of an hour; one that is an hour old counts no more', () => {
    expect(mayRun('manual', NOW, [ago(10), ago(20), ago(30), ago(59)], LIMITS)).toBe('hourly limit reached')
    expect(mayRun('manual', NOW, [ago(10), ago(20), ago(30), ago(60)], LIMITS)).toBeUndefined()
  })

  it('is refused as the 21st of a day, an emergency too', () => {
    const begun = Array.from({ length: 20 }, (_, index) => ago(61 + index * 60))
    expect(mayRun('manual', NOW, begun, LIMITS)).toBe('daily limit reached')
    expect(mayRun('emergency', NOW, begun, LIMITS)).toBe('daily limit reached')
    expect(mayRun('manual', NOW, begun.slice(1), LIMITS)).toBeUndefined()
  })

  it('of an emergency passes all but two an hour', () => {
    const busy = [ago(1), ago(5), ago(9), ago(13)]
    expect(mayRun('emergency', NOW, busy, LIMITS)).toBeUndefined()
    expect(mayRun('emergency', NOW, [...busy, ago(2, 'emergency')], LIMITS)).toBeUndefined()
    expect(mayRun('emergency', NOW, [ago(2, 'emergency'), ago(3, 'emergency')], LIMITS)).toBe('emergency limit reached')
  })

  it('is due at the interval of its mode', () => {
    for (const [mode, minutes] of [
      ['balanced', 240],
      ['aggressive', 30],
      ['conservative', 480],
    ] as const) {
      expect([mode, isDue(mode, NOW, NOW - minutes * MINUTE_MS, LIMITS)]).toEqual([mode, true])
      expect([mode, isDue(mode, NOW, NOW - minutes * MINUTE_MS + 1, LIMITS)]).toEqual([mode, false])
    }
    expect(isDue('frozen', NOW, 0, LIMITS)).toBe(false)
  })
})

describe('a delayed verdict', () => {
  it.each([
    [100, 94.9, 'CONFIRMED'],
    [100, 95, 'INCONCLUSIVE'],
    [100, 110, 'INCONCLUSIVE'],
    [100, 110.1, 'DEGRADED'],
    [null, 90, 'INCONCLUSIVE'],
    [100, null, 'INCONCLUSIVE'],
    [0, 90, 'INCONCLUSIVE'],
  ] as const)('%s to %s tokens a task is %s', (old, now, verdict) => {
    expect(delayedVerdict(old, now).verdict).toBe(verdict)
  })
})

describe('a shadow test', () => {
  it.each([
    [10, 15, 2, true],
    [10, 15.1, 2, false],
    [10, 15.1, 3, true],
    ['a', 'b', 0, true],
  ] as const)('%s to %s with %i of 5 tasks done passes: %s', (old, next, done, passed) => {
    const outcomes = Array.from({ length: 5 }, (_, index) => index < done)
    expect(shadowTest([{ old, new: next }], outcomes).passed).toBe(passed)
  })
})
