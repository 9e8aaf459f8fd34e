/** R14: a disk that is filled again and again under calls, and how long what is owed takes once it is not full. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { percentile } from '../../bench/support.ts'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { SmallDisk } from '../support/disk.ts'
import { underCalls } from '../support/load.ts'
import { scaled, tell } from '../support/nightly.ts'
import { createRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const KILOBYTES = 2_048
const CALLERS = 8
/** the promise, with room for a machine that does other work too */
const RECOVERED_MS = 10_000

let system: TestSystem
let disk: SmallDisk
afterEach(async () => {
  disk.empty()
  await system.kernel.stop('test', 2_000)
  disk.unmount()
  await system.stop()
})

const source = (step: number): string => `export class Module {
  count = 0
  next() { this.count++; return ${step} }
  handOver() { return this.count }
  takeOver(count) { this.count = count }
}`

const refusedReasons = (): Record<string, { takenBack: string }> => {
  try {
    return JSON.parse(readFileSync(join(system.root.path, 'runtime/refused.json'), 'utf8')) as never
  } catch {
    return {}
  }
}

/** One time: full, a reload and a way back that is to be written down, and room again. Resolves with its milliseconds. */
async function fillOnce(step: number): Promise<number> {
  const kernel = system.getApi<KernelServiceApi>('kernel')
  disk.keepFull()
  const live = system.event('service.live', ({ api }) => api === 'm')
  system.root.write('modules/m.js', source(step))
  await live
  const before = JSON.stringify(refusedReasons())
  const { ok } = await kernel.rollback('m')
  if (!ok) throw new Error('no way back')
  disk.empty()
  const since = performance.now()
  await expect.poll(() => JSON.stringify(refusedReasons()), { timeout: RECOVERED_MS, interval: 10 }).not.toBe(before)
  return performance.now() - since
}

it.runIf(SmallDisk.possible)('no call fails, and what is owed is written soon', async () => {
  const root = createRoot({ 'configs/m.yml': '', 'modules/m.js': source(1) })
  disk = SmallDisk.mount(join(root.path, 'runtime'), KILOBYTES)
  system = await startSystem(root)
  const times: number[] = []
  const m = system.getApi<{ next(): number }>('m')
  const { calls, failed } = await underCalls(
    CALLERS,
    () => m.next(),
    async () => {
      for (let step = 2; step < scaled(50) + 2; step++) times.push(await fillOnce(step))
    },
  )
  const [p50, p95, max] = [0.5, 0.95, 1].map((share) => Math.round(percentile(times, share)))
  tell('R14', { times_full: times.length, calls, failed: failed.length, written_p50_ms: p50, p95_ms: p95, max_ms: max })
  expect(failed.slice(0, 5)).toEqual([])
})
