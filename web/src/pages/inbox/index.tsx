/**
 * What waits for a person: a list, and beside it (on a phone: behind it) the one that is looked at, with what it would
 * touch and the two buttons. `#/inbox/ID` is one of them, decided or not.
 */
import { useAsk } from '../../api/use-ask.ts'
import type { PageProps } from '../../pages.ts'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { SelectField } from '../../parts/field.tsx'
import { AskedView, Empty, Loading } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf, setQuery } from '../../route.ts'
import { OneApproval } from './one.tsx'
import { OneTurn } from './turn.tsx'
import { isState, type State, type Waiting } from './words.ts'
import './inbox.css'

const STATES = [
  { value: 'pending', text: 'Waiting' },
  { value: 'approved', text: 'Approved' },
  { value: 'rejected', text: 'Rejected' },
  { value: 'expired', text: 'Expired' },
] as const

const SHOWN_MAX = 200

export default function Inbox({ route: { parts, query } }: PageProps) {
  const state: State = isState(query['state']) ? query['state'] : 'pending'
  const asked = useAsk({ on: ['approval.*', 'proposal.*'], every_ms: 10_000 }, 'GET /api/approvals', {
    query: { state, limit: SHOWN_MAX },
  })
  const all = asked.value?.approvals ?? []
  const id = parts[0] ?? (state === 'pending' ? all[0]?.approval_id : undefined)
  return (
    <div class={parts[0] === undefined ? 'inbox' : 'inbox is-open'}>
      <div class="inbox-list">
        <Card title={STATES.find(({ value }) => value === state)?.text ?? ''} actions={<Which state={state} />} flush>
          <AskedView asked={asked} label="Approvals">
            {({ approvals, next_cursor }) => (
              <>
                <List approvals={newestFirst(approvals, state)} state={state} picked={id} />
                {next_cursor !== undefined && <p class="state">The first {SHOWN_MAX} are shown.</p>}
              </>
            )}
          </AskedView>
        </Card>
      </div>
      <div class="inbox-one">
        {parts[0] !== undefined && (
          <p class="inbox-back">
            <a href={hrefOf('inbox', [], { state: query['state'] })}>← All of them</a>
          </p>
        )}
        {id !== undefined && <One key={id} id={id} all={all} isRead={asked.state !== 'loading'} again={asked.again} />}
      </div>
    </div>
  )
}

interface OneProps {
  id: string
  all: readonly Waiting[]
  isRead: boolean
  again: () => void
}

/** A turn of the assistant is known from the list only; an action has more to it. */
function One({ id, all, isRead, again }: OneProps) {
  const known = all.find(({ approval_id }) => approval_id === id)
  if (known === undefined && !isRead) return <Loading label="The approval" />
  return known?.source === 'turn' ? <OneTurn turn={known} again={again} /> : <OneApproval id={id} again={again} />
}

/** What waits longest comes first; of what was decided, the newest. */
const newestFirst = (all: readonly Waiting[], state: State): readonly Waiting[] =>
  state === 'pending' ? all : [...all].reverse()

function Which({ state }: { state: State }) {
  return (
    <SelectField
      label="Which"
      bare
      value={state}
      choices={STATES}
      onPick={(picked) => setQuery({ state: picked === 'pending' ? undefined : picked })}
    />
  )
}

const IMPACTS: Readonly<Record<string, Tone>> = {
  MINIMAL: 'off',
  LOW: 'off',
  MODERATE: 'info',
  HIGH: 'warn',
  CRITICAL: 'bad',
}

interface ListProps {
  approvals: readonly Waiting[]
  state: State
  picked: string | undefined
}

function List({ approvals, state, picked }: ListProps) {
  if (approvals.length === 0) return <Nothing state={state} />
  return (
    <ol class="inbox-rows">
      {approvals.map(({ approval_id, question, target, actor, impact, asked_at, confirmed_by, source }) => (
        <li key={approval_id}>
          <a
            href={hrefOf('inbox', [approval_id], { state: state === 'pending' ? undefined : state })}
            aria-current={approval_id === picked ? 'true' : undefined}
          >
            <strong>{question}</strong>
            <span class="row dim">
              {impact !== undefined && <Badge tone={IMPACTS[impact] ?? 'info'}>{impact}</Badge>}
              {typeof confirmed_by === 'string' && <Badge tone="warn">confirmed once</Badge>}
              <span>{source === 'turn' ? 'a chat' : `${target ?? ''} · by ${actor ?? ''}`}</span>
              <Time at={asked_at} />
            </span>
          </a>
        </li>
      ))}
    </ol>
  )
}

function Nothing({ state }: { state: State }) {
  if (state !== 'pending') return <Empty title={`Nothing was ${state}`} />
  return (
    <Empty title="Nothing waits for you">
      What the system wants to change itself, and may not without a person, appears here and waits up to a week.
    </Empty>
  )
}
