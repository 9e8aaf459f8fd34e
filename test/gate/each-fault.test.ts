/** The N-th call to the disk or the loader fails, for every N: at a boot, in reloads, in swaps of the kernel. */
import { expect, it } from 'vitest'
import { FAULTS_MS, tell } from '../simulation/each-fault.ts'
import { loadKernel } from '../simulation/kernel-copy.ts'
import { tell as print } from '../support/nightly.ts'

it.each(['boot', 'reload', 'swap'] as const)(
  '%s: whichever call fails, nothing breaks and all follows',
  async (scene) => {
    const { Kernel, dispose } = await loadKernel()
    const { calls, wrong } = await tell(Kernel, scene, 0, 0)
    expect(wrong).toEqual([])
    expect(calls).toBeGreaterThan(50)
    for (const fault_ms of FAULTS_MS) {
      for (let failing = 1; failing <= calls; failing++) {
        const told = await tell(Kernel, scene, failing, fault_ms)
        wrong.push(...told.wrong.map((line) => `call ${failing} of ${calls}, for ${fault_ms} ms: ${line}`))
      }
    }
    print('R7', { scene, calls, runs: calls * FAULTS_MS.length, wrong: wrong.length })
    expect(wrong).toEqual([])
    dispose()
  },
)
