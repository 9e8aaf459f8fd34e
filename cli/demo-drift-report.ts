/**
 * What `mm demo drift` has found, in numbers: of each change what the policy said, who allowed it, and what was measured
 * before and after it; of each look of the loop what it measured. Pure: shapes and words.
 */
import type { Cycle, LoopHealth } from '../modules/contracts/meta-loop.ts'
import type { MetricSnapshot } from '../modules/contracts/meta-metrics.ts'
import type { EffectComparison, Improvement, Proposal } from '../modules/contracts/proposals.ts'

export interface DriftLook {
  cycle: number
  trigger: string
  /** epoch milliseconds; it looked back on `window_ms` before */
  at: number
  window_ms: number
  /** what half of the calls took at most */
  p50_ms: number | null
  /** calls that were timed */
  samples: number
  findings: string[]
}

export interface DriftChange {
  id: string
  title: string
  tier: string | null
  rule: string | null
  approved_by: string | null
  state: Proposal['state']
  message: string
  /** epoch milliseconds; null: it never was live, or was not judged */
  live_at: number | null
  verified_at: number | null
  /** the end of each window it was measured in */
  measured_at: number[]
  target: Pick<EffectComparison, 'metric' | 'before' | 'after' | 'change' | 'outcome'> | null
}

export interface DriftReport {
  quiet: DriftLook
  seen: DriftLook & { rule: string; threshold_ms: number }
  tuning: DriftChange | null
  code: {
    id: string
    state: Improvement['state']
    message: string
    verdicts: { outcome: string; refused_by: string | null; message: string }[]
    change: DriftChange | null
  } | null
  after: DriftLook & { holds: boolean }
  /** as its caller counts */
  traffic: { calls: number; failed: number }
  health: LoopHealth
  brief: string[]
  ledger: { valid: boolean; entries: number }
}

export function lookAt({ number, trigger, findings }: Cycle, snapshot: MetricSnapshot, metric: string): DriftLook {
  const { value, samples } = snapshot.values[metric] ?? { value: null, samples: 0 }
  const rules = findings.map(({ rule }) => rule)
  const { at, window_ms } = snapshot
  return { cycle: number, trigger, at, window_ms, p50_ms: inMs(value), samples, findings: rules }
}

const inMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000)

export function changeOf(proposal: Proposal): DriftChange {
  const { id, title, verdict, approved_by, state, message, live_at, verifications } = proposal
  const last = verifications.at(-1)
  return {
    id,
    title,
    tier: verdict?.tier ?? null,
    rule: verdict?.rule ?? null,
    approved_by,
    state,
    message,
    live_at,
    verified_at: last?.at ?? null,
    measured_at: verifications.map(({ at }) => at),
    target: last?.target ?? null,
  }
}

export const codeOf = (improvement: Improvement, change: Proposal | undefined): DriftReport['code'] => ({
  id: improvement.id,
  state: improvement.state,
  message: improvement.message,
  verdicts: improvement.attempts.map(({ outcome, refused_by, message }) => ({ outcome, refused_by, message })),
  change: change === undefined ? null : changeOf(change),
})

const shown = (ms: number | null): string => (ms === null ? 'unknown' : `${Number(ms.toPrecision(3))} ms`)

export const lookText = ({ cycle, trigger, p50_ms, samples, findings }: DriftLook): string =>
  `cycle ${cycle} (${trigger}): half of ${samples} calls within ${shown(p50_ms)}; finds ${findings.join(' ') || 'nothing'}`

export function changeText({ id, title, verdict, approved_by, state, message }: Proposal): string {
  const by = approved_by === null ? '' : `; allowed by ${approved_by}`
  return `${id} ${title}\n  ${verdict?.tier ?? 'not judged'} by ${verdict?.rule ?? 'nobody'}: ${verdict?.message ?? ''}${by}\n  ${state}: ${message}`
}
