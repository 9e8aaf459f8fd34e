/** What the watchdog decides, without a process to end. */
import { describe, expect, it } from 'vitest'
import { describeStall, isCertain, parseStall, type Stall } from '../../modules/lib/stall.ts'
import { stallLimit } from '../../modules/lib/watchdog.ts'
import { heard, judge, placeOf, type Heard, type Place, type Sample } from '../../modules/lib/watchdog-thread.ts'

const LIMIT = 2_000

describe('silence', () => {
  const listen = (gaps: readonly number[], debugged = false): number => {
    let state: Heard = { beat: 1, at: 0, silent_ms: 0 }
    for (const gap of gaps) state = heard(state, 1, state.at + gap, debugged)
    return state.silent_ms
  }

  it('is what passed between looks that came on time, and ends with a beat', () => {
    expect(listen(Array<number>(40).fill(50))).toBe(2_000)
    expect(heard({ beat: 1, at: 0, silent_ms: 1_900 }, 2, 50, false)).toEqual({ beat: 2, at: 50, silent_ms: 0 })
  })

  it('does not grow while the process is suspended or the machine sleeps', () => {
    expect(listen([50, 3_600_000, 50])).toBe(300)
    expect(listen(Array<number>(5).fill(5_000))).toBe(1_000)
  })

  it('is none under a debugger', () => {
    expect(listen(Array<number>(100).fill(50), true)).toBe(0)
  })
})

const at = (service: string, line = 1): Place => ({
  service,
  generation: 1,
  url: '',
  line,
  column: 1,
  frame: '',
  explained: {},
})

const verdict = (samples: readonly Sample[], silent_ms = LIMIT, busy = true): string => {
  const found = judge({ samples, silent_ms, stall_ms: LIMIT, busy })
  return found.kind === 'culprit' ? found.place.service : found.kind
}

describe('a verdict', () => {
  it('needs two answers that agree, and the whole limit', () => {
    expect(verdict([at('x'), at('x')], LIMIT - 1)).toBe('again')
    expect(verdict([at('x')])).toBe('again')
    expect(verdict([at('x'), at('y')])).toBe('again')
    expect(verdict([at('x'), at('x')])).toBe('x')
    expect(verdict([at('x'), 'nobody', at('kernel'), at('x')])).toBe('x')
  })

  it('names who was seen most often when two call each other without end', () => {
    expect(verdict([at('x'), at('y'), at('x'), at('y')])).toBe('again')
    expect(verdict([at('x'), at('y'), at('x'), at('y'), at('x')])).toBe('x')
  })

  it('is a guess for native code, which does not answer, and comes late for what only waits', () => {
    expect(verdict(['mute'])).toBe('again')
    expect(verdict(['mute', 'mute'])).toBe('guess')
    expect(verdict(['mute', 'mute'], LIMIT, false)).toBe('again')
    expect(verdict(['mute', 'mute'], 10 * LIMIT, false)).toBe('guess')
    expect(verdict([at('x'), 'mute'])).toBe('again')
  })

  it('bears the work of the kernel for long, and blames no service for it', () => {
    const work = Array<Sample>(9).fill(at('kernel'))
    expect(verdict(work)).toBe('again')
    expect(verdict(work, 10 * LIMIT)).toBe('guess')
    expect(verdict([...work, at('x'), ...work])).toBe('again')
    expect(verdict([...work, at('x'), ...work], 10 * LIMIT)).toBe('x')
  })
})

it('the place is the topmost frame of loaded code, also below packages and Node itself', () => {
  const frame = (scriptId: string, functionName: string) =>
    ({ functionName, location: { scriptId, lineNumber: 6, columnNumber: 4 } }) as never
  const urls = new Map([
    ['1', 'file:///r/modules/x.ts?s=services%2Fx&g=12&a=2'],
    ['2', 'file:///r/modules/y.ts?s=y&g=1'],
  ])
  expect(placeOf([frame('9', 'inPackage'), frame('1', 'hang'), frame('2', 'caller')], urls)).toMatchObject({
    service: 'services/x',
    generation: 12,
    line: 7,
    column: 5,
    frame: 'hang',
  })
  expect(placeOf([frame('9', 'inPackage')], urls)).toBe('nobody')
})

it.each([
  [{}, 2_000],
  [{ MM_STALL_MS: '5000' }, 5_000],
  [{ MM_STALL_MS: 'soon' }, 2_000],
  [{ MM_STALL_MS: '1' }, 2_000],
  [{ MM_WATCHDOG: '0', MM_STALL_MS: '5000' }, undefined],
])('the limit of %j is %s ms', (env, ms) => {
  expect(stallLimit(env)).toBe(ms)
})

const STALL: Stall = {
  time: 1,
  pid: 2,
  service: 'services/x',
  generation: 3,
  source_key: 'a',
  config_hash: 'b',
  file: 'modules/x.ts',
  line: 12,
  column: 3,
  frame: 'hang',
  guess: false,
  stalled_ms: 2_080,
}

it('a standstill is one line for people', () => {
  expect(describeStall(STALL)).toBe('services/x stalled the process for 2.1 s at modules/x.ts:12:3')
  const guess = { ...STALL, guess: true, file: null, line: null, column: null }
  expect(describeStall(guess)).toBe(
    "the process stood still for 2.1 s outside any service's code; the last one entered was services/x",
  )
  expect(describeStall({ ...guess, service: null })).toBe('the process stood still for 2.1 s')
  const kernel = { ...STALL, guess: true, service: 'kernel', file: 'modules/kernel/plan.ts' }
  expect(describeStall(kernel)).toBe('the process stood still for 2.1 s, in the kernel at modules/kernel/plan.ts:12:3')
})

it('only a whole record is believed, and only a certain one is held against a version', () => {
  expect(parseStall(JSON.stringify(STALL))).toEqual(STALL)
  for (const text of ['', '{', 'null', '[]', '{}', JSON.stringify({ ...STALL, line: '12' })]) {
    expect(parseStall(text)).toBeUndefined()
  }
  expect(isCertain(STALL)).toBe(true)
  expect(isCertain({ ...STALL, guess: true })).toBe(false)
  expect(isCertain({ ...STALL, source_key: null })).toBe(false)
})
