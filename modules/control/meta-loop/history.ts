/**
 * What became of what the loop proposed before: so that a rule does not propose again what waits or is being measured,
 * and what a person refused, or what did not help, is not asked for again too soon.
 */
import type { Proposal, ProposalState } from '../../contracts/proposals.ts'
import { codeOf } from '../../lib/errors.ts'
import type { Means } from './means.ts'
import type { FiredMemory } from './rules/evaluate.ts'
import type { Proposed } from './store.ts'

const HOUR_MS = 3_600_000
const OPEN: ReadonlySet<ProposalState> = new Set(['waiting', 'queued', 'applying', 'watching'])
/** Somebody, or the traffic, has said no to it. */
const SAID_NO: ReadonlySet<ProposalState> = new Set(['rejected', 'restored', 'undone'])

export const isOpen = ({ state }: Pick<Proposal, 'state'>): boolean => OPEN.has(state)

/** Whether the loop proposed it: by itself, or by an improvement it asked for. */
export function isOwn({ kernel, store }: Pick<Means, 'kernel' | 'store'>, { actor, lineage }: Proposal): boolean {
  const parent = lineage?.parent ?? null
  return actor === kernel.api || (parent !== null && store.cycleOf(parent) !== null)
}

/** undefined: `rollouts` keeps it no more. */
export async function stateOf({ rollouts }: Pick<Means, 'rollouts'>, id: string): Promise<Proposal | undefined> {
  try {
    return await rollouts.show(id)
  } catch (thrown) {
    if (codeOf(thrown) === 'proposal_missing') return undefined
    throw thrown
  }
}

/** Somebody, or the traffic, has said no to it, and it is not asked for again yet. */
export async function isRefused(means: Means, fingerprint: string): Promise<boolean> {
  const last = means.store.lastProposed(fingerprint)
  const known = last && (await stateOf(means, last.proposal))
  return last !== undefined && known !== undefined && !isOpen(known) && isTheSame(means, last, known)
}

export async function firedMemory(means: Means): Promise<FiredMemory> {
  const since = means.kernel.clock.now() - means.config.repeat_after_hours * HOUR_MS
  const pending: string[] = []
  const fired_at: Record<string, number> = {}
  for (const { fingerprint, proposal, at } of means.store.proposedSince(since)) {
    fired_at[fingerprint] ??= at
    const known = await stateOf(means, proposal)
    if (known !== undefined && isOpen(known)) pending.push(fingerprint)
  }
  return { pending, fired_at }
}

/**
 * The key to propose a change by: that of the last one while it is open, or as long as the answer to it was no; then it
 * is the same proposal, and counted. Else one nobody has used.
 */
export async function keyOf(means: Means, fingerprint: string, cycle: number): Promise<string> {
  const last = means.store.lastProposed(fingerprint)
  if (last === undefined) return fingerprint
  const known = await stateOf(means, last.proposal)
  return known !== undefined && isTheSame(means, last, known) ? last.key : `${fingerprint} ${cycle}`
}

function isTheSame({ kernel, config }: Means, last: Proposed, known: Proposal): boolean {
  if (isOpen(known)) return true
  return SAID_NO.has(known.state) && kernel.clock.now() - last.at < config.repeat_after_hours * HOUR_MS
}
