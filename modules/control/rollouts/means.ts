/** What the parts of the service work with: handles, its files, and what it has seen of calls. */
import type { ApprovalsApi } from '../../contracts/approvals.ts'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { LedgerApi } from '../../contracts/ledger.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { PolicyApi } from '../../contracts/policy.ts'
import type { Config } from './config.ts'
import type { Seen } from './samples.ts'
import type { Missed } from './missed.ts'
import type { RolloutStore } from './store.ts'

/** Since when each is measured (monotonic ms); of this process, so that after a restart it begins again. */
export type Since = Map<string, number>

export interface Means {
  kernel: KernelApi
  config: Config
  store: RolloutStore
  seen: Seen
  missed: Missed
  since: Since
  system: Handle<KernelServiceApi>
  policy: Handle<PolicyApi>
  approvals: Handle<ApprovalsApi>
  ledger: Handle<LedgerApi>
}

export const handlesOf = (kernel: KernelApi): Pick<Means, 'system' | 'policy' | 'approvals' | 'ledger'> => ({
  system: kernel.getApi<KernelServiceApi>('kernel'),
  policy: kernel.getApi<PolicyApi>('policy'),
  approvals: kernel.getApi<ApprovalsApi>('approvals'),
  ledger: kernel.getApi<LedgerApi>('ledger'),
})
