/** Pages of what decides: changes, approvals, the ledger, the policy. */
import type { PageInfo } from '../pages.ts'

export const controlPages: readonly PageInfo[] = []
