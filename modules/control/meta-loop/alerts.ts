/** What a person is told of, from what the last cycles saw and what became of what they proposed. Pure. */
import type { Cycle } from '../../contracts/meta-loop.ts'
import type { Proposal } from '../../contracts/proposals.ts'
import type { Proposed } from './store.ts'

export interface AlertFacts {
  /** completed ones, newest first */
  cycles: readonly Cycle[]
  /** of the loop, newest first */
  proposals: readonly Proposal[]
  /** what led to them */
  proposed: readonly Proposed[]
  limits: { failures_max: number; gap_cycles: number }
}

export interface Alert {
  key: string
  message: string
}

/** Its gap is an alert at once. */
const COMPLIANCE = 'compliance'

export const alertsOf = (facts: AlertFacts): Alert[] => [
  ...failures(facts),
  ...openGaps(facts),
  ...survivors(facts),
  ...compliance(facts),
]

/** Taken back since the last that was kept. */
function failures({ proposals, limits }: AlertFacts): Alert[] {
  const judged = proposals.filter(({ state }) => state === 'confirmed' || state === 'restored')
  const lastKept = judged.findIndex(({ state }) => state === 'confirmed')
  const failed = lastKept < 0 ? judged : judged.slice(0, lastKept)
  if (failed.length < limits.failures_max) return []
  const ids = failed.map(({ id }) => id).join(', ')
  return [{ key: 'verification_failures', message: `${failed.length} changes in a row did not help: ${ids}` }]
}

function openGaps({ cycles, limits }: AlertFacts): Alert[] {
  const looked = cycles.slice(0, limits.gap_cycles)
  const [newest] = looked
  if (newest === undefined || looked.length < limits.gap_cycles) return []
  const isOpen = (cycle: Cycle, goal: string): boolean => (cycle.gaps.find((one) => one.goal === goal)?.gap ?? 0) > 0
  return newest.gaps
    .filter(({ goal }) => looked.every((cycle) => isOpen(cycle, goal)))
    .map(({ goal, current, target }) => ({
      key: `gap_open ${goal}`,
      message: `${goal} is not reached after ${looked.length} cycles: ${current}, target ${target}`,
    }))
}

/** Its change was kept before the cycle began, and what it was for is seen still. */
function survivors({ cycles, proposals, proposed }: AlertFacts): Alert[] {
  const [newest] = cycles
  if (newest === undefined) return []
  const kept = new Map(proposals.filter(({ state }) => state === 'confirmed').map((one) => [one.id, one]))
  return newest.findings.flatMap(({ rule, fingerprint }) => {
    const done = proposed.find((one) => one.fingerprint === fingerprint && kept.has(one.proposal))
    const change = done && kept.get(done.proposal)
    if (change === undefined || change.changed_at >= newest.started_at) return []
    return [{ key: `pattern_survives ${rule}`, message: `${rule} is seen still, after ${change.id} was kept for it` }]
  })
}

function compliance({ cycles: [newest] }: AlertFacts): Alert[] {
  const gap = newest?.gaps.find(({ goal }) => goal === COMPLIANCE)
  if (gap?.gap === undefined || gap.gap === null || gap.gap <= 0) return []
  return [{ key: 'compliance_low', message: `compliance is ${gap.current}, target ${gap.target}` }]
}
