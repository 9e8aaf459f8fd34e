/** What the policy says to something, by which rule, and what each of its parts said. */
import type { PolicyVerdict, Tier } from '../../../../modules/contracts/policy.ts'
import { Badge, type Tone } from '../../parts/badge.tsx'
import './policy.css'

const TONES: Readonly<Record<Tier, Tone>> = { AUTO_APPROVE: 'good', HUMAN_REVIEW: 'warn', NEVER: 'bad' }
const SAYS: Readonly<Record<Tier, string>> = {
  AUTO_APPROVE: 'It would be done, and recorded.',
  HUMAN_REVIEW: 'It would wait for a person.',
  NEVER: 'It would be refused.',
}

export function TierBadge({ tier }: { tier: Tier }) {
  return (
    <Badge tone={TONES[tier]} title={SAYS[tier]}>
      {tier}
    </Badge>
  )
}

/** `asked`: it is a question and nothing that happens: then it is said what would come of it. */
export function Verdict({ verdict, asked = false }: { verdict: PolicyVerdict; asked?: boolean }) {
  const { tier, rule, message, altitude, impact, confirm_twice, reasons } = verdict
  return (
    <div class="stack">
      <p class="policy-verdict">
        <TierBadge tier={tier} /> by <code>{rule}</code>
      </p>
      <p>
        {message}. {asked && SAYS[tier]} {confirm_twice && 'It takes two confirmations, the second with a reason.'}
      </p>
      <dl class="facts">
        <dt>Altitude</dt>
        <dd>{altitude}</dd>
        <dt>Impact</dt>
        <dd>{impact}</dd>
      </dl>
      <details open={asked}>
        <summary>What each part of the policy said ({reasons.length})</summary>
        <ul class="policy-reasons">
          {reasons.map((reason, at) => (
            <li key={at}>
              <TierBadge tier={reason.tier} />
              <code>
                {reason.by}/{reason.rule}
              </code>
              <span>{reason.message}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  )
}
