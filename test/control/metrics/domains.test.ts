/** Services as they are seen together: by the domain their configs name, with what each did, and how far that has moved. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DomainView } from '../../../modules/contracts/meta-metrics.ts'
import { startMeasured, type Measured } from './measured.ts'

let m: Measured
beforeEach(async () => {
  m = await startMeasured({
    'configs/helper.yml': 'prog: agents/helper\ndomain: people\n',
    'configs/caller.yml': 'prog: caller\ndomain: work\n',
  })
})
afterEach(() => m.stop())

async function domain(name: string): Promise<DomainView> {
  const { domains } = await m.take()
  const found = domains.find((one) => one.domain === name)
  if (found === undefined) throw new Error(`no ${name} in ${domains.map((one) => one.domain).join(', ')}`)
  return found
}

async function calls(api: string, good: number, bad = 0): Promise<void> {
  for (let n = 0; n < good; n++) await m.call(api, 'add', n, good)
  for (let n = 0; n < bad; n++) await m.call(api, 'fail')
}

it('GRACE 9: each domain has its services, who they call, their success, recovery and autonomy, as they were measured', async () => {
  await calls('helper', 3, 1)
  await m.call('caller', 'ask', 'add')
  await m.call('tools', 'invoke', 'calc_sum', {})
  await m.emit('approval.requested', { target: 'helper' })
  const { domains } = await m.take()
  expect(domains.map((one) => one.domain)).toEqual(['other', 'people', 'work'])
  const [, people, work] = domains
  expect(people).toMatchObject({
    health: 'healthy',
    success_rate: { value: 0.75, samples: 4 },
    recovery_s_p95: { value: null, samples: 0 },
    autonomy_rate: { value: 0, samples: 1 },
    alert_count: 1,
    services: [{ api: 'helper', state: 'live', calls: 4, errors: 1, calls_to: [] }],
  })
  expect(people?.services[0]?.p95_s).toBeGreaterThanOrEqual(0)
  expect(work).toMatchObject({ success_rate: { value: 1 }, autonomy_rate: { value: 1, samples: 1 }, alert_count: 0 })
  expect(work?.services.map(({ api, calls_to }) => [api, calls_to])).toEqual([
    ['calc', []],
    ['caller', ['calc']],
  ])
  await calls('helper', 1)
  expect(await domain('people')).toMatchObject({ success_rate: { value: 0.8, samples: 5 } })
  expect((await domain('people')).recovery_s_p95.samples).toBe(1)
})

it('a domain is what the config says now', async () => {
  m.system.root.write('configs/helper.yml', 'prog: agents/helper\ndomain: elsewhere\n')
  await expect
    .poll(async () => (await m.take()).domains.map((one) => one.domain))
    .toEqual(['elsewhere', 'other', 'work'])
})

it('a domain with a service that is not live is degraded; with none that is, failed', async () => {
  const refused = m.system.event('service.refused', ({ api }) => api === 'ill')
  m.system.root.write('modules/ill.mjs', 'export class Module { constructor() { throw new Error("no") } }')
  m.system.root.write('configs/ill.yml', 'domain: people\n')
  m.system.root.write('configs/ill2.yml', 'prog: ill\ndomain: alone\n')
  await refused
  expect(await domain('people')).toMatchObject({ health: 'degraded', alert_count: 1 })
  await expect.poll(async () => (await domain('alone')).health).toBe('failed')
})

it('GRACE 12: drift is told against the stored baseline, as a share of it, and by enough observations only', async () => {
  await calls('helper', 8, 1)
  expect((await domain('people')).drift).toEqual({})
  await calls('helper', 0, 1)
  await calls('calc', 10)
  const base = await m.take()
  expect(base.domains[1]?.drift).toEqual({})
  m.past()
  await calls('helper', 4, 6)
  await calls('calc', 4, 1)
  const { domains } = await m.take()
  expect(domains[1]?.drift['success_rate']).toBeCloseTo(-0.5, 6)
  expect(domains[2]?.drift).toEqual({})
  expect(domains.filter(({ drift }) => Object.values(drift).some((one) => Math.abs(one) > 0.2))).toHaveLength(1)
})

it('a baseline that is set holds, over a restart of the service too', async () => {
  await calls('helper', 5, 5)
  const { id } = await m.take()
  m.past()
  await calls('helper', 10)
  expect((await domain('people')).drift['success_rate']).toBeCloseTo(1, 6)
  await m.metrics.setBaseline((await m.take()).id)
  expect((await domain('people')).drift['success_rate']).toBe(0)
  await m.metrics.setBaseline(id)
  await m.system.reload('control/metrics')
  await m.system.live('control/metrics', 2)
  expect((await domain('people')).drift['success_rate']).toBeCloseTo(1, 6)
})

it('GRACE 13: a domain below 0.85 and one above 0.95 are told apart by their measured rates', async () => {
  await calls('helper', 8, 2)
  await calls('calc', 10)
  const { domains } = await m.take()
  const rates = Object.fromEntries(domains.map((one) => [one.domain, one.success_rate.value]))
  expect(rates).toMatchObject({ people: 0.8, work: 1 })
})

it('what every service is in a domain of, its status says', async () => {
  expect((await m.system.show('helper')).domain).toBe('people')
  expect((await m.system.show('database')).domain).toBeNull()
})
