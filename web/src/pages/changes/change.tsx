/**
 * One proposed change: what it would change, why, what the checks, the policy and people said, what was measured, and
 * its way back.
 */
import type { ApiAnswer } from '../../api/client.ts'
import { ask } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { Action } from '../../parts/action.tsx'
import { Card } from '../../parts/card.tsx'
import { Patch } from '../../parts/patch.tsx'
import { planOf } from '../../parts/planned.tsx'
import { AskedView } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { Verdict } from '../policy/verdict.tsx'
import { Checks } from './checks.tsx'
import { ChangeFacts, Record } from './facts.tsx'
import { Measurement } from './measurement.tsx'
import { meaningOf } from './stages.ts'
import { ChangeBadge, Track } from './track.tsx'

type Proposal = ApiAnswer<'GET /api/changes/{id}'>

/** Values are read while it is measured, and nothing tells of each of them. */
const LOOK_MS = 5_000

export function OneChange({ id }: { id: string }) {
  const asked = useAsk({ on: ['proposal.*', 'approval.*'], every_ms: LOOK_MS }, 'GET /api/changes/{id}', {
    params: { id },
  })
  return (
    <>
      <p>
        <a href={hrefOf('changes')}>← All changes</a>
      </p>
      <AskedView asked={asked} label={`Change ${id}`}>
        {(found) => <Shown found={found} again={asked.again} />}
      </AskedView>
    </>
  )
}

function Shown({ found, again }: { found: Proposal; again: () => void }) {
  const { id, title, state, message, diff, evidence = [], verdict } = found
  // What was live is looked at for what was measured.
  const measured = (
    <Card title="What was measured">
      <Measurement found={found} />
    </Card>
  )
  return (
    <div class="stack">
      <Card title={`${id} · ${title}`} actions={<Actions found={found} again={again} />}>
        <div class="stack">
          <Track state={state} reached={found} named />
          <p>
            <ChangeBadge state={state} /> {sentence(message === '' ? meaningOf(state) : message)}{' '}
            <span class="dim">
              <Time at={found.changed_at} />
            </span>
          </p>
        </div>
      </Card>
      {found.live_at !== null && measured}
      <div class="split">
        <div class="stack">
          <Card title="What it changes">
            <Patch patch={diff} label={title} />
          </Card>
          <Card title="What the checks said">
            <Checks evidence={evidence} />
          </Card>
          {found.live_at === null && measured}
        </div>
        <div class="stack">
          <Card title="About it">
            <ChangeFacts found={found} />
          </Card>
          <Card title="What the policy said">
            {verdict === null ? (
              <p class="dim">It was not asked: a check said no before.</p>
            ) : (
              <Verdict verdict={verdict} />
            )}
          </Card>
          <Record found={found} />
        </div>
      </div>
    </div>
  )
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function Actions({ found, again }: { found: Proposal; again: () => void }) {
  const { id, state, approval_id, title } = found
  if (state === 'waiting' && approval_id !== null)
    return (
      <a class="button is-primary is-link" href={hrefOf('inbox', [approval_id])}>
        Decide
      </a>
    )
  if (state !== 'watching' && state !== 'confirmed') return null
  return (
    <Action
      label="Undo"
      kind="danger"
      command={commandOf('undo', { what: id })}
      preview={() => blastRadius(found)}
      run={async () => {
        const after = await ask('POST /api/changes/{id}/undo', { params: { id }, body: { by: 'operator' } })
        again()
        return {
          tone: 'good',
          text: `${id} undone: ${after.edits.length} ${after.edits.length === 1 ? 'file' : 'files'} as before`,
          detail: `${title}; ${after.touches.join(', ')} ${after.touches.length === 1 ? 'runs' : 'run'} what was there`,
          href: hrefOf('changes', [id]),
        }
      }}
    />
  )
}

/** What the way back would touch: the same files, with the bytes before. */
async function blastRadius({ edits, before, live_at }: Proposal) {
  const planned = await planOf(
    edits.map(({ path, base_hash }) => (base_hash === null ? { path, text: null } : { path })),
  )
  return (
    <>
      <p>
        The exact bytes before it come back, on disk and running, if nobody has written these files since. Changes that
        build on it go back first.
      </p>
      <ul>
        {edits.map(({ path, base_hash, text }) => (
          <li key={path}>
            <code>{path}</code>{' '}
            <span class="dim">
              {base_hash === null ? 'is removed' : text === null ? 'is there again' : 'as it was'}
            </span>
          </li>
        ))}
      </ul>
      {live_at !== null && before !== null && (
        <p class="dim">
          Live since <Time at={live_at} />.
        </p>
      )}
      {planned}
    </>
  )
}
