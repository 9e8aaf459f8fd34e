/** The seam between a kernel and the place where versions run: in this process, and in a thread each. */
import { join } from 'node:path'
import { describe } from 'vitest'
import type { FaultListener } from '../../modules/contracts/seams.ts'
import { kernelFrom } from '../conformance/bench.ts'
import { moduleHostConformance } from '../conformance/module-host.ts'
import { WorkerHost } from '../fixtures/worker-host/worker-host.ts'
import { packageRoot } from '../support/root.ts'

const kernel = kernelFrom(join(packageRoot, 'modules/kernel/kernel.ts'))
const second = kernelFrom(join(packageRoot, 'test/fixtures/kernel-v2/kernel-v2.ts'))

describe('in this process', () =>
  moduleHostConformance({ kernel, create: () => undefined, held: ({ loader }) => loader.stats().records }))

/** Threads of the newest host: one a test. */
let host: WorkerHost | undefined
const create = (fault: FaultListener): WorkerHost => (host = new WorkerHost(fault))
const held = (): number => host?.open ?? 0

describe('in a thread for each version', () => moduleHostConformance({ kernel, create, held }))
describe('in a thread for each version, under another kernel', () =>
  moduleHostConformance({ kernel: second, create, held }))
