/**
 * The kernels of a simulation: the one under test, again and again, and some that are sick: each fails at another
 * point of its taking over. Each file of a kernel is one line.
 */
import type { KernelHealth, KernelOptions } from '../../modules/contracts/kernel-port.ts'
import type { KernelState } from '../../modules/contracts/kernel-state.ts'
import type { KernelMaker } from './kernel-copy.ts'
import { ownError } from './modules.ts'

/** `rejects`, `hangs` and `unwell` show when it already runs; `sick` later, when it is on probation. */
export const KERNEL_FAULTS = ['constructor', 'adopt', 'adopted', 'rejects', 'hangs', 'unwell', 'sick'] as const
export type KernelFault = (typeof KERNEL_FAULTS)[number]

const SICK_AFTER_MS = 1_500

export const KERNEL_FILE = 'modules/kernel/kernel.ts'

export const writeKernel = (number: number, fault?: KernelFault): string =>
  `kernel ${number}${fault === undefined ? '' : ` ${fault}`}\n`

/** undefined when the text is no kernel. */
export function readKernel(text: string): { fault: KernelFault | undefined } | undefined {
  const [whole, fault] = /^kernel \d+(?: ([a-z_]+))?\n$/.exec(text) ?? []
  if (whole === undefined) return undefined
  if (fault === undefined) return { fault: undefined }
  return (KERNEL_FAULTS as readonly string[]).includes(fault) ? { fault: fault as KernelFault } : undefined
}

/** The class that a kernel's file stands for. `onMade` is told each that was constructed. */
export function kernelOf(
  Kernel: KernelMaker,
  fault: KernelFault | undefined,
  onMade: (kernel: InstanceType<KernelMaker>) => void,
): KernelMaker {
  return class extends Kernel {
    private adoptedAt: number | undefined
    private readonly now: () => number

    constructor(options: KernelOptions) {
      if (fault === 'constructor') throw ownError('constructor')
      super(options)
      this.now = options.clock.monotonic
      onMade(this)
    }

    override adopt(state: KernelState): Promise<void> {
      if (fault === 'adopt') throw ownError('adopt')
      const adopted = super.adopt(state)
      this.adoptedAt ??= this.now()
      if (fault === 'adopted') throw ownError('adopt')
      if (fault === 'rejects') return adopted.then(() => Promise.reject(ownError('adopt')))
      return fault === 'hangs' ? new Promise(() => {}) : adopted
    }

    override async health(): Promise<KernelHealth> {
      const ageMs = this.now() - (this.adoptedAt ?? this.now())
      const health = await super.health()
      return fault === 'unwell' || (fault === 'sick' && ageMs > SICK_AFTER_MS) ? { ...health, ok: false } : health
    }
  }
}
