/** What a change would touch, as `POST /api/plan` tells it: for the previews of actions. */
import type { ComponentChildren } from 'preact'
import { ask, type ApiAnswer } from '../api/client.ts'
import { Badge } from './badge.tsx'
import { Failure } from './states.tsx'

export type PlannedChange = ApiAnswer<'POST /api/plan'>['changes'][number]

/** For `preview` of an action that writes these files. */
export async function planOf(files: { path: string; text?: string | null }[]): Promise<ComponentChildren> {
  const { changes } = await ask('POST /api/plan', { body: { files } })
  return <Planned changes={changes} />
}

export function Planned({ changes }: { changes: readonly PlannedChange[] }) {
  if (changes.length === 0) return <p>Nothing that runs would change.</p>
  return (
    <>
      {changes.map((change) => (
        <section key={change.api} class="stack">
          <h3>
            {change.api} <Badge tone={change.change === 'stop' ? 'warn' : 'info'}>{change.change}</Badge>
          </h3>
          <dl class="facts">
            <dt>Serves now</dt>
            <dd>{change.generation === null ? 'nothing' : `g${change.generation}`}</dd>
            <dt>State</dt>
            <dd>{change.state}</dd>
            <dt>Called by</dt>
            <dd>{listOf(change.callers, 'nobody')}</dd>
            <dt>Together with</dt>
            <dd>{listOf(change.together_with, 'nothing else')}</dd>
            <dt>Calls under way</dt>
            <dd>{change.in_flight}</dd>
            {change.powers !== null && change.powers.missing.length > 0 && (
              <>
                <dt>Powers it lacks</dt>
                <dd>{change.powers.missing.join(', ')}</dd>
              </>
            )}
          </dl>
          {change.error !== null && <Failure error={change.error} />}
        </section>
      ))}
    </>
  )
}

const listOf = (names: readonly string[], none: string): string => (names.length === 0 ? none : names.join(', '))
