/** What a picture of the running system is made from: who calls whom, and the texts of services. */
import { afterEach, expect, it } from 'vitest'
import type { ServiceSource, Traffic } from '../../modules/contracts/kernel.ts'
import { startServed, type ServedSystem } from '../support/served.ts'

const CALLER = `export class Module {
  constructor(kernel) { this.callee = kernel.getApi('callee') }
  async ask() { return this.callee.answer() }
}
`
const CALLEE = 'export class Module { answer() { return 1 } }\n'
const SECRET = 'planted-under-a-secret-name-31'

const running: ServedSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function start(): Promise<ServedSystem> {
  const system = await startServed({
    'configs/caller.yml': 'prog: caller\n',
    'configs/callee.yml': `prog: callee\napi_key: ${SECRET}\n`,
    'modules/caller.ts': CALLER,
    'modules/callee.ts': CALLEE,
  })
  running.push(system)
  return system
}

it('says who called whom how often, over HTTP and from service to service', async () => {
  const system = await start()
  for (let n = 0; n < 3; n++) await system.fetch('/api/services/caller/call', { method: 'ask' })
  const { at, services, links } = await system.json<Traffic>('/api/traffic')
  expect(links).toContainEqual({ caller: 'http', callee: 'caller', calls: 3, in_flight: 0 })
  expect(links).toContainEqual({ caller: 'caller', callee: 'callee', calls: 3, in_flight: 0 })
  expect(services.find(({ api }) => api === 'callee')).toMatchObject({ calls: 3, errors: 0 })
  // Calls over HTTP are timed, each of them.
  expect(services.find(({ api }) => api === 'caller')?.latency_ms?.p50).toBeGreaterThan(0)
  expect(at).toBeGreaterThan(1_600_000_000_000)
})

it('counts of a service outlive its versions, those of a link begin again', async () => {
  const system = await start()
  await system.fetch('/api/services/caller/call', { method: 'ask' })
  system.root.write('modules/callee.ts', CALLEE.replace('1', '2'))
  await system.live('callee', 2)
  const linksNow = async (): Promise<Traffic['links']> =>
    (await system.json<Traffic>('/api/traffic')).links.filter(({ callee }) => callee === 'callee')
  // The version before counts until it has drained.
  await expect.poll(linksNow).toEqual([])
  const { services } = await system.json<Traffic>('/api/traffic')
  expect(services.find(({ api }) => api === 'callee')).toMatchObject({ calls: 1, latency_ms: null })
})

it('shows the texts of a service as they run and as they stand on disk, without what is secret', async () => {
  const system = await start()
  const broken = system.event('service.refused')
  system.root.write('modules/callee.ts', 'export class Module {')
  await broken
  const live = await system.json<ServiceSource>('/api/services/callee/source')
  const disk = await system.json<ServiceSource>('/api/services/callee/source?which=disk')
  expect(live.files['modules/callee.ts']).toBe(CALLEE)
  expect(disk.files['modules/callee.ts']).toBe('export class Module {')
  expect(live.files['configs/callee.yml']).toBe('prog: callee\napi_key: [redacted]\n')
  expect(JSON.stringify(disk)).not.toContain(SECRET)
  const unknown = await system.fetch('/api/services/nobody/source')
  expect(unknown.status).toBe(404)
  expect(((await unknown.json()) as { error: { code: string } }).error.code).toBe('service_not_found')
})
