/** Proposed changes, the newest first, each with how far it has come. */
import { useState } from 'preact/hooks'
import type { ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { services } from '../../live/index.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { SelectField } from '../../parts/field.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf, setQuery, type Route } from '../../route.ts'
import { GROUPS, isGroup, isIn, type Group } from './stages.ts'
import { ChangeBadge, Track } from './track.tsx'

type Line = ApiAnswer<'GET /api/changes'>['changes'][number]

const STEP = 50
const MOST = 500

export function ChangeList({ query }: { query: Route['query'] }) {
  const [shown, setShown] = useState(STEP)
  const { service } = query
  const group: Group = isGroup(query['show']) ? query['show'] : 'all'
  const asked = useAsk({ on: ['proposal.*'], every_ms: 10_000 }, 'GET /api/changes', {
    query: { limit: MOST, ...(service === undefined ? {} : { service }) },
  })
  return (
    <Card title="Proposed changes" actions={<Filters group={group} service={service} />} flush>
      <AskedView asked={asked} label="Changes">
        {({ changes }) => {
          const fitting = changes.filter(({ state }) => isIn(group, state))
          if (fitting.length === 0) return <NoChanges isAny={changes.length > 0 || service !== undefined} />
          return (
            <>
              <ol class="changes-list">
                {fitting.slice(0, shown).map((line) => (
                  <li key={line.id}>
                    <Row line={line} />
                  </li>
                ))}
              </ol>
              {fitting.length > shown && (
                <p class="state">
                  <Button onClick={() => setShown(shown + STEP)}>Show more of {fitting.length}</Button>
                </p>
              )}
            </>
          )
        }}
      </AskedView>
    </Card>
  )
}

function Row({ line: { id, state, service, title, actor, origin, changed_at } }: { line: Line }) {
  return (
    <a class="changes-row" href={hrefOf('changes', [id])}>
      <code>{id}</code>
      <span class="changes-what">
        <strong>{title}</strong>
        <span class="dim">
          {service} · by {actor} ({origin})
        </span>
      </span>
      <Track state={state} />
      <span class="changes-state">
        <ChangeBadge state={state} />
      </span>
      <span class="changes-when">
        <Time at={changed_at} />
      </span>
    </a>
  )
}

function Filters({ group, service }: { group: Group; service: string | undefined }) {
  const names = (services.value ?? []).map(({ api }) => api)
  const known = service === undefined || names.includes(service) ? names : [service, ...names]
  return (
    <>
      <SelectField
        label="Show"
        bare
        value={group}
        choices={Object.entries(GROUPS).map(([value, text]) => ({ value, text }))}
        onPick={(picked) => setQuery({ show: picked === 'all' ? undefined : picked })}
      />
      <SelectField
        label="Service"
        bare
        value={service ?? ''}
        choices={[{ value: '', text: 'Every service' }, ...known]}
        onPick={(picked) => setQuery({ service: picked === '' ? undefined : picked })}
      />
    </>
  )
}

function NoChanges({ isAny }: { isAny: boolean }) {
  if (isAny) return <Empty title="No change fits">Others are there: show all of them, of every service.</Empty>
  return (
    <Empty title="Nothing has been proposed yet">
      The meta-loop, a model you ask under “Improvements”, or <code>POST /api/changes</code> propose changes. What you
      edit on disk yourself needs no proposal.
    </Empty>
  )
}
