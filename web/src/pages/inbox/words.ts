/** What waits, and its commands and outcomes in words. Pure. */
import type { Approval, ApprovalScope, ApprovalState } from '../../../../modules/contracts/approvals.ts'
import type { ApiAnswer } from '../../api/client.ts'
import { commandOf, type Command } from '../../commands.ts'
import type { ToastText } from '../../parts/toast.tsx'

export type { Approval }
export type State = ApprovalState
export type Waiting = ApiAnswer<'GET /api/approvals'>['approvals'][number]

export const isState = (text: string | undefined): text is State =>
  text === 'pending' || text === 'approved' || text === 'rejected' || text === 'expired'

/** What is said with a decision, as the fields of the page hold it. */
export interface Said {
  reason: string
  scope: ApprovalScope
  hours: string
}

/** The command that decides the same. */
export function decisionCommand(id: string, isApproved: boolean, { reason, scope, hours }: Said): Command {
  const why = reason.trim()
  if (!isApproved) return commandOf('deny', { id, reason: why === '' ? '…' : why })
  return commandOf('approve', { id, reason: why, ...(scope === 'once' ? {} : { scope, hours }) })
}

const HOUR_MS = 3_600_000

/** The body of the request. */
export function bodyOf(isApproved: boolean, { reason, scope, hours }: Said) {
  const wide = isApproved && scope !== 'once'
  return {
    approved: isApproved,
    by: 'operator',
    ...(reason.trim() === '' ? {} : { note: reason.trim() }),
    ...(wide ? { scope, expires_in_ms: Math.round(Number(hours) * HOUR_MS) } : {}),
  }
}

/** What came of a decision. */
export function toldOf({ title, state, outcome, action }: Approval): ToastText {
  switch (state) {
    case 'pending':
      return { tone: 'warn', text: `Confirmed once: ${title}`, detail: 'It is confirmed again with a reason.' }
    case 'approved':
      return outcome?.ok === false
        ? { tone: 'bad', text: `Approved, and it failed: ${title}`, detail: messageOf(outcome.value) }
        : { tone: 'good', text: `Approved and done: ${title}`, detail: doneText(outcome?.value, action.service) }
    case 'rejected':
    case 'expired':
      return { tone: 'info', text: `${state === 'rejected' ? 'Rejected' : 'Expired'}: ${title}` }
    default:
      return state satisfies never
  }
}

export const messageOf = (value: unknown): string => {
  const { message } = (value ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message : JSON.stringify(value)
}

/** Of a proposed change: where it stands now. */
function doneText(value: unknown, service: string): string {
  const { proposal, state, message } = (value ?? {}) as { proposal?: string; state?: string; message?: string }
  if (proposal === undefined) return `${service} has answered`
  return `${proposal} is ${state}${message === undefined || message === '' ? '' : `: ${message}`}`
}

/** The proposal an approval is for, where it is for one. */
export function proposalOf({ action: { payload } }: Approval): string | undefined {
  const { proposal } = (payload ?? {}) as { proposal?: unknown }
  return typeof proposal === 'string' ? proposal : undefined
}
