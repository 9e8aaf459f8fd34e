/** What is known of a change beside its text: who, why, where it comes from, what it cost, where it stands on record. */
import type { ComponentChildren } from 'preact'
import type { ApiAnswer } from '../../api/client.ts'
import { Card } from '../../parts/card.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'

type Proposal = ApiAnswer<'GET /api/changes/{id}'>

export type Fact = readonly [name: string, value: ComponentChildren]

/** Facts that are there; what is null or undefined is left out. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
    </dl>
  )
}

const dollars = (value: number): string => `$${Number(value.toPrecision(3))}`

export function ChangeFacts({ found }: { found: Proposal }) {
  const { service, touches, actor, origin, intent, reason, approved_by, approval_id, occurrences } = found
  const { created_at, live_at, confidence, cost_usd, builds_on = [], generations } = found
  const live = Object.entries(generations).map(([api, generation]) => `${api} g${generation}`)
  return (
    <Facts
      facts={[
        ['Service', <a href={hrefOf('services', [service])}>{service}</a>],
        ['Touches', touches.length === 0 ? 'nothing that runs' : touches.join(', ')],
        [
          'Proposed',
          <>
            <Time at={created_at} /> by {actor} ({origin}){occurrences > 1 && `, ${occurrences} times`}
          </>,
        ],
        ['Intent', intent],
        ['Reason', reason],
        ['Confidence', confidence],
        ['Cost', cost_usd === undefined ? undefined : dollars(cost_usd)],
        ['Builds on', builds_on.length === 0 ? undefined : <Links ids={builds_on} />],
        ['Approved', approved_by === null ? undefined : `by ${approved_by}`],
        ['Approval', approval_id === null ? undefined : <a href={hrefOf('inbox', [approval_id])}>{approval_id}</a>],
        ['Live', live_at === null ? undefined : <Time at={live_at} as="clock" />],
        ['Generations', live.length === 0 ? undefined : live.join(', ')],
      ]}
    />
  )
}

function Links({ ids }: { ids: readonly string[] }) {
  return (
    <>
      {ids.map((id) => (
        <a key={id} href={hrefOf('changes', [id])}>
          {id}{' '}
        </a>
      ))}
    </>
  )
}

/** Where it comes from, and what the ledger has of it. */
export function Record({ found: { id, lineage, ledger } }: { found: Proposal }) {
  const parent = lineage?.parent
  return (
    <Card title="Where it comes from">
      <Facts
        facts={[
          [
            'Model',
            lineage === undefined ? 'none: it was not written by a model' : `${lineage.model} of ${lineage.provider}`,
          ],
          ['Follows', typeof parent === 'string' ? <a href={hrefOf('changes', [parent])}>{parent}</a> : undefined],
          ['Prompt', lineage === undefined ? undefined : <code>{lineage.prompt_hash}</code>],
          ['Answer', lineage === undefined ? undefined : <code>{lineage.response_hash}</code>],
          [
            'Ledger',
            ledger.length === 0 ? undefined : (
              <a href={hrefOf('ledger', [id])}>
                {ledger.length} {ledger.length === 1 ? 'entry' : 'entries'}: {ledger.join(', ')}
              </a>
            ),
          ],
        ]}
      />
    </Card>
  )
}
