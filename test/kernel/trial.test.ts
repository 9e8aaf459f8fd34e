/** A version tried beside the one that serves: with other texts, in a sandbox, with its state, its work and its end. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Trial, TrialRequest } from '../../modules/contracts/trial.ts'
import { realSandboxes, type RealSandboxes } from '../support/sandboxes.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const CALC = `import { times } from './times.ts'
export class Module {
  constructor(kernel, config) { this.kernel = kernel; this.factor = config.factor; this.sum = 0 }
  add(a) { this.sum += times(a, this.factor); return this.sum }
  ask(key) { return this.kernel.getApi('store').get(key) }
  where() { return typeof process }
  handOver() { return { sum: this.sum } }
  takeOver(state) { this.sum = state.sum }
}
`
const TRIER = `export class Module {
  constructor(kernel) { this.kernel = kernel }
  async try(request) { return this.kernel.tryVersion({ ...request, answer: (call) => ({ asked: call.method, args: call.args }) }) }
}
`
let sandboxes: RealSandboxes
let system: TestSystem

beforeAll(async () => {
  system = await startSystem(
    {
      'configs/calc.yml': 'factor: 3\n',
      'modules/calc.ts': CALC,
      'modules/times.ts': 'export const times = (a, b) => a * b\n',
      'configs/trier.yml': '',
      'modules/trier.ts': TRIER,
    },
    {
      sandboxes: ({ root, fault }) => {
        sandboxes = realSandboxes(fault, { root })
        return sandboxes
      },
    },
  )
})

afterAll(async () => {
  await system.stop()
  await sandboxes.close()
})

type Asked = Omit<TrialRequest, 'answer' | 'api' | 'version'> & { version?: string }
const tried = (request: Asked): Promise<Trial> =>
  system.getApi<{ try(request: object): Trial }>('trier').try({ api: 'calc', version: 'live', ...request })

it('other texts stand over the version named, and nothing is written', async () => {
  const trial = await tried({ texts: { 'modules/times.ts': 'export const times = (a, b) => a * b + 1\n' } })
  expect(await trial.call('default', 'add', [2])).toBe(7)
  await trial.end()
  expect(system.root.read('modules/times.ts')).toContain('a * b\n')
  expect(await system.getApi<{ add(a: number): number }>('calc').add(2)).toBe(6)
})

it('a sandbox is asked for: the code is in an isolate, its calls are answered, what it used is counted', async () => {
  const trial = await tried({ sandbox: true })
  expect(await trial.call('default', 'where', [])).toBe('undefined')
  expect(await trial.call('default', 'ask', ['k'])).toEqual({ asked: 'get', args: ['k'] })
  expect((await trial.usage())?.heap_bytes).toBeGreaterThan(100_000)
  expect(trial.contract.methods.map(({ name }) => name)).toEqual(['add', 'ask', 'where'])
  expect(trial.contract.lifecycle.sort()).toContain('handOver')
  expect(await trial.end()).toMatchObject({ tasks_ended: true, error: null })
  const free = await tried({})
  expect([await free.call('default', 'where', []), await free.usage()]).toEqual(['object', null])
  await free.end()
})

it('state goes from one trial to another, as copies', async () => {
  const one = await tried({ sandbox: true })
  await one.call('default', 'add', [2])
  const state = await one.handOver()
  const other = await tried({ sandbox: true })
  await other.takeOver(state, '1')
  expect([await other.call('default', 'add', [1]), await one.call('default', 'add', [0])]).toEqual([9, 6])
  await Promise.all([one.end(), other.end()])
})

it('what breaks its limits ends alone, and is not held against the service', async () => {
  const text = CALC.replace('sum = 0 }', 'sum = 0 } \n loop() { for (;;) {} }')
  const before = await system.show('calc')
  for (let time = 0; time < 4; time++) {
    const trial = await tried({ sandbox: true, texts: { 'modules/calc.ts': text }, limits: { cpu_ms: 100 } })
    expect((await rejection(trial.call('default', 'loop', []))).code).toBe('sandbox_cpu')
    await trial.end()
  }
  expect(await system.show('calc')).toMatchObject({ state: 'live', errors: before.errors })
})

it('background work runs where it is asked for, and its errors are told', async () => {
  const text = `export class Module {
    beats = 0
    constructor(kernel) { kernel.every(5, () => { if (++this.beats === 3) throw new Error('third beat') }) }
    async run(signal) { await new Promise((resolve) => signal.addEventListener('abort', resolve)) }
    count() { return this.beats }
  }`
  const texts = { 'modules/calc.ts': text }
  const still = await tried({ sandbox: true, texts })
  const running = await tried({ sandbox: true, texts, tasks: true })
  await expect.poll(() => running.faults.map(({ message }) => message)).toContain('third beat')
  expect(await still.call('default', 'count', [])).toBe(0)
  expect(await running.end()).toMatchObject({ tasks_ended: true, error: null })
  await still.end()
})

it('an edit that leaves the root is refused', async () => {
  expect((await rejection(tried({ texts: { '../x.ts': '' } }))).code).toBe('path_outside')
})
