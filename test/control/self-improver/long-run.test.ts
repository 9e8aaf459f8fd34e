/**
 * Many calls on two versions: what costs more on one pair of processes is looked for on another before it is held against a
 * change, and what it answers otherwise on purpose is not looked at each time. Versions that cost what the test says.
 */
import { expect, it } from 'vitest'
import type { Working } from '../../../modules/control/self-improver/bench.ts'
import type { SubjectInput } from '../../../modules/control/self-improver/check.ts'
import { configSchema } from '../../../modules/control/self-improver/config.ts'
import { collectsOf, longRun, paceOf } from '../../../modules/control/self-improver/long-run.ts'
import type { LongRun } from '../../../modules/control/self-improver/probe.ts'
import type { DeclaredChange } from '../../../modules/contracts/proposals.ts'

/** Answers each number with itself, those above 4 with something else if it is `other`. */
function version(call_ms: number, { other = false, dies = false } = {}) {
  const seen = { cpu_ms: 0, told: 0 }
  const probe = {
    seen,
    trial: { usage: async () => ({ cpu_ms: seen.cpu_ms, heap_bytes: 1_000_000 }) },
    async long({ from, count, isTold = false }: LongRun) {
      seen.cpu_ms += count * call_ms
      if (isTold) seen.told += count
      const digests = Array.from({ length: count }, (_, at) => (other && (from + at) % 10 > 4 ? -1 : (from + at) % 10))
      return { digests, died: dies ? { code: 'sandbox_host_died', message: 'gone' } : undefined }
    },
    argsOf: async (numbers: readonly number[]) => numbers.map((number) => [number % 10]),
    told: async () => undefined,
    collect: async () => undefined,
  }
  return probe
}
type Version = ReturnType<typeof version>
const pairOf = (was: Version, is: Version, first: Working['first'] = 'was'): Working =>
  ({ was, is, first }) as unknown as Working

it('of a run of any length memory is measured in the second third and in the last', () => {
  for (let before = 6; before <= 60; before++) {
    const { from, every } = collectsOf(before)
    for (let length = Math.ceil(before * 0.8); length <= 2 * before; length++) {
      const third = Math.floor(length / 3)
      const measured = Array.from({ length }, (_, turn) => turn).filter((turn) => turn >= from && turn % every === 0)
      const isIn = (low: number, high: number): boolean => measured.some((turn) => turn >= low && turn < high)
      if (third >= 2)
        expect([before, length, isIn(third, 2 * third), isIn(length - third, length)]).toEqual([
          before,
          length,
          true,
          true,
        ])
    }
  }
})

const calls = Array.from({ length: 10 }, (_, at) => ({ aspect: 'default', method: 'ask', args: [at] }))
const ABOVE_4: DeclaredChange = { method: 'ask', when: [{ at: '0', is: 'above', value: 4 }], reason: 'wanted' }

/** `anew`: what a call of each costs on the other processes. */
function inputOf({ changes = [] as DeclaredChange[], anew = [1, 1] as [number, number], dies = false } = {}) {
  const pairs: Working[] = []
  const input = {
    config: configSchema.parse({ endurance_calls_max: 5_000 }),
    candidate: { changes },
    bench: {
      noise: new Map(),
      async anew<T>(work: (pair: Working) => Promise<T>): Promise<T> {
        const pair = pairOf(version(anew[0], { dies }), version(anew[1], { dies }), 'is')
        pairs.push(pair)
        return work(pair)
      },
    },
  } as unknown as SubjectInput
  return { input, pairs }
}

it.each<[string, [number, number], boolean, boolean]>([
  ['does so on others too: refused', [1, 2], false, true],
  ['does not on others: it was the process', [2, 2], false, false],
  ['cannot be measured on others: refused', [1, 1], true, true],
])('what costs more of the processor on two processes and %s', async (_what, anew, dies, isRefused) => {
  const { input, pairs } = inputOf({ anew, dies })
  const { found } = await longRun(input, pairOf(version(1), version(2)), calls, 400)
  expect([found?.message ?? 'fine', pairs.length]).toEqual([
    isRefused ? expect.stringMatching(/^ask: a call takes 2 ms of the processor/) : 'fine',
    1,
  ])
})

it('what costs the same takes no other processes', async () => {
  const { input, pairs } = inputOf()
  expect([(await longRun(input, pairOf(version(1), version(1)), calls, 400)).found, pairs.length]).toEqual([
    undefined,
    0,
  ])
})

it('where nobody can tell what calls cost, that is said which was found before', async () => {
  const { input } = inputOf()
  const before = { outcome: 'failed' as const, message: 'dear' }
  const gone = pairOf(version(1, { dies: true }), version(1))
  expect([await paceOf(input, gone, calls), await paceOf(input, gone, calls, before)]).toEqual([undefined, before])
})

it('what is answered otherwise on purpose is not gone through again and again', async () => {
  const [was, is] = [version(1), version(1, { other: true })]
  const { input } = inputOf({ changes: [ABOVE_4] })
  expect((await longRun(input, pairOf(was, is), calls, 400)).found).toBeUndefined()
  expect([was.seen.told, is.seen.told]).toEqual([0, 0])
})
