/** Pages of the system itself: goals and rules, the kernel. */
import type { PageInfo } from '../pages.ts'

export const systemPages: readonly PageInfo[] = []
