/** What each check said, in the order they were asked. */
import type { Evidence } from '../../../../modules/contracts/proposals.ts'
import { Badge } from '../../parts/badge.tsx'
import { JsonCode } from '../../parts/code.tsx'
import { ageOf } from '../../parts/time.tsx'
import './changes.css'

const TONES = { passed: 'good', failed: 'bad', skipped: 'off' } as const

export function Checks({ evidence }: { evidence: readonly Evidence[] }) {
  if (evidence.length === 0) return <p class="dim">No check was asked.</p>
  return (
    <ul class="changes-checks">
      {evidence.map(({ check, outcome, message, ms, details }) => (
        <li key={check}>
          <span>
            <Badge tone={TONES[outcome]}>{outcome}</Badge>
          </span>
          <strong>{check}</strong>
          <span class="changes-check-text">{message}</span>
          <span class="dim changes-check-ms">{ageOf(ms)}</span>
          {details !== undefined && details !== null && (
            <details class="changes-check-more">
              <summary>Details</summary>
              <JsonCode value={details} label={`What ${check} found`} />
            </details>
          )}
        </li>
      ))}
    </ul>
  )
}
