/** The freeze: what holds, and the way in and out. It is a file of the root, so `mm freeze` works when nothing answers. */
import { useState } from 'preact/hooks'
import { ask, type ApiAnswer } from '../../api/client.ts'
import { Action } from '../../parts/action.tsx'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { CheckField, TextField } from '../../parts/field.tsx'
import { Planned } from '../../parts/planned.tsx'
import type { ToastText } from '../../parts/toast.tsx'

type Scope = ApiAnswer<'GET /api/kernel'>['frozen']

const HOLDS: Record<Scope, string> = {
  none: 'The system may change itself, within its policy. Your file edits apply.',
  self: 'The system may not change itself. Your file edits apply; rollback and undo work.',
  all: 'Nothing changes, your file edits included. Rollback and undo work.',
}

export function Freeze({ frozen }: { frozen: Scope }) {
  return (
    <Card
      title="Freeze"
      actions={<Badge tone={frozen === 'none' ? 'off' : 'warn'}>{frozen === 'none' ? 'not frozen' : frozen}</Badge>}
    >
      <div class="stack">
        <p>{HOLDS[frozen]}</p>
        {frozen !== 'all' && <Freezing frozen={frozen} />}
        {frozen !== 'none' && <Thaw />}
      </div>
    </Card>
  )
}

function Freezing({ frozen }: { frozen: Scope }) {
  const [isAll, setAll] = useState(false)
  const [reason, setReason] = useState('')
  // Over one that holds already only the wider makes a difference.
  const scope = isAll || frozen === 'self' ? 'all' : 'self'
  const said = reason.trim()
  return (
    <>
      <TextField label="Reason" hint="It is kept in runtime/FREEZE." value={reason} onInput={setReason} />
      {frozen === 'none' && <CheckField label="Stop file edits too" checked={isAll} onPick={setAll} />}
      <div class="row">
        <Action
          label={scope === 'all' ? 'Freeze everything' : 'Freeze'}
          command={commandOf(scope, said)}
          kind="danger"
          preview={() => before(scope)}
          run={async () => {
            const told = await ask('POST /api/freeze', { body: said === '' ? { scope } : { scope, reason: said } })
            return toastOf(told.frozen, scope)
          }}
        />
      </div>
    </>
  )
}

const commandOf = (scope: 'self' | 'all', reason: string): string =>
  [
    'mm freeze',
    ...(scope === 'all' ? ['--all'] : []),
    ...(reason === '' ? [] : ['--reason', JSON.stringify(reason)]),
  ].join(' ')

/** What is under way by the system itself, and stops there. */
async function before(scope: 'self' | 'all') {
  const changes = await ask('GET /api/changes', { query: { limit: 500 } }).then(
    (told) => told.changes.filter(({ origin, state }) => origin === 'self' && WAITING.has(state)),
    // A root without proposals has none to stop.
    () => [],
  )
  return (
    <>
      <p>{HOLDS[scope]}</p>
      <dl class="facts">
        <dt>Changes of its own that stop</dt>
        <dd>
          {changes.length === 0 ? 'none is under way' : changes.map(({ id, title }) => `${id} ${title}`).join('; ')}
        </dd>
        <dt>Calls</dt>
        <dd>none is touched</dd>
        <dt>Way back</dt>
        <dd>thaw, here or with mm thaw</dd>
      </dl>
    </>
  )
}

const WAITING = new Set(['waiting', 'queued', 'applying'])

function Thaw() {
  return (
    <div class="row">
      <Action
        label="Thaw"
        command="mm thaw"
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
    </div>
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
