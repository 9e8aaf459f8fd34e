/** What other services know of one that runs in a sandbox: its processes as metrics, its recorded calls on a candidate. */
import { expect, it } from 'vitest'
import type { MetricsApi } from '../../modules/contracts/metrics.ts'
import type { RecordingsApi } from '../../modules/contracts/recordings.ts'
import { startSandboxed } from '../sandbox/host/sandbox-system.ts'

const CALC = `export class Module {
  constructor() { this.asked = 0 }
  price(item) { this.asked++; if (item.name === 'none') throw Object.assign(new Error('no such item'), { code: 'item_missing' }); return { total: item.count * 3 } }
  times() { return this.asked }
}
`

it('a sandboxed service is counted by its process, and its calls are replayed on a candidate beside it', async () => {
  const system = await startSandboxed({
    'configs/metrics.yml': 'prog: services/metrics\n',
    'configs/recordings.yml': 'prog: services/recordings\n',
    'configs/calc.yml': 'sandbox: true\nrecord: {calls: all, keep: 50}\n',
    'modules/calc.ts': CALC,
  })
  try {
    const calc = system.getApi<{ price(item: object): { total: number }; times(): number }>('calc')
    for (let count = 0; count < 9; count++) await calc.price({ name: 'x', count })
    await calc.price({ name: 'none' }).catch(() => undefined)
    const metrics = await system.getApi<MetricsApi>('metrics').text()
    expect(metrics).toContain('\nmm_sandboxes 1\n')
    expect(metrics).toContain('\nmm_sandbox_processes 1\n')
    const recordings = system.getApi<RecordingsApi>('recordings')
    expect(await recordings.replay('calc')).toMatchObject({ verdict: 'equal', calls: 10, equal: 10 })
    system.root.write('modules/next.ts', CALC.replace('item.count * 3', 'item.count * 4'))
    const next = await recordings.replay('calc', { against: 'modules/next.ts' })
    expect(next).toMatchObject({ verdict: 'different', calls: 10 })
    expect(next.differences.map(({ kind, method, count }) => [kind, method, count])).toEqual([['result', 'price', 8]])
    // The one that serves was asked nothing by a replay.
    expect(await calc.times()).toBe(10)
  } finally {
    await system.stop()
  }
})
