/** Who observes calls: told by the version that serves, once, and never at the cost of the call. */
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

const CALC =
  'export class Module { async add(a, b) { return a + b } async *count(to) { for (let n = 1; n <= to; n++) yield n } }'
const WATCHER = `export class Module {
  told = []
  constructor(kernel, config) { this.kernel = kernel; this.config = config }
  init() {
    this.kernel.observe({
      ended: (call) => { if (this.config.throws) throw new Error('the observer broke'); if (call.callee === 'calc') this.told.push(call) },
      wants: ({ callee }) => { if (this.config.wants === 'throws') throw new Error('wants broke'); return this.config.wants === callee },
    })
  }
  selfTest() { if (this.config.bad) throw new Error('not fit to serve') }
  seen() { return this.told.map(({ kind, method, args, result, outcome, trace, version }) => ({ kind, method, args, result, outcome, trace, generation: version?.generation })) }
}`

type Calc = { add(a: number, b: number): Promise<number>; count(to: number): AsyncGenerator<number> }

const running: TestSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function start(config: string): Promise<TestSystem> {
  const system = await startSystem({
    'configs/calc.yml': '',
    'modules/calc.ts': CALC,
    'configs/watcher.yml': config,
    'modules/watcher.ts': WATCHER,
  })
  running.push(system)
  return system
}

const seen = async (system: TestSystem): Promise<{ kind: string; method: string; args: unknown[] }[]> =>
  (await system.getApi('watcher')['seen']?.()) as { kind: string; method: string; args: unknown[] }[]

it('calls with options are told with what they gave, streams with their last item; others are not, but for samples', async () => {
  const system = await start('')
  const calc = system.getApi<Calc>('calc')
  expect(await calc.with({ trace: 't1' }).add(1, 2)).toBe(3)
  for await (const _ of calc.with({ trace: 't2' }).count(3)) continue
  const [first, second] = await seen(system)
  expect(first).toEqual({
    kind: 'call',
    method: 'add',
    args: [1, 2],
    result: 3,
    outcome: 'ok',
    trace: 't1',
    generation: 1,
  })
  expect(second).toMatchObject({ kind: 'stream', method: 'count', args: [3], result: 3, trace: 't2', generation: 1 })
  // The next call after a tick is a sample.
  await calc.add(1, 1)
  await expect
    .poll(async () => (await calc.add(7, 7)) && (await seen(system)).some(({ args }) => args[0] === 7))
    .toBe(true)
})

it('an observer that wants all calls of a service is told each, in its order', async () => {
  const system = await start('wants: calc')
  const calc = system.getApi<Calc>('calc')
  for (let n = 0; n < 50; n++) await calc.add(n, 0)
  expect((await seen(system)).map(({ args }) => args[0])).toEqual(Array.from({ length: 50 }, (_, n) => n))
})

it('an observer that throws costs no call: it is a fault of its own service', async () => {
  const system = await start('throws: true')
  const calc = system.getApi<Calc>('calc').with({ trace: 't' })
  expect(await calc.add(1, 2)).toBe(3)
  expect((await system.show('watcher')).last_error?.message).toBe('the observer broke')
  expect((await system.show('calc')).errors).toBe(0)
})

it('a version that did not go live hears nothing, and the one that serves goes on hearing', async () => {
  const system = await start('')
  system.root.write('configs/watcher.yml', 'bad: true\n')
  await system.event('service.refused', ({ api }) => api === 'watcher')
  await system.getApi<Calc>('calc').with({ trace: 't' }).add(4, 5)
  expect(await seen(system)).toHaveLength(1)
})
