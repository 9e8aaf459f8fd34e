/**
 * The decision: one press approves or rejects, since what it would touch stands above. CRITICAL takes two confirmations,
 * the second with a reason; a rejection needs one always. What comes of it is told, and the page shows it.
 */
import { useState } from 'preact/hooks'
import type { ApprovalScope } from '../../../../modules/contracts/approvals.ts'
import { ask } from '../../api/client.ts'
import { waiting } from '../../live/waiting.ts'
import { Action } from '../../parts/action.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { go, hrefOf } from '../../route.ts'
import { bodyOf, commandOf, toldOf, type Approval, type Said } from './words.ts'

const NOTHING_SAID: Said = { reason: '', scope: 'once', hours: '24' }

export function Decision({ approval, again }: { approval: Approval; again: () => void }) {
  const { id, confirm_twice = false, confirmed_by } = approval
  const [said, setSaid] = useState(NOTHING_SAID)
  const isSecond = confirm_twice && confirmed_by !== null
  const hasReason = said.reason.trim() !== ''
  const decide = async (isApproved: boolean): Promise<ToastText> => {
    const answer = await ask('POST /api/approvals/{id}', { params: { id }, body: bodyOf(isApproved, said) }).finally(
      again,
    )
    if ('conversation_id' in answer) return { tone: 'info', text: 'Decided; the turn went on', detail: answer.answer }
    // The list has it no more; what came of it is to be seen.
    go(hrefOf('inbox', [id]))
    if (answer.state !== 'pending') waiting.value = Math.max(0, (waiting.value ?? 1) - 1)
    return toldOf(answer)
  }
  const approves = !confirm_twice ? 'Approve' : isSecond ? 'Approve (2 of 2)' : 'Confirm (1 of 2)'
  return (
    <div class="decision">
      <Card title="Your decision">
        <div class="stack">
          {confirm_twice && (
            <p>
              Its impact is CRITICAL: it takes two confirmations, the second with a written reason.
              {isSecond && ` The first is by ${confirmed_by}.`}
            </p>
          )}
          <TextField
            label="Reason"
            value={said.reason}
            hint={isSecond ? 'Needed: it stands in the ledger.' : 'Needed to reject; whoever asked is told.'}
            onInput={(reason) => setSaid({ ...said, reason })}
          />
          {!confirm_twice && <Scope approval={approval} said={said} setSaid={setSaid} />}
          <Commands id={id} said={said} />
        </div>
      </Card>
      <div class="decision-bar">
        <Action
          label="Reject"
          kind="danger"
          shown
          command={commandOf(id, false, said)}
          disabled={!hasReason}
          reason={hasReason ? 'It is refused, and whoever asked is told why' : 'Write a reason first'}
          run={() => decide(false)}
        />
        <Action
          label={approves}
          kind="primary"
          shown
          command={commandOf(id, true, said)}
          disabled={isSecond && !hasReason}
          {...(isSecond && !hasReason ? { reason: 'Write a reason first' } : {})}
          run={() => decide(true)}
        />
      </div>
    </div>
  )
}

function Commands({ id, said }: { id: string; said: Said }) {
  return (
    <details>
      <summary>The same on the command line</summary>
      <div class="stack">
        <CommandLine command={commandOf(id, true, said)} />
        <CommandLine command={commandOf(id, false, said)} />
      </div>
    </details>
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
