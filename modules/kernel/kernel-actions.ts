/** What the service `kernel` can do, joined from the parts that do it. Used by `kernel.ts`. */
import type { KernelStatus } from '../contracts/kernel.ts'
import { EffectiveConfigs } from './effective.ts'
import { kernelInfo } from './kernel-info.ts'
import type { KernelActions } from './kernel-service.ts'
import type { KernelSwap } from './kernel-swap.ts'
import { planWithPowers } from './planned-powers.ts'
import { releaseFromQuarantine } from './release.ts'
import { reloadFor } from './reload-request.ts'
import type { Succeeding, Succession } from './succession.ts'
import type { WaysBack } from './ways-back.ts'

export interface KernelParts {
  machine: Succeeding & { status(): KernelStatus }
  waysBack: WaysBack
  swap: KernelSwap
  succession: Succession
}

export function kernelActions({ machine, waysBack, swap, succession }: KernelParts): KernelActions {
  const { reconciler } = machine
  const effective = new EffectiveConfigs(machine, reconciler.wanted)
  return {
    status: () => machine.status(),
    reload: (api, caller) => reloadFor(machine, reconciler, api, caller),
    rollback: (api, reason) => waysBack.rollback(api, reason),
    undo: (api) => waysBack.undo(api),
    release: (api) => releaseFromQuarantine(machine, api),
    plan: (files) => planWithPowers(machine, reconciler.wanted, files),
    configOf: (api) => effective.of(api),
    configs: () => effective.all(),
    kernel: () => kernelInfo(machine, swap, machine.facts),
    swap: () => swap.swap(),
    whenSettled: () => succession.settled(),
  }
}
