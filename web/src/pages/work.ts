/** Pages of what it does: chat, calls, logs. */
import type { PageInfo } from '../pages.ts'

export const workPages: readonly PageInfo[] = []
