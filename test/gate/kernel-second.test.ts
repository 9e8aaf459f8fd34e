/** Two kernels that share no code take turns under load: nothing is dropped, counted twice or built again. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { swapUnderLoad } from '../support/kernel-storm.ts'
import { packageRoot } from '../support/root.ts'

const SEED = 20_260_402
const SWAPS = 20

/** The second kernel with what the harness reaches for inside of a kernel. */
const SECOND = `
import { Kernel as Second } from '${join(packageRoot, 'test/fixtures/kernel-v2/kernel-v2.ts')}'
import { eventsSince, subscribe } from '${join(packageRoot, 'test/fixtures/kernel-v2/module-api.ts')}'
export class Kernel extends Second {
  get services() { return this.kept.services }
  get events() {
    const record = this.kept.events
    return { on: (type, callback) => subscribe(record, type, callback), since: (id) => eventsSince(record, id, '*') }
  }
}
`

const metaOf = (n: number): string => `prog: ${n % 2 === 1 ? 'kernel-v2' : 'kernel'}\nlimits: { sweep_ms: 50 }\n`

it(`v1 → v2 → v1, ${SWAPS} times, under load`, { timeout: 300_000 }, async () => {
  const files = { 'modules/kernel-v2.ts': SECOND }
  const { counts, calls, wrong, digests, collected } = await swapUnderLoad({ swaps: SWAPS, seed: SEED, files, metaOf })
  expect(counts.failed.slice(0, 5)).toEqual([])
  expect(wrong).toEqual([])
  expect(digests[1]).toBe(digests[0])
  expect(calls).toBeGreaterThan(SWAPS * 1_000)
  expect(collected).toBeGreaterThanOrEqual(0.9)
})
