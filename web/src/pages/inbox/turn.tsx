/** A turn of the assistant that asks a person: decided, it goes on where it stood, and its answer is shown. */
import { useState } from 'preact/hooks'
import { ask } from '../../api/client.ts'
import { Action } from '../../parts/action.tsx'
import { Card } from '../../parts/card.tsx'
import { TextField } from '../../parts/field.tsx'
import { Time } from '../../parts/time.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { hrefOf } from '../../route.ts'
import { Facts } from '../changes/facts.tsx'
import { bodyOf, commandOf, type Waiting } from './words.ts'

export function OneTurn({ turn, again }: { turn: Waiting; again: () => void }) {
  const { approval_id: id, question, conversation_id, asked_at } = turn
  const [reason, setReason] = useState('')
  const said = { reason, scope: 'once', hours: '24' } as const
  const decide = async (isApproved: boolean): Promise<ToastText> => {
    const answer = await ask('POST /api/approvals/{id}', { params: { id }, body: bodyOf(isApproved, said) }).finally(
      again,
    )
    const text = isApproved ? 'Approved; the turn went on' : 'Rejected; the turn went on'
    return 'conversation_id' in answer ? { tone: 'good', text, detail: answer.answer } : { tone: 'good', text }
  }
  return (
    <div class="decision">
      <Card title="The assistant asks">
        <div class="stack">
          <p class="inbox-question">{question}</p>
          <Facts
            facts={[
              [
                'Conversation',
                conversation_id === undefined ? undefined : (
                  <a href={hrefOf('chat', [conversation_id])}>{conversation_id}</a>
                ),
              ],
              ['Asked', <Time at={asked_at} />],
            ]}
          />
          <TextField label="A word to the model" value={reason} onInput={setReason} />
        </div>
      </Card>
      <div class="decision-bar">
        <Action
          label="Reject"
          kind="danger"
          shown
          command={commandOf(id, false, said)}
          disabled={reason.trim() === ''}
          reason={reason.trim() === '' ? 'Say why first' : 'The turn goes on without it'}
          run={() => decide(false)}
        />
        <Action label="Approve" kind="primary" shown command={commandOf(id, true, said)} run={() => decide(true)} />
      </div>
    </div>
  )
}
