/** Recorded calls: which are kept, what is taken out of them, and that none is lost. */
import { afterEach, expect, it } from 'vitest'
import type { Recorded, RecordingsApi, Replay } from '../../modules/contracts/recordings.ts'
import { startServed, type ServedSystem } from '../support/served.ts'
import { rejection } from '../support/system.ts'

const RECORDINGS = 'prog: services/recordings\nwrite_ms: 20\n'
const CALC = `export class Module {
  seen = 0
  constructor(kernel) { this.store = kernel.getApi('store') }
  add(a, b) { return a + b }
  price(item) { if (item.name === 'none') throw Object.assign(new Error('no such item'), { code: 'item_missing' }); return { total: item.count * 3 } }
  async stored(key) { return { key, value: await this.store.get(key) } }
  count() { return ++this.seen }
  hold() { return new Map() }
}
`
const FILES = {
  'configs/recordings.yml': RECORDINGS,
  'configs/calc.yml': 'record: {calls: all, keep: 50}\n',
  'modules/calc.ts': CALC,
  'configs/store.yml': '',
  'modules/store.ts':
    'export class Module { made = 0; get(key) { this.made++; return `value of ${key}` } asked() { return this.made } }',
}

const running: ServedSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function start(files: Record<string, string> = {}): Promise<ServedSystem> {
  const system = await startServed({ ...FILES, ...files })
  running.push(system)
  return system
}

type Calc = {
  add(a: number, b: number): number
  price(item: object): { total: number }
  stored(key: string): Promise<object>
  count(): number
  hold(): object
}

const failing = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined)

it('calls are kept by method, outcome and size, each kind up to its limit; what is no plain data is not', async () => {
  const system = await start()
  const calc = system.getApi<Calc>('calc')
  for (let n = 0; n < 80; n++) await calc.add(n, 1)
  for (let n = 0; n < 3; n++) await failing(calc.price({ name: 'none' }))
  await calc.price({ name: 'x'.repeat(5_000), count: 2 })
  await calc.price({ name: 'x', count: 2 })
  await calc.hold()
  const { kinds, calls, total } = await system.json<Recorded>('/api/services/calc/recordings')
  const rows = kinds.map(({ method, outcome, size, seen, kept }) => [method, outcome, size, seen, kept])
  expect(rows.sort()).toEqual([
    ['add', 'ok', '1k', 80, 50],
    ['price', 'item_missing', '1k', 3, 3],
    ['price', 'ok', '16k', 1, 1],
    ['price', 'ok', '1k', 1, 1],
  ])
  expect([calls, total]).toEqual(['all', 55])
})

it('`record: false` keeps nothing of a service, and a wrong value is an error with its place', async () => {
  const system = await start({ 'configs/calc.yml': 'record: false\n' })
  const calc = system.getApi<Calc>('calc')
  for (let n = 0; n < 20; n++) await calc.add(n, 1)
  await system.json('/api/services/calc/call', { method: 'add', args: [1, 2] })
  expect(await system.json<Recorded>('/api/services/calc/recordings')).toMatchObject({ calls: 'none', total: 0 })
  system.root.write('configs/calc.yml', 'record: {calls: some}\n')
  await expect.poll(() => system.kernel.status().config_errors[0]?.message).toContain('`calls` must be sampled or all')
})

it('without anything said, calls that come from outside are kept', async () => {
  const system = await start({ 'configs/calc.yml': '' })
  for (let n = 0; n < 5; n++) await system.json('/api/services/calc/call', { method: 'add', args: [n, 2] })
  expect(await system.json<Recorded>('/api/services/calc/recordings')).toMatchObject({ calls: 'sampled', total: 5 })
})

it('a reload under load loses no call, and what was kept is there after a restart of the service', async () => {
  const system = await start({ 'configs/calc.yml': 'record: {calls: all, keep: 5000}\n' })
  const calc = system.getApi<Calc>('calc')
  let calls = 0
  for (let generation = 2; generation <= 4; generation++) {
    const reload = system.reload('recordings')
    for (let n = 0; n < 60; n++) {
      calls++
      await calc.add(calls, 1)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await reload
  }
  const recordings = system.getApi<RecordingsApi>('recordings')
  expect(await recordings.list('calc')).toMatchObject({ total: calls })
  system.root.remove('configs/recordings.yml')
  await system.event('service.stopped', ({ api }) => api === 'recordings')
  system.root.write('configs/recordings.yml', RECORDINGS)
  await system.event('service.live', ({ api }) => api === 'recordings')
  expect(await recordings.list('calc')).toMatchObject({ total: calls })
  expect(await recordings.forget('calc')).toEqual({ forgotten: calls })
})

it('a replay names what differs, touches neither the version that serves nor what it calls', async () => {
  const system = await start()
  const calc = system.getApi<Calc>('calc')
  for (let n = 0; n < 10; n++) {
    await calc.add(n, 1)
    await calc.price({ name: 'x', count: n })
    await calc.stored(`key ${n}`)
    await failing(calc.price({ name: 'none' }))
  }
  await calc.count()
  const before = await system.show('calc')
  const same = await system.json<Replay>('/api/services/calc/replay', {})
  expect(same).toMatchObject({ verdict: 'equal', calls: 41, equal: 41, differences: [] })
  system.root.write(
    'modules/next.ts',
    CALC.replace('item.count * 3', 'item.count * 4')
      .replace("'item_missing'", "'no_item'")
      .replace('this.store.get(key)', 'this.store.get(key + "!")'),
  )
  const next = await system.json<Replay>('/api/services/calc/replay', { against: 'modules/next.ts' })
  expect(next.verdict).toBe('different')
  expect(next.differences.map(({ kind, method, count }) => [kind, method, count]).sort()).toEqual([
    ['error', 'price', 10],
    ['result', 'price', 9],
    ['unanswered', 'stored', 10],
  ])
  const example = next.differences.find(({ kind }) => kind === 'result')?.example
  expect(example).toMatchObject({ recorded: '{"total":3}', live: '{"total":3}', candidate: '{"total":4}' })
  const unanswered = next.differences.find(({ kind }) => kind === 'unanswered')?.example
  expect(unanswered?.candidate).toBe('replay_unanswered: store.get was not recorded')
  const after = await system.show('calc')
  expect([after.generation, after.calls, after.errors]).toEqual([before.generation, before.calls, before.errors])
  expect(await system.getApi('store')['asked']?.()).toBe(10)
  // The version that was tried had a state of its own.
  expect(await calc.count()).toBe(2)
})

it('what the version that serves does not answer alike either is told as such, and is nobody’s fault', async () => {
  const system = await start({
    'modules/calc.ts':
      'export class Module { dice() { return Math.random() } count() { return (this.n = (this.n ?? 0) + 1) } }',
  })
  const calc = system.getApi('calc')
  for (let n = 0; n < 4; n++) await calc['dice']?.()
  const report = await system.getApi<RecordingsApi>('recordings').replay('calc')
  expect(report).toMatchObject({ verdict: 'equal', calls: 4, equal: 0 })
  expect(report.differences.map(({ kind, count }) => [kind, count])).toEqual([['unstable', 4]])
})

it('a version that was taken back is found by its hash; one that is not kept, or cannot be tried, says so', async () => {
  const system = await start()
  const calc = system.getApi<Calc>('calc')
  for (let n = 0; n < 5; n++) await calc.price({ name: 'x', count: n })
  const { source_hash } = await system.show('calc')
  system.root.write('modules/calc.ts', CALC.replace('* 3', '* 5'))
  await system.event('service.live', ({ api }) => api === 'calc')
  const recordings = system.getApi<RecordingsApi>('recordings')
  // Recorded on the version before: it gives those answers, the present one does not.
  expect(await recordings.replay('calc', { against: String(source_hash).slice(0, 8) })).toMatchObject({
    verdict: 'equal',
    equal: 5,
    candidate: { source_hash },
  })
  expect((await recordings.replay('calc')).differences[0]?.kind).toBe('unstable')
  expect((await rejection(recordings.replay('calc', { against: 'deadbeef' }))).code).toBe('version_not_kept')
  expect((await rejection(recordings.replay('recordings'))).code).toBe('trial_refused')
  expect((await rejection(recordings.replay('nobody'))).code).toBe('service_not_found')
  expect(await recordings.replay('store')).toMatchObject({ verdict: 'nothing_recorded', calls: 0 })
})

it.each([
  ['{calls: all}', [], 0],
  ['{calls: all, talk: true}', ['complete'], 1],
])('talk with models is kept where %s says so', async (record, methods, answers) => {
  const system = await start({
    'configs/chatty.yml': `record: ${record}\n`,
    'modules/chatty.ts': `export class Module {
  constructor(kernel) { this.model = kernel.getApi('model') }
  async complete(text) { return this.model.complete(text) }
}
`,
    'configs/model.yml': '',
    'modules/model.ts': 'export class Module { complete(text) { return `you said ${text}` } }',
  })
  await system.getApi<{ complete(text: string): Promise<string> }>('chatty').complete('hello')
  const kept = await system.json<Recorded>('/api/services/chatty/recordings')
  expect(kept.kinds.map(({ method }) => method)).toEqual(methods)
  expect(kept.answers).toBe(answers)
})
