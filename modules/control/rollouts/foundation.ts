/**
 * What a proposal builds on, and what builds on it: it is applied when all it builds on is kept for good, and goes back
 * before any of it does. Reads only. Used on the way in, before a proposal is applied, and before one is taken back.
 */
import type { Proposal, ProposalState } from '../../contracts/proposals.ts'
import { coded } from '../../lib/errors.ts'
import { numberOf } from './made.ts'
import type { Kept, RolloutStore } from './store.ts'

/** It may still be kept for good. */
const TO_COME: ReadonlySet<ProposalState> = new Set(['waiting', 'queued', 'applying', 'watching'])
const LIVE: ReadonlySet<ProposalState> = new Set(['watching', 'confirmed'])

type Waits = { kind: 'ready' } | { kind: 'waits'; message: string } | { kind: 'gone'; message: string }

/** Whether all it builds on is there. */
export function foundationOf(store: RolloutStore, { builds_on = [] }: Pick<Proposal, 'builds_on'>): Waits {
  for (const id of builds_on) {
    const state = store.get(numberOf(id))?.proposal.state
    if (state === 'confirmed') continue
    const message = `${id}, which it builds on, is ${state ?? 'not there'}`
    return state !== undefined && TO_COME.has(state) ? { kind: 'waits', message } : { kind: 'gone', message }
  }
  return { kind: 'ready' }
}

/** Throws `proposal_missing` or `proposal_not_live` for one that never will be there. */
export function checkFoundation(store: RolloutStore, { builds_on = [] }: Pick<Proposal, 'builds_on'>): void {
  for (const id of builds_on) {
    const below = store.get(numberOf(id))?.proposal
    if (below === undefined) throw coded('proposal_missing', { proposal: id })
    if (below.state !== 'confirmed' && !TO_COME.has(below.state))
      throw coded('proposal_not_live', { proposal: id, state: below.state, reason: below.message })
  }
}

/** What is live and builds on it, also by way of another: the newest first, so that each goes before what it builds on. */
export function builtOn(store: RolloutStore, id: string): Kept[] {
  const found = new Map<number, Kept>()
  const seek = (below: string): void => {
    for (const kept of store.buildingOn(below)) {
      if (!LIVE.has(kept.proposal.state) || found.has(kept.number)) continue
      found.set(kept.number, kept)
      seek(kept.proposal.id)
    }
  }
  seek(id)
  return [...found.values()].sort((a, b) => b.number - a.number)
}
