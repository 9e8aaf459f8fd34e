/** One action that waits, or was decided: what it is, what it would touch, and the decision. */
import { useState } from 'preact/hooks'
import { useAsk } from '../../api/use-ask.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { JsonCode } from '../../parts/code.tsx'
import { Patch } from '../../parts/patch.tsx'
import { AskedView } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { Facts } from '../changes/facts.tsx'
import { Decision } from './decision.tsx'
import { Touches } from './touches.tsx'
import { messageOf, proposalOf, type Approval } from './words.ts'

export function OneApproval({ id, again }: { id: string; again: () => void }) {
  const asked = useAsk({ on: ['approval.*'], every_ms: 30_000 }, 'GET /api/approvals/{id}', { params: { id } })
  const both = (): void => {
    asked.again()
    again()
  }
  return (
    <AskedView asked={asked} label="The approval">
      {(approval) => <Shown approval={approval} again={both} />}
    </AskedView>
  )
}

const TONES = { pending: 'warn', approved: 'good', rejected: 'off', expired: 'off' } as const

function Shown({ approval, again }: { approval: Approval; again: () => void }) {
  const { title, state, impact, diff, asked_at, expires_at, actor, target, reason, cost_usd } = approval
  const [isWhole, setWhole] = useState(false)
  const change = proposalOf(approval)
  return (
    <div class="stack">
      <Card title={title} actions={<Badge tone={TONES[state]}>{state}</Badge>}>
        <div class="stack">
          <Facts
            facts={[
              ['Asks', actor],
              ['For', target],
              ['Because', reason],
              ['Impact', impact],
              ['Rule', ruleOf(approval)],
              ['Cost', cost_usd === undefined ? undefined : `$${Number(cost_usd.toPrecision(3))}`],
              ['Change', change === undefined ? undefined : <a href={hrefOf('changes', [change])}>{change}</a>],
              ['Asked', <Time at={asked_at} />],
              ['Until', state === 'pending' ? <Time at={expires_at} as="clock" /> : undefined],
            ]}
          />
          <Outcome approval={approval} />
        </div>
      </Card>
      <Card title="What it would change">
        {diff === undefined ? (
          <JsonCode value={approval.action.payload} label="What would be called" />
        ) : (
          <div class={isWhole ? undefined : 'inbox-diff'}>
            <Patch patch={diff} label={title} />
            {diff.split('\n').length > LINES_SHOWN && !isWhole && (
              <button type="button" class="button" onClick={() => setWhole(true)}>
                Show all of it
              </button>
            )}
          </div>
        )}
      </Card>
      {state === 'pending' && (
        <>
          <Card title="What it would touch">
            <Touches approval={approval} />
          </Card>
          <Decision approval={approval} again={again} />
        </>
      )}
    </div>
  )
}

const LINES_SHOWN = 24

function ruleOf({ evidence }: Approval): string | undefined {
  const rule = evidence?.['rule']
  return typeof rule === 'string' ? rule : undefined
}

/** Who decided, and what came of it. */
function Outcome({ approval }: { approval: Approval }) {
  const { state, decided_at, decided_by, decision_reason, confirmed_by, outcome, ledger_sequence } = approval
  if (state === 'pending')
    return confirmed_by === null ? null : <p>Confirmed once, by {confirmed_by}. It is confirmed again with a reason.</p>
  const entry = ledger_sequence === null ? undefined : String(ledger_sequence)
  return (
    <div class="stack" role="status">
      <p>
        {state === 'expired' ? 'Nobody decided in time' : `${state} by ${decided_by ?? 'somebody'}`}{' '}
        <Time at={decided_at} />
        {decision_reason !== null && `: ${decision_reason}`}
        {entry !== undefined && (
          <>
            {' · '}
            <a href={hrefOf('ledger', [], { entry })}>entry {entry}</a>
          </>
        )}
      </p>
      {outcome?.ok === false && (
        <p>
          <Badge tone="bad">failed</Badge> {messageOf(outcome.value)}
        </p>
      )}
      {outcome?.ok === true && (
        <>
          <p>
            <Badge tone="good">done</Badge> The action went on and answered:
          </p>
          <JsonCode value={outcome.value} label="What the action answered" />
        </>
      )}
    </div>
  )
}
