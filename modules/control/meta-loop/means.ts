/** What the parts of the loop work with: handles, its files, its config as it is now, and how it judges. */
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { LedgerApi } from '../../contracts/ledger.ts'
import type { ControlMetricsApi } from '../../contracts/meta-metrics.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { PolicyApi } from '../../contracts/policy.ts'
import type { RolloutsApi } from '../../contracts/proposals.ts'
import type { Config } from './config.ts'
import type { Inbox } from './inbox.ts'
import type { Judgement } from './judgement.ts'
import type { LoopStore } from './store.ts'
import type { Uncalled } from './uncalled.ts'

export const METRICS = 'control/metrics'

export interface Means {
  kernel: KernelApi
  /** as the file says now */
  readonly config: Config
  readonly judgement: Judgement
  store: LoopStore
  inbox: Inbox
  /** held as long as the process lives */
  seen: { uncalled?: Uncalled }
  system: Handle<KernelServiceApi>
  metrics: Handle<ControlMetricsApi>
  policy: Handle<PolicyApi>
  rollouts: Handle<RolloutsApi>
  ledger: Handle<LedgerApi>
}

export const handlesOf = (kernel: KernelApi): Pick<Means, 'system' | 'metrics' | 'policy' | 'rollouts' | 'ledger'> => ({
  system: kernel.getApi<KernelServiceApi>('kernel'),
  metrics: kernel.getApi<ControlMetricsApi>(METRICS),
  policy: kernel.getApi<PolicyApi>('policy'),
  rollouts: kernel.getApi<RolloutsApi>('rollouts'),
  ledger: kernel.getApi<LedgerApi>('ledger'),
})
