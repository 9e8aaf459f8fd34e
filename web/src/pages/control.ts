/** Pages of what decides: changes, approvals, the ledger, the policy. */
import { waiting } from '../live/waiting.ts'
import type { PageInfo } from '../pages.ts'

export const controlPages: readonly PageInfo[] = [
  {
    id: 'changes',
    title: 'Changes',
    key: 'c',
    load: () => import('./changes/index.tsx'),
    examples: ['#/changes?tab=improve'],
  },
  { id: 'inbox', title: 'Inbox', key: 'i', count: () => waiting.value ?? 0, load: () => import('./inbox/index.tsx') },
  {
    id: 'ledger',
    title: 'Ledger',
    key: 'l',
    load: () => import('./ledger/index.tsx'),
    examples: ['#/ledger?tab=cycles'],
  },
  { id: 'policy', title: 'Policy', key: 'p', load: () => import('./policy/index.tsx') },
]
