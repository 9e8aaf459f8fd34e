/**
 * What is made up for after each sweep, once a second: what a full disk, a missing module or a lost event has left behind.
 * Level-triggered, so that nothing of it is lost when another kernel takes over. Called by `kernel.ts`.
 */
import type { Calls } from './calls.ts'
import type { KernelSwap } from './kernel-swap.ts'
import type { Machine } from './machine.ts'
import type { Reconciler } from './reconciler.ts'
import type { RefusedVersions } from './refused-versions.ts'

interface Kept extends Machine {
  readonly calls: Calls
  readonly reconciler: Reconciler
  readonly swap: KernelSwap
  readonly refusedVersions: RefusedVersions
}

export function upkeep(machine: Kept): void {
  machine.calls.tick()
  machine.lastGood.tick()
  machine.reconciler.wanted.retryLost()
  machine.refusedVersions.settle()
  machine.secondTries.diskMayTake()
  machine.swap.tick()
  machine.ring()
}
