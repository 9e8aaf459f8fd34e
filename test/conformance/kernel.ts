/**
 * What every kernel promises to the modules it runs, to `run.ts`, and to the kernel after it. Run for each kernel by a
 * test file that says how one is made; everything is observed through `KernelPort`, files, and what modules are given.
 */
import { describe } from 'vitest'
import type { MakeKernel } from './bench.ts'
import { callPromises } from './kernel-calls.ts'
import { lifePromises } from './kernel-life.ts'
import { succession } from './kernel-succession.ts'

export function kernelConformance(name: string, make: MakeKernel): void {
  describe(`${name}: calls`, () => callPromises(make))
  describe(`${name}: services`, () => lifePromises(make))
  describe(`${name} after ${name}`, () => succession(make, make))
}
