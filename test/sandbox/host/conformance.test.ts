/** The real engine behind the seam of a kernel: what a service may expect of any host, it may expect of a sandbox. */
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import type { Isolation } from '../../../modules/contracts/sandbox.ts'
import type { FaultListener, ModuleHost } from '../../../modules/contracts/seams.ts'
import { kernelFrom } from '../../conformance/bench.ts'
import { moduleHostConformance, type HostUnderTest } from '../../conformance/module-host.ts'
import { packageRoot } from '../../support/root.ts'
import { desiredService, realSandboxes, type RealSandboxes } from '../../support/sandboxes.ts'

const kernel = kernelFrom(join(packageRoot, 'modules/kernel/kernel.ts'))

/** What the suite's module calls and tells. */
const GRANTS = ['other.*', 'first.*', 'nobody.*', 'events.emit:test.*']

/** One a test: the newest is the one that counts, and the one before has ended. */
let sandboxes: RealSandboxes | undefined
afterAll(() => sandboxes?.close())

function inSandbox(isolation: Isolation): HostUnderTest {
  return {
    kernel,
    held: () => sandboxes?.versions.size ?? 0,
    create: (fault: FaultListener): ModuleHost => {
      const own = realSandboxes(fault)
      void sandboxes?.close()
      sandboxes = own
      return {
        evaluate: (scan, owner, limits) => {
          const desired = desiredService({ api: owner.service, sandbox: { isolation }, grants: GRANTS })
          return own.hostOf(desired, own.policy).evaluate(scan, owner, limits)
        },
      }
    },
  }
}

describe.each<Isolation>(['own', 'group', 'inline'])('in a sandbox, isolation: %s', (isolation) => {
  moduleHostConformance(inSandbox(isolation))
})
