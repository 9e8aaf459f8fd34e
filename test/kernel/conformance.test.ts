/** The shipped kernel keeps what every kernel promises. */
import { join } from 'node:path'
import { kernelConformance } from '../conformance/kernel.ts'
import { kernelFrom } from '../conformance/bench.ts'
import { packageRoot } from '../support/root.ts'

kernelConformance('the shipped kernel', kernelFrom(join(packageRoot, 'modules/kernel/kernel.ts')))
