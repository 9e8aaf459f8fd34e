/** One improvement: each answer of the model, and what every check said to it. */
import type { ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { AskedView, Empty, Loading } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { Checks } from './checks.tsx'
import { Facts } from './facts.tsx'
import { IMPROVEMENT_TONES } from './improvements.tsx'

type Improvement = ApiAnswer<'GET /api/improve/{id}'>
type Attempt = Improvement['attempts'][number]

const OUTCOMES = { refused: 'bad', submitted: 'good', unusable: 'warn' } as const
const LOOK_MS = 1_500

export function OneImprovement({ id }: { id: string }) {
  const asked = useAsk({ on: ['improvement.*', 'proposal.*'], every_ms: LOOK_MS }, 'GET /api/improve/{id}', {
    params: { id },
  })
  return (
    <>
      <p>
        <a href={hrefOf('changes', [], { tab: 'improve' })}>← All improvements</a>
      </p>
      <AskedView asked={asked} label={`Improvement ${id}`}>
        {(found) => <Shown found={found} />}
      </AskedView>
    </>
  )
}

function Shown({ found }: { found: Improvement }) {
  const { id, service, goal, state, message, attempts, proposal_id, cost_usd, started_at, ended_at } = found
  return (
    <div class="stack">
      <Card
        title={`${id} · ${service}`}
        actions={proposal_id !== null && <a href={hrefOf('changes', [proposal_id])}>The change {proposal_id}</a>}
      >
        <div class="stack">
          <p>
            <Badge tone={IMPROVEMENT_TONES[state]}>{state}</Badge> {message}
          </p>
          <Facts
            facts={[
              ['Goal', goal],
              ['Service', <a href={hrefOf('services', [service])}>{service}</a>],
              ['Cost', `$${Number(cost_usd.toPrecision(3))}`],
              ['Began', <Time at={started_at} />],
              ['Ended', ended_at === null ? undefined : <Time at={ended_at} />],
            ]}
          />
        </div>
      </Card>
      {attempts.map((attempt) => (
        <OneAttempt key={attempt.number} attempt={attempt} />
      ))}
      {state === 'running' && <Loading label={`Answer ${attempts.length + 1} is on its way, or being checked`} />}
      {state !== 'running' && attempts.length === 0 && <Empty title="No answer came">{message}</Empty>}
    </div>
  )
}

function OneAttempt({ attempt }: { attempt: Attempt }) {
  const { number, outcome, refused_by, message, evidence, cost_usd, proposal_id } = attempt
  return (
    <Card
      title={`Answer ${number}`}
      actions={
        <>
          <Badge tone={OUTCOMES[outcome]}>{refused_by === null ? outcome : `${outcome} by ${refused_by}`}</Badge>
          {cost_usd !== null && <span class="dim">${Number(cost_usd.toPrecision(3))}</span>}
        </>
      }
    >
      <div class="stack">
        <p class="changes-check-text">
          {message} {proposal_id !== null && <a href={hrefOf('changes', [proposal_id])}>{proposal_id}</a>}
        </p>
        <Checks evidence={evidence} />
      </div>
    </Card>
  )
}
