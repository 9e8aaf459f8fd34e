/** A turn of the assistant that asks a person: decided, it goes on where it stood, and its answer is shown. */
import { useState } from 'preact/hooks'
import { Card } from '../../parts/card.tsx'
import { Time } from '../../parts/time.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { hrefOf } from '../../route.ts'
import { Facts } from '../changes/facts.tsx'
import { decideOn, WithReason } from './with-reason.tsx'
import { decisionCommand, type Waiting } from './words.ts'

export function OneTurn({ turn, again }: { turn: Waiting; again: () => void }) {
  const { approval_id: id, question, conversation_id, asked_at } = turn
  const [reason, setReason] = useState('')
  const said = { reason, scope: 'once', hours: '24' } as const
  const decide = async (isApproved: boolean): Promise<ToastText> => {
    const answer = await decideOn(id, isApproved, said).finally(again)
    const text = isApproved ? 'Approved; the turn went on' : 'Rejected; the turn went on'
    return 'conversation_id' in answer ? { tone: 'good', text, detail: answer.answer } : { tone: 'good', text }
  }
  return (
    <div class="inbox-decision">
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
        </div>
      </Card>
      <WithReason
        title="Your decision"
        label="A word to the model"
        hint="Needed to reject: the turn goes on without it."
        reason={reason}
        setReason={setReason}
        buttons={[
          {
            label: 'Reject',
            kind: 'danger',
            command: decisionCommand(id, false, said),
            why: true,
            run: () => decide(false),
          },
          {
            label: 'Approve',
            kind: 'primary',
            command: decisionCommand(id, true, said),
            why: false,
            run: () => decide(true),
          },
        ]}
      />
    </div>
  )
}
