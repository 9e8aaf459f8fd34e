/** The loop on what is really measured: calls that fail, tasks that are tried again, and a system in which nothing happens. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { MetaLoopApi } from '../../../modules/contracts/meta-loop.ts'
import type { ControlMetricsApi } from '../../../modules/contracts/meta-metrics.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import { moduleOf, startGate, WINDOW_MS, type Gate } from '../rollouts/gate.ts'
import { CADENCE, configOf, KNOBS, SEMI, SHOP } from './loop.ts'

const CALLS = 20
const FAILING = 12
const TASKS = 12

let gate: Gate
let meta: Handle<MetaLoopApi>
let metrics: Handle<ControlMetricsApi>
beforeEach(async () => {
  const rules = KNOBS.replace('test.slow', 'performance.avg_success_rate').replace(
    'comparator: gt, threshold: 1',
    'comparator: lt, threshold: 0.5',
  )
  gate = await startGate({
    'configs/policy.yml': SEMI,
    'configs/control/metrics.yml': 'prog: control/metrics\n',
    'configs/control/meta-loop.yml': configOf(CADENCE + rules),
    'configs/shop.yml': SHOP,
    'modules/shop.mjs': moduleOf(`sell(fails) { if (fails) throw new Error('sold out'); return 'sold' }`),
  })
  meta = gate.system.getApi<MetaLoopApi>('meta-loop')
  metrics = gate.system.getApi<ControlMetricsApi>('control/metrics')
})
afterEach(() => gate.stop())

async function work(): Promise<void> {
  const shop = gate.system.getApi<{ sell(fails: boolean): string }>('shop')
  for (let call = 0; call < CALLS; call++) await shop.sell(call < FAILING).catch(() => undefined)
  for (let task = 0; task < TASKS; task++)
    await metrics.record({
      bot_id: 'default',
      type: 'task_complete',
      session_id: null,
      data: { task_id: `t${task}`, tokens_consumed: 1_000, retries: 1, duration_seconds: 2 },
    })
}

it('an idle system has no scores, is looked at three times at most, and is left alone', async () => {
  const cycle = await meta.trigger()
  expect(cycle).toMatchObject({ status: 'completed', requeries: 2, proposals: [], critic: { action: 'NO_ACTION' } })
  expect(cycle.scores).toMatchObject({ aggregate: null, below_threshold: [] })
  expect(cycle.gaps.every(({ gap }) => gap === null || gap === 0)).toBe(true)
})

it('calls that fail and tasks that are tried again lead to a change that is measured and applied, and to others that wait', async () => {
  await work()
  const cycle = await meta.trigger()
  expect(cycle).toMatchObject({ status: 'completed', identity: 'approved', applied: [], pending: ['c2', 'c3'] })
  expect(cycle.operation).toMatchObject({ task_count: TASKS, task_count_first_try: 0, retry_count: TASKS })
  expect(cycle.scores?.below_threshold).toEqual(['G3_reliable'])
  expect(cycle.findings).toContainEqual(
    expect.objectContaining({ rule: 'slow_shop', context: expect.objectContaining({ thresholds: [0.5] }) }),
  )
  const { values } = await metrics.show(String(cycle.snapshot))
  expect(values['performance.avg_success_rate']).toEqual({ value: (CALLS - FAILING) / CALLS, samples: CALLS })
  // Its values before are measured first.
  gate.clock.skip(WINDOW_MS + 1)
  await gate.until('c1', 'watching')
  expect(gate.root.read('configs/shop.yml')).toBe(SHOP.replace('10', '12'))
  expect((await meta.status()).line).toContain('below threshold: G3_reliable')
})
