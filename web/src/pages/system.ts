/** Pages of the system itself: goals and rules, the kernel. */
import type { PageInfo } from '../pages.ts'

export const systemPages: readonly PageInfo[] = [
  {
    id: 'goals',
    title: 'Goals and rules',
    key: 'g',
    load: () => import('./goals/index.tsx'),
    examples: ['#/goals?tab=rules', '#/goals?tab=build', '#/goals?tab=findings', '#/goals?tab=cycles'],
  },
  { id: 'kernel', title: 'Kernel', key: 'k', load: () => import('./kernel/index.tsx') },
]
