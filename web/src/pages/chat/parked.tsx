/** The question a turn waits with, and the decision: it goes on where it stood. */
import { useState } from 'preact/hooks'
import { commandOf } from '../../commands.ts'
import { Action } from '../../parts/action.tsx'
import { Banner } from '../../parts/banner.tsx'
import { TextField } from '../../parts/field.tsx'
import { Time } from '../../parts/time.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { decide } from './store.ts'
import type { Conversation } from './thread.ts'

type Waiting = NonNullable<Conversation['parked']>

export function Parked({ parked: { approval_id, question, asked_at } }: { parked: Waiting }) {
  const [note, setNote] = useState('')
  const isSaid = note.trim() !== ''
  const decision = (approved: boolean) => ({
    kind: approved ? ('primary' as const) : ('danger' as const),
    preview: async () => <Outlook question={question} approved={approved} note={note} />,
    run: async () => toldOf(await decide(approval_id, approved, note), approved),
  })
  return (
    <Banner tone="warn" title="The turn waits for you">
      <div class="stack">
        <p>
          {question} <span class="dim">Asked </span>
          <Time at={asked_at} />.
        </p>
        <TextField label="Note to the model" value={note} onInput={setNote} hint="To deny it, say why." />
        <div class="row">
          <Action
            label="Approve"
            command={commandOf('approve', { id: approval_id, reason: note })}
            {...decision(true)}
          />
          <Action
            label="Deny"
            command={commandOf('deny', { id: approval_id, reason: isSaid ? note : '…' })}
            disabled={!isSaid}
            {...(isSaid ? {} : { reason: 'Say why: the model is told' })}
            {...decision(false)}
          />
        </div>
      </div>
    </Banner>
  )
}

function Outlook({ question, approved, note }: { question: string; approved: boolean; note: string }) {
  return (
    <>
      <p>{question}</p>
      <p class="dim">
        The turn goes on at once, and the model is told that you {approved ? 'allow it' : 'do not allow it'}. It is
        decided once.
      </p>
      {note !== '' && <p>It is told with it: {note}</p>}
    </>
  )
}

function toldOf(answer: Awaited<ReturnType<typeof decide>>, approved: boolean): ToastText {
  const what = approved ? 'Approved' : 'Denied'
  if (answer === undefined) return { tone: 'good', text: `${what}: it was done` }
  const { status, steps } = answer
  return {
    tone: status === 'cut' ? 'warn' : 'good',
    text: `${what}: the turn is ${status}, ${steps.length} calls in all`,
  }
}
