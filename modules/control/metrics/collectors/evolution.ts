/** What became of changes that were proposed: the proposals of `rollouts`. */
import type { ProposalState, RolloutsApi } from '../../../contracts/proposals.ts'
import { counted, shareOf, type Collector, type Look, type Values } from '../look.ts'

const LIMIT = 1_000
const ALLOWED: readonly ProposalState[] = [
  'queued',
  'applying',
  'failed',
  'watching',
  'confirmed',
  'restored',
  'undone',
]
const DENIED: readonly ProposalState[] = ['refused', 'rejected', 'expired']

export const evolution: Collector = { domain: 'evolution', collect }

async function collect(look: Look): Promise<Values> {
  const { now, config } = look.scene
  const since = now - config.evolution_window_ms
  const answer = await look.ask<RolloutsApi, { proposals: { state: ProposalState; created_at: number }[] }>(
    'rollouts',
    (rollouts) => rollouts.list({ limit: LIMIT }),
  )
  if (answer === undefined) return {}
  const states = answer.proposals.filter(({ created_at }) => created_at >= since).map(({ state }) => state)
  const of = (...wanted: readonly ProposalState[]): number => states.filter((state) => wanted.includes(state)).length
  const [allowed, denied] = [of(...ALLOWED), of(...DENIED)]
  const [kept, back] = [of('confirmed'), of('restored', 'undone')]
  return {
    total_proposals: counted(states.length),
    approval_rate: shareOf(allowed, allowed + denied),
    kept_rate: shareOf(kept, kept + back),
    restored: counted(back),
  }
}
