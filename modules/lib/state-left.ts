/**
 * What a kernel that is gone back from leaves to the one before it. Used by the kernel that handed over, when the switch
 * itself fails, and by the bootloader, when the new one turns sick later.
 */
import type { KernelPort } from '../contracts/kernel-port.ts'
import type { KernelState } from '../contracts/kernel-state.ts'
import { coded, reasonOf } from './errors.ts'

/**
 * Ends its loops, and asks it for everything. What it was given is taken instead when it cannot be asked, and when what it
 * has is not what it was given: one that failed before it took over has services of its own, which are none.
 */
export function stateLeft<Given extends KernelState | undefined>(
  kernel: KernelPort,
  given: Given,
  reads: KernelPort['reads'],
  warn: (message: string) => void,
): KernelState | Given {
  try {
    kernel.letGo()
    const state = kernel.exportState(reads)
    if (given !== undefined && state.services !== given.services)
      throw coded('kernel_state', { reason: 'it holds other services than it was given' })
    return state
  } catch (thrown) {
    warn(`what the new kernel holds cannot be used: ${reasonOf(thrown)}; what it was given is taken back`)
    return given
  }
}
