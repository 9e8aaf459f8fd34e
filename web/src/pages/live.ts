/** Pages of what runs: the system now, and its services. */
import type { PageInfo } from '../pages.ts'

export const livePages: readonly PageInfo[] = [
  { id: 'now', title: 'Now', key: 'n', load: () => import('./now/index.tsx') },
  {
    id: 'services',
    title: 'Services',
    key: 's',
    load: () => import('./services/index.tsx'),
    examples: [
      '#/services/http',
      '#/services/http?tab=source',
      '#/services/http?tab=versions',
      '#/services/http?tab=contract',
      '#/services/http?tab=owned',
      '#/services/http?tab=powers',
      '#/services/http?tab=calls',
    ],
  },
  { id: 'tour', title: 'Tour', key: 'u', load: () => import('./tour/index.tsx') },
]
