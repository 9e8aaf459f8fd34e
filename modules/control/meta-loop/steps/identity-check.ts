/**
 * Step 5: is what would change still the system it is meant to be? Too many goals below their threshold: it looks again
 * from the beginning, once (channel E). A change that may never be made, or drift that stays: all changes are for a person
 * and the policy is asked again, three times at most; then one urgent signal tells of it, nothing changes, and what may be
 * changed at all waits for a person (channel B).
 */
import { META_GOALS, type IdentityVerdict } from '../../../contracts/meta-loop.ts'
import { perceived, type Staged, type StepWork } from '../staged.ts'

const ROUNDS_MAX = 3

export const identityCheck: StepWork = async ({ config, inbox }, staged, _cycle, signal) => {
  const identity = verdictOf(staged, config.meta_loop.drift_threshold)
  if (identity === 'no_changes' || identity === 'approved') return { outcome: 'done', staged: { identity } }
  if (identity === 'rejected_high_drift' && !staged.drift_restart)
    return { outcome: 'drifted', staged: { identity, drift_restart: true } }
  const identity_rounds = staged.identity_rounds + 1
  if (identity_rounds < ROUNDS_MAX) return { outcome: 'rejected', staged: { identity, identity_rounds, forced: true } }
  const reason = `identity check rejected after ${ROUNDS_MAX} rounds: ${identity}`
  signal.throwIfAborted()
  inbox.push({ source: 'engine_alert', priority: 'urgent', payload: { action: 'ALERT', reason } })
  return { outcome: 'done', staged: { identity, identity_rounds, notes: [...staged.notes, reason] } }
}

function verdictOf(staged: Readonly<Staged>, driftMax: number): IdentityVerdict {
  const { changes } = staged
  if (changes.length === 0) return 'no_changes'
  if (changes.some(({ tier }) => tier === 'NEVER')) return 'rejected_never_permission'
  const { below_threshold } = perceived(staged).scores
  return below_threshold.length / META_GOALS.length > driftMax ? 'rejected_high_drift' : 'approved'
}
