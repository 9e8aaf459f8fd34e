/** A source that breaks its limits again and again is off by its hash, over restarts, until an operator lets it go. */
import { afterEach, expect, it } from 'vitest'
import { createRoot } from '../../support/root.ts'
import { ScriptedEngine } from '../../support/scripted-engine.ts'
import { rejection } from '../../support/system.ts'
import { counter, startSandboxed, type Counter, type SandboxSystem } from './sandbox-system.ts'

const META = 'prog: kernel\nlimits: { restart_pause_ms: 10, sweep_ms: 50, restarts_max: 20 }\n'
const DIED = { code: 'sandbox_host_died', message: 'killed', hint: '' }
const CPU = { code: 'sandbox_cpu', message: 'it took too long', hint: '' }

let system: SandboxSystem
let engine: ScriptedEngine
afterEach(() => system.stop())

const files = {
  'configs/meta-v1.0.0.yml': META,
  'configs/jobs/x.yml': 'sandbox: true\n',
  'modules/jobs/x.ts': counter(),
}

const start = async (from: Parameters<typeof startSandboxed>[0] = files): Promise<void> => {
  engine = new ScriptedEngine()
  system = await startSandboxed(from, { engine })
}
const state = (): unknown => system.kernel.status().services['jobs/x']?.state

/** Ends the guest of the version that serves. */
async function breakIt(): Promise<void> {
  const before = (await system.show('jobs/x')).generation ?? 0
  const next = Promise.race([
    system.event('service.live', ({ generation }) => Number(generation) > before),
    system.event('service.quarantined'),
  ])
  engine.running.flatMap((place) => place.opened).forEach((guest) => guest.end(CPU))
  await next
}

it('it starts anew, and after the third time it is in quarantine; a restart changes nothing', async () => {
  await start()
  await breakIt()
  await breakIt()
  expect(state()).toBe('live')
  expect((await system.show('jobs/x')).sandbox).toMatchObject({ kills: { sandbox_cpu: 2 } })
  await breakIt()
  expect(state()).toBe('quarantined')
  const called = await rejection(system.getApi<Counter>('jobs/x').next())
  expect(called).toMatchObject({ code: 'sandbox_quarantined', hint: expect.stringContaining('mm release jobs/x') })
  expect(JSON.parse(system.root.read('runtime/quarantine.json'))).toMatchObject({
    [(await system.show('jobs/x')).disk_hash ?? '']: { api: 'jobs/x', kills: 3, code: 'sandbox_cpu' },
  })
  const kept = createRoot(
    Object.fromEntries(
      [...Object.keys(files), 'runtime/quarantine.json'].map((file) => [file, system.root.read(file)]),
    ),
  )
  await system.stop()
  await start(kept)
  expect(state()).toBe('quarantined')
  // Neither by name nor by another config: it is the source that is off.
  expect((await system.reload('jobs/x')).error?.code).toBe('sandbox_quarantined')
  system.root.write('configs/jobs/x.yml', 'sandbox: true\nsetting: other\n')
  expect((await system.reload('jobs/x')).error?.code).toBe('sandbox_quarantined')
  expect(state()).toBe('quarantined')
})

it('only an operator lets it go; or its source changes', async () => {
  await start({ ...files, 'configs/http.yml': 'prog: speaker\n', 'modules/speaker.ts': SPEAKER })
  type System = { release(api: string): Promise<{ ok: boolean }> }
  const operator = system.getApi<System>('http')
  expect((await rejection(operator.release('jobs/x'))).code).toBe('not_quarantined')
  for (let time = 0; time < 3; time++) await breakIt()
  expect((await rejection(system.getApi<System>('kernel').release('jobs/x'))).code).toBe('operator_method')
  expect(await operator.release('jobs/x')).toMatchObject({ ok: true })
  expect(await system.getApi<Counter>('jobs/x').next()).toBe(1)
  for (let time = 0; time < 3; time++) await breakIt()
  expect(state()).toBe('quarantined')
  system.root.write('modules/jobs/x.ts', counter(2))
  await system.live('jobs/x')
  expect(await system.getApi<Counter>('jobs/x').mark()).toBe(2)
})

it('the version before serves on, where there is one', async () => {
  await start()
  system.root.write('modules/jobs/x.ts', counter(2))
  expect(await system.reload('jobs/x')).toMatchObject({ ok: true })
  const back = system.event('service.rolled_back')
  engine.running.flatMap((place) => place.opened).forEach((guest) => guest.end(CPU))
  await back
  expect(await system.getApi<Counter>('jobs/x').mark()).toBe(1)
  expect(await system.show('jobs/x')).toMatchObject({ stale: true, state: 'live' })
})

it('whose process died of another starts anew, and is not taken back', async () => {
  // Two in one process: nobody can say of which it died.
  await start({ ...files, 'configs/jobs/y.yml': 'sandbox: true\n', 'modules/jobs/y.ts': counter(7) })
  system.root.write('modules/jobs/x.ts', counter(2))
  const { generation } = await system.reload('jobs/x')
  await system.happened('service.drained', ({ api }) => api === 'jobs/x')
  for (let time = 1; time <= 4; time++) {
    const next = Promise.all([system.live('jobs/x', Number(generation) + time), system.live('jobs/y', 1 + time)])
    engine.running
      .filter(({ guests }) => guests > 0)
      .forEach((place) => place.kill({ code: 'sandbox_host_died', message: 'killed', hint: '' }))
    await next
    expect(await system.getApi<Counter>('jobs/x').mark()).toBe(2)
  }
  expect((await system.show('jobs/x')).sandbox?.kills).toEqual({ sandbox_host_died: 4 })
})

it('who was alone in a process that died again and again is in quarantine too', async () => {
  await start()
  for (let time = 1; time <= 3; time++) {
    const next = Promise.race([system.live('jobs/x', 1 + time), system.event('service.quarantined')])
    engine.running.filter(({ guests }) => guests > 0).forEach((place) => place.kill(DIED))
    await next
  }
  expect(state()).toBe('quarantined')
})

/** Speaks for people, as the service http does. */
const SPEAKER = `
export class Module {
  constructor(kernel) { this.system = kernel.getApi('kernel') }
  release(api) { return this.system.release(api) }
}
`
