/** What the rules and patterns say of the newest snapshot, and what the loop has proposed because of such. */
import { useAsk } from '../../api/use-ask.ts'
import type { ApiAnswer } from '../../api/client.ts'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { LOOP_MS, OF_LOOP } from './index.tsx'
import { shown } from './numbers.ts'
import { changeText, SEVERITY_TONES, structureText } from './rules.tsx'

type Finding = ApiAnswer<'GET /api/meta/findings'>['findings'][number]
type Proposal = ApiAnswer<'GET /api/meta/proposals'>['proposals'][number]

const GOING = new Set(['waiting', 'queued', 'applying', 'watching', 'stale'])
const toneOf = (state: Proposal['state']): Tone =>
  state === 'confirmed' ? 'good' : state === 'waiting' ? 'warn' : GOING.has(state) ? 'busy' : 'off'

export function Findings() {
  const findings = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta/findings')
  const proposals = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta/proposals', { query: { limit: 100 } })
  return (
    <div class="stack">
      <Card title="What holds now">
        <AskedView asked={findings} label="Findings">
          {({ findings: found, snapshot, silent }) =>
            found.length === 0 ? (
              <Empty title={snapshot === null ? 'No snapshot was taken yet' : 'No rule has anything to say'}>
                {snapshot === null
                  ? 'A cycle takes one, and so does the watch every few minutes.'
                  : `${silent.length} rules looked at ${snapshot}; why each says nothing stands with the rules.`}
              </Empty>
            ) : (
              <ul class="items">
                {found.map((one) => (
                  <FindingLine key={one.fingerprint} finding={one} />
                ))}
              </ul>
            )
          }
        </AskedView>
      </Card>
      <Card title="Proposed by the loop">
        <AskedView asked={proposals} label="Proposals">
          {({ proposals: made }) =>
            made.length === 0 ? (
              <Empty title="It has proposed nothing yet">What a finding would change is proposed by a cycle.</Empty>
            ) : (
              <ul class="items">
                {made.map((one) => (
                  <ProposalLine key={one.id} proposal={one} />
                ))}
              </ul>
            )
          }
        </AskedView>
      </Card>
    </div>
  )
}

function FindingLine({
  finding: { rule, kind, severity, description, confidence, altitudes, change, structure },
}: {
  finding: Finding
}) {
  return (
    <li class="goals-rule">
      <div class="goals-head">
        <strong>{rule}</strong>
        <Badge tone={SEVERITY_TONES[severity]}>{severity}</Badge>
        <span class="dim">
          {kind}, confidence {shown(confidence)}, {altitudes.join(', ')}
        </span>
      </div>
      <p>{description}</p>
      {change !== undefined && <p class="dim">would {changeText(change)}</p>}
      {structure !== undefined && <p class="dim">would {structureText(structure)}</p>}
    </li>
  )
}

function ProposalLine({ proposal: { id, state, title, message, changed_at, approval_id } }: { proposal: Proposal }) {
  return (
    <li class="goals-rule">
      <div class="goals-head">
        <a href={hrefOf('changes', [id])}>{id}</a>
        <Badge tone={toneOf(state)}>{state}</Badge>
        <span>{title}</span>
        <Time at={changed_at} />
      </div>
      <p class="dim">
        {message}
        {state === 'waiting' && approval_id !== null && (
          <>
            {' '}
            <a href={hrefOf('inbox')}>Decide on it</a>
          </>
        )}
      </p>
    </li>
  )
}
