/**
 * The decision: one press approves or rejects, since what it would touch stands above. CRITICAL takes two confirmations,
 * the second with a reason; a rejection needs one always. What comes of it is told, and the page shows it.
 */
import { useState } from 'preact/hooks'
import type { ApprovalScope } from '../../../../modules/contracts/approvals.ts'
import { waiting } from '../../live/waiting.ts'
import { CommandLine } from '../../parts/command-line.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { go, hrefOf } from '../../route.ts'
import { decideOn, WithReason } from './with-reason.tsx'
import { decisionCommand, toldOf, type Approval, type Said } from './words.ts'

const NOTHING_SAID: Said = { reason: '', scope: 'once', hours: '24' }

export function Decision({ approval, again }: { approval: Approval; again: () => void }) {
  const { id, confirm_twice = false, confirmed_by } = approval
  const [said, setSaid] = useState(NOTHING_SAID)
  const isSecond = confirm_twice && confirmed_by !== null
  const decide = async (isApproved: boolean): Promise<ToastText> => {
    const answer = await decideOn(id, isApproved, said).finally(again)
    if ('conversation_id' in answer) return { tone: 'info', text: 'Decided; the turn went on', detail: answer.answer }
    // The list has it no more; what came of it is to be seen.
    go(hrefOf('inbox', [id]))
    if (answer.state !== 'pending') waiting.value = Math.max(0, (waiting.value ?? 1) - 1)
    return toldOf(answer)
  }
  const approves = !confirm_twice ? 'Approve' : isSecond ? 'Approve (2 of 2)' : 'Confirm (1 of 2)'
  return (
    <WithReason
      title="Your decision"
      label="Reason"
      hint={isSecond ? 'Needed: it stands in the ledger.' : 'Needed to reject; whoever asked is told.'}
      reason={said.reason}
      setReason={(reason) => setSaid({ ...said, reason })}
      buttons={[
        {
          label: 'Reject',
          kind: 'danger',
          command: decisionCommand(id, false, said),
          why: true,
          run: () => decide(false),
        },
        {
          label: approves,
          kind: 'primary',
          command: decisionCommand(id, true, said),
          why: isSecond,
          run: () => decide(true),
        },
      ]}
    >
      {confirm_twice && (
        <p>
          Its impact is CRITICAL: it takes two confirmations, the second with a written reason.
          {isSecond && ` The first is by ${confirmed_by}.`}
        </p>
      )}
      {!confirm_twice && <Scope approval={approval} said={said} setSaid={setSaid} />}
      <details>
        <summary>The same on the command line</summary>
        <div class="stack">
          <CommandLine command={decisionCommand(id, true, said)} />
          <CommandLine command={decisionCommand(id, false, said)} />
        </div>
      </details>
    </WithReason>
  )
}

interface ScopeProps {
  approval: Approval
  said: Said
  setSaid: (said: Said) => void
}

/** What else is allowed with it, and for how long. */
function Scope({ approval: { class: kind, target }, said, setSaid }: ScopeProps) {
  const choices = [
    { value: 'once', text: 'This one only' },
    { value: 'service', text: `Every ${kind} of ${target}` },
    { value: 'class', text: `Every ${kind}` },
  ]
  return (
    <div class="filters">
      <SelectField
        label="It allows"
        value={said.scope}
        choices={choices}
        onPick={(scope) => setSaid({ ...said, scope: scope as ApprovalScope })}
      />
      {said.scope !== 'once' && (
        <TextField
          label="For so many hours"
          type="number"
          value={said.hours}
          onInput={(hours) => setSaid({ ...said, hours })}
          {...(Number(said.hours) > 0 ? {} : { error: 'A number of hours' })}
        />
      )}
    </div>
  )
}
