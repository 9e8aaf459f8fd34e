/**
 * What a conversation needs before its next turn when the one before did not come to its end: the process was killed, or
 * the disk was full. Calls get an answer, which says that they may have run; then a note says where the turn ended.
 */
import { printResult, fence } from '../../bracket/index.ts'
import { coded } from '../../lib/errors.ts'
import { APPROVAL_TOOL, type Approval, type Approvals, type Decision } from './approvals.ts'
import { callNames } from './mark.ts'
import type { Conversation, NewMessage } from './messages.ts'
import { lost } from './run-calls.ts'
import type { Store } from './store.ts'

/** Rejects with `chat_parked` when the turn before waits for a person. */
export async function mend(conversation: Conversation, store: Store, approvals: Approvals): Promise<void> {
  const last = conversation.messages.at(-1)
  if (last === undefined || last.kind === 'answer' || last.kind === 'note') return
  const added: NewMessage[] = []
  const ended = coded('chat_ended')
  if (last.kind === 'calls') {
    const approval = await approvals.lastOf(conversation.id)
    const parked = approval?.state.seq === last.seq ? approval : undefined
    if (parked !== undefined && parked.decision === undefined)
      throw coded('chat_parked', { approval: parked.approval_id, question: parked.question })
    const results = parked === undefined ? callNames(last.content).map((name) => lost(name, ended)) : resultsOf(parked)
    added.push({ kind: 'results', content: results.join('\n'), provider: '' })
  }
  added.push({ kind: 'note', content: `[The turn was cut here: ${ended.message}.]`, provider: '' })
  await store.append(conversation, added)
}

export function resultsOf({ state, decision }: Approval): string[] {
  return state.results.map((result) => result ?? decided(decision as Decision))
}

export function decided({ approved, by, note = '' }: Decision): string {
  return fence('result', printResult({ name: APPROVAL_TOOL, status: 'success', value: { approved, by, note } }))
}
