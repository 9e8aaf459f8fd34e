/**
 * A reason and the buttons that decide. One that needs a reason and has none leads to the field, instead of a button
 * that does nothing: on a phone the field may be far below.
 */
import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { ask, type ApiAnswer } from '../../api/client.ts'
import type { Command } from '../../commands.ts'
import { Action } from '../../parts/action.tsx'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { TextField } from '../../parts/field.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { bodyOf, type Said } from './words.ts'

/** What a button does when it is pressed: the answer comes when the action is done. */
export const decideOn = (id: string, isApproved: boolean, said: Said): Promise<ApiAnswer<'POST /api/approvals/{id}'>> =>
  ask('POST /api/approvals/{id}', { params: { id }, body: bodyOf(isApproved, said) })

export interface DecisionButton {
  label: string
  kind: 'danger' | 'primary'
  command: Command
  /** it is not done without a reason */
  why: boolean
  run: () => Promise<ToastText>
}

export interface WithReasonProps {
  title: string
  /** of the field */
  label: string
  hint: string
  reason: string
  setReason: (reason: string) => void
  buttons: readonly DecisionButton[]
  /** beside the field */
  children?: ComponentChildren
}

export function WithReason({ title, label, hint, reason, setReason, buttons, children }: WithReasonProps) {
  const field = useRef<HTMLDivElement>(null)
  const [isMissed, setMissed] = useState(false)
  const isThere = reason.trim() !== ''
  const lead = (): void => {
    setMissed(true)
    field.current?.querySelector('input')?.focus()
  }
  return (
    <div class="inbox-decision">
      <Card title={title}>
        <div class="stack">
          <div ref={field}>
            <TextField
              label={label}
              value={reason}
              hint={hint}
              error={isMissed && !isThere ? 'Write why first.' : undefined}
              onInput={setReason}
            />
          </div>
          {children}
        </div>
      </Card>
      <div class="inbox-bar">
        {buttons.map(({ label: name, kind, command, why, run }) =>
          why && !isThere ? (
            <span key={name} data-command={command.text}>
              <Button kind={kind} onClick={lead}>
                {name}
              </Button>
            </span>
          ) : (
            <Action key={name} label={name} kind={kind} shown command={command} run={run} />
          ),
        )}
      </div>
    </div>
  )
}
