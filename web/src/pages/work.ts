/** Pages of what it does: chat, calls, logs. */
import type { PageInfo } from '../pages.ts'

export const workPages: readonly PageInfo[] = [
  { id: 'chat', title: 'Chat', key: 'a', load: () => import('./chat/index.tsx') },
  {
    id: 'calls',
    title: 'Calls',
    key: 't',
    load: () => import('./calls/index.tsx'),
    examples: ['#/calls?tab=recorded'],
  },
  { id: 'logs', title: 'Logs', key: 'o', load: () => import('./logs/index.tsx') },
]
