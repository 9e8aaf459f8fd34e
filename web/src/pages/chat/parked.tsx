/** The question a turn waits with, and the decision: it goes on where it stood. */
import { useState } from 'preact/hooks'
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
  const action = (approved: boolean) => (
    <Action
      label={approved ? 'Approve' : 'Deny'}
      kind={approved ? 'primary' : 'danger'}
      command={
        approved
          ? `mm approve ${approval_id}`
          : `mm deny ${approval_id} --reason "${note === '' ? '…' : note.replaceAll('"', "'")}"`
      }
      preview={async () => (
        <>
          <p>{question}</p>
          <p class="dim">
            {approved
              ? 'The turn goes on at once, and the model is told that you allow it.'
              : 'The turn goes on at once, and the model is told that you do not allow it.'}{' '}
            It is decided once.
          </p>
          {note !== '' && <p>It is told with it: {note}</p>}
        </>
      )}
      run={async () => toldOf(await decide(approval_id, approved, note), approved)}
    />
  )
  return (
    <Banner tone="warn" title="The turn waits for you">
      <div class="stack">
        <p>
          {question} <span class="dim">Asked </span>
          <Time at={asked_at} />.
        </p>
        <TextField label="Note to the model" value={note} onInput={setNote} hint="If there is something to say." />
        <div class="row">
          {action(true)}
          {action(false)}
        </div>
      </div>
    </Banner>
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
