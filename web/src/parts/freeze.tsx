/**
 * The ways into a freeze and out of it, wherever they stand: what it would stop is shown first. It is a file of the
 * root, so `mm freeze` works when nothing answers. Used by the header and by the page of the kernel.
 */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ask, type ApiAnswer } from '../api/client.ts'
import { useLoad } from '../api/use-ask.ts'
import { commandOf } from '../commands.ts'
import { Action } from './action.tsx'
import { CheckField, TextField } from './field.tsx'
import { Planned } from './planned.tsx'
import type { ToastText } from './toast.tsx'

export type Scope = ApiAnswer<'GET /api/kernel'>['frozen']

export const HOLDS: Record<Scope, string> = {
  none: 'The system may change itself, within its policy. Your file edits apply.',
  self: 'The system may not change itself. Your file edits apply; rollback and undo work.',
  all: 'Nothing changes, your file edits included. Rollback and undo work.',
}

/** What the open dialog says: one is open at a time. */
const reason = signal('')
const isAll = signal(false)

/** `wider`: one holds already, and only the other makes a difference. */
export function FreezeAction({ wider = false, quiet = false }: { wider?: boolean; quiet?: boolean }) {
  const scope = wider || isAll.value ? 'all' : 'self'
  const said = reason.value.trim()
  return (
    <Action
      label={wider ? 'Freeze everything' : 'Freeze'}
      command={commandOf(scope === 'all' ? 'freeze_all' : 'freeze', { reason: said })}
      kind={quiet ? 'quiet' : 'danger'}
      preview={() => Promise.resolve(<Outlook wider={wider} />)}
      run={async () => {
        const told = await ask('POST /api/freeze', { body: said === '' ? { scope } : { scope, reason: said } })
        return toastOf(told.frozen, scope)
      }}
    />
  )
}

function Outlook({ wider }: { wider: boolean }) {
  useEffect(
    () => () => {
      reason.value = ''
      isAll.value = false
    },
    [],
  )
  const scope = wider || isAll.value ? 'all' : 'self'
  return (
    <div class="stack">
      <p>{HOLDS[scope]}</p>
      {!wider && (
        <CheckField label="Stop file edits too" checked={isAll.value} onPick={(picked) => (isAll.value = picked)} />
      )}
      <TextField
        label="Reason"
        hint="It is kept in runtime/FREEZE."
        value={reason.value}
        onInput={(text) => (reason.value = text)}
      />
      <Stops />
    </div>
  )
}

const WAITING = new Set(['waiting', 'queued', 'applying'])

/** What is under way by the system itself, and stops there. */
function Stops() {
  const asked = useLoad({}, ['changes under way'], () =>
    ask('GET /api/changes', { query: { limit: 500 } }).then(
      ({ changes }) => changes.filter(({ origin, state }) => origin === 'self' && WAITING.has(state)),
      // A root without proposals has none to stop.
      () => [],
    ),
  )
  const changes = asked.value
  return (
    <dl class="facts">
      <dt>Stops</dt>
      <dd>
        {changes === undefined
          ? '…'
          : changes.length === 0
            ? 'no change of its own is under way'
            : changes.map(({ id, title }) => `${id} ${title}`).join('; ')}
      </dd>
      <dt>Calls</dt>
      <dd>none is touched</dd>
      <dt>Way back</dt>
      <dd>
        thaw, here or with <code>mm thaw</code>
      </dd>
    </dl>
  )
}

export function ThawAction({ quiet = false }: { quiet?: boolean }) {
  return (
    <Action
      label="Thaw"
      command={commandOf('thaw')}
      kind={quiet ? 'quiet' : 'normal'}
      preview={async () => {
        const { changes } = await ask('POST /api/plan', { body: {} })
        return (
          <>
            <p>{HOLDS.none} What was saved meanwhile:</p>
            <Planned changes={changes} />
          </>
        )
      }}
      run={async () => toastOf((await ask('POST /api/thaw')).frozen, 'none')}
    />
  )
}

const toastOf = (frozen: Scope, wanted: Scope): ToastText =>
  frozen === wanted
    ? { tone: 'good', text: frozen === 'none' ? 'thawed' : `frozen: ${frozen}`, detail: HOLDS[frozen] }
    : {
        tone: 'warn',
        text: `the file says ${wanted}, and ${frozen} still holds`,
        detail: 'The bootloader looks each second.',
      }
