/** Pages of what runs: the system now, and its services. */
import type { PageInfo } from '../pages.ts'

export const livePages: readonly PageInfo[] = [
  { id: 'now', title: 'Now', key: 'n', load: () => import('./now/index.tsx') },
]
