/** A snapshot says null for what is not known, whatever is missing: a healthy default would be believed. */
import { afterEach, expect, it } from 'vitest'
import type { KernelApi } from '../../../modules/contracts/module.ts'
import { CATALOGUE } from '../../../modules/control/metrics/catalogue.ts'
import { collectAll } from '../../../modules/control/metrics/collect.ts'
import { configSchema } from '../../../modules/control/metrics/config.ts'
import type { Collector, Scene } from '../../../modules/control/metrics/look.ts'
import { operationOf } from '../../../modules/control/metrics/operation.ts'
import { Seen } from '../../../modules/control/metrics/seen/index.ts'
import { startMeasured, type Measured } from './measured.ts'

const NOW = 1_800_000_000_000

/** No service answers, nothing was seen, and time passes only where a test says so. */
function emptyScene(sleep: () => Promise<void> = () => new Promise(() => {})): Scene {
  const config = configSchema.parse({})
  const gone = new Proxy({}, { get: () => () => Promise.reject(new Error('it is gone')) })
  const kernel = {
    getApi: () => ({ with: () => gone }),
    paths: { runtime: '/nowhere' },
    sleep,
  } as unknown as KernelApi
  const seen = new Seen(config)
  seen.process.end()
  return { kernel, config, seen, now: NOW, services: [], domains: [], operation: () => operationOf([], 0) }
}

let measured: Measured | undefined
afterEach(async () => {
  await measured?.stop()
  measured = undefined
})

it('SynthOrg 1: where nothing is there, every metric that may be unknown is null, counts are 0, and the reasons are told', async () => {
  const { values, errors } = await collectAll(emptyScene())
  const ratios = CATALOGUE.filter(({ path }) => path !== 'stability.heap_used_ratio')
  const wrong = ratios.filter(({ path, nullable }) => values[path]?.value !== (nullable ? null : 0))
  expect(wrong.map(({ path }) => [path, values[path]?.value])).toEqual([])
  expect(Object.keys(values)).toEqual(CATALOGUE.map(({ path }) => path))
  expect(errors['evolution']).toContain('rollouts: it is gone')
  expect(errors['stability']).toContain('ledger: it is gone')
  expect(errors['memory']).toContain('/nowhere')
})

const good: Collector = {
  domain: 'errors',
  collect: () => ({ total_findings: { value: 7, samples: 1 }, kinds: { value: Number.NaN, samples: 1 } }),
}

it('one collector that throws leaves the others, and its reason stands beside its nulls', async () => {
  const bad: Collector = {
    domain: 'budget',
    collect: () => {
      throw new Error('no prices')
    },
  }
  const { values, errors } = await collectAll(emptyScene(), [bad, good])
  expect(errors).toEqual({ budget: 'no prices' })
  expect(values['budget.total_spend']).toEqual({ value: null, samples: 0 })
  expect(values['errors.total_findings']).toEqual({ value: 7, samples: 1 })
})

it('what is no number is null', async () => {
  const { values } = await collectAll(emptyScene(), [good])
  expect(values['errors.kinds']).toEqual({ value: null, samples: 1 })
})

it('a collector that takes too long is not waited for, and the others stand', async () => {
  const slow: Collector = { domain: 'memory', collect: () => new Promise(() => {}) }
  const { values, errors } = await collectAll(
    emptyScene(() => new Promise((resolve) => setImmediate(resolve))),
    [slow, { ...good, collect: async () => ({ total_findings: { value: 7, samples: 1 } }) }],
  )
  expect(errors['memory']).toContain('longer than 2000 ms')
  expect(values['memory.store_bytes']?.value).toBeNull()
  expect(values['errors.total_findings']?.value).toBe(7)
})

it('Aetherra 1: a service whose organ is stopped is unknown from then on, with the reason, and the rest is measured', async () => {
  const m = (measured = await startMeasured())
  const now = m.clock.now()
  await m.says('rollouts', { list: { proposals: [{ state: 'confirmed', created_at: now }] } })
  await m.says('ledger', { status: { checked: null }, read: [{ origin: 'human' }] })
  await m.call('calc', 'add', 1, 2)
  const before = await m.take()
  expect(before.values['evolution.kept_rate']).toEqual({ value: 1, samples: 1 })
  expect(before.values['stability.compliance']?.value).toBe(100)
  const stopped = m.system.event('service.stopped', ({ api }) => api === 'rollouts')
  for (const api of ['rollouts', 'ledger', 'chromadb', 'events']) m.system.root.remove(`configs/${api}.yml`)
  await stopped
  await expect.poll(async () => Object.keys(m.system.kernel.status().services)).not.toContain('ledger')
  const { values, errors } = await m.take()
  for (const path of [
    'evolution.kept_rate',
    'stability.compliance',
    'memory.vector_records',
    'telemetry.refused_events',
  ])
    expect([path, values[path]?.value]).toEqual([path, null])
  expect(errors['evolution']).toContain('rollouts')
  expect(values['performance.avg_success_rate']?.value).toBe(1)
  expect(values['stability.service_count']?.value).toBeGreaterThan(5)
})

it('a service that hangs costs its own values only', async () => {
  const m = (measured = await startMeasured({
    'modules/control/hangs.mjs': 'export class Module { list() { return new Promise(() => {}) } }',
    'configs/rollouts.yml': 'prog: control/hangs\n',
  }))
  await m.call('calc', 'add', 1, 2)
  const { values, errors } = await m.take()
  expect(errors['evolution']).toMatch(/^rollouts: .*300 ms/)
  expect(values['evolution.total_proposals']?.value).toBeNull()
  expect(values['performance.avg_success_rate']?.value).toBe(1)
})
