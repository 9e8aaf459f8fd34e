/** A kernel that shares no code with the shipped one keeps the same promises, before it and after it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kernelConformance } from '../conformance/kernel.ts'
import { kernelFrom, startBench } from '../conformance/bench.ts'
import { succession } from '../conformance/kernel-succession.ts'
import { packageRoot } from '../support/root.ts'

const folder = join(packageRoot, 'test/fixtures/kernel-v2')
const shipped = kernelFrom(join(packageRoot, 'modules/kernel/kernel.ts'))
const second = kernelFrom(join(folder, 'kernel-v2.ts'))

it('imports contracts and helpers, and nothing of the shipped kernel', () => {
  const imports = readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/from '(\.[^']+)'/g)].map((found) => found[1] ?? ''),
  )
  expect(imports.length).toBeGreaterThan(20)
  expect(imports.filter((one) => !/^(\.\/|\.\.\/\.\.\/\.\.\/modules\/(contracts|lib)\/)/.test(one))).toEqual([])
})

it('what it knows beyond the others travels through them', async () => {
  const bench = await startBench(second)
  const served = (): Record<string, number> =>
    (bench.kernel.status() as unknown as { uptime_by_kernel: Record<string, number> }).uptime_by_kernel
  expect(Object.keys(served())).toEqual(['1.0.0'])
  await bench.handOver(await bench.make(shipped, 'configs/meta-v2.0.0.yml'))
  expect(served()).toBe(undefined)
  await bench.handOver(await bench.make(second, 'configs/meta-v3.0.0.yml'))
  expect(Object.keys(served())).toEqual(['1.0.0', '3.0.0'])
  expect(served()['1.0.0']).toBeGreaterThan(0)
  await bench.dispose()
})

kernelConformance('a second kernel', second)
describe('a second kernel after the shipped one', () => succession(shipped, second))
describe('the shipped kernel after a second one', () => succession(second, shipped))
