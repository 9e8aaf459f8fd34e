/**
 * The way of a proposed change as stages, and how far it has come. Every state of a proposal has its place on it; what
 * is not known from the state alone stays open. Pure.
 */
import type { ProposalState } from '../../../../modules/contracts/proposals.ts'
import type { Tone } from '../../parts/badge.tsx'

export type { ProposalState }

export interface Stage {
  name: string
  /** `now`: it stands here; `stopped`: it came to its end here; `open`: not reached, or not known */
  is: 'done' | 'now' | 'stopped' | 'open'
}

const NAMES = ['proposed', 'checked', 'approved', 'live', 'verified', 'kept'] as const
type Name = (typeof NAMES)[number]

interface Standing {
  at: Name
  is: 'now' | 'stopped' | 'done'
  tone: Tone
  /** what the state means */
  says: string
  /** what the last stage is called for it */
  last?: string
}

const STANDINGS: Readonly<Record<ProposalState, Standing>> = {
  refused: { at: 'checked', is: 'stopped', tone: 'bad', says: 'A check or the policy said no' },
  waiting: { at: 'approved', is: 'now', tone: 'warn', says: 'A person has to decide' },
  rejected: { at: 'approved', is: 'stopped', tone: 'off', says: 'A person said no' },
  expired: { at: 'approved', is: 'stopped', tone: 'off', says: 'Nobody decided in time' },
  stale: { at: 'approved', is: 'stopped', tone: 'warn', says: 'A file is no longer what it was made from' },
  queued: { at: 'live', is: 'now', tone: 'busy', says: 'It is allowed, and takes its turn' },
  applying: { at: 'live', is: 'now', tone: 'busy', says: 'Its files are being written' },
  failed: { at: 'live', is: 'stopped', tone: 'bad', says: 'A service refused it; the bytes before are back' },
  watching: { at: 'verified', is: 'now', tone: 'busy', says: 'It is live, and being measured' },
  confirmed: { at: 'kept', is: 'done', tone: 'good', says: 'It was measured, and stays' },
  restored: { at: 'kept', is: 'stopped', tone: 'warn', says: 'It did not help, or hurt', last: 'restored' },
  undone: { at: 'kept', is: 'stopped', tone: 'off', says: 'A person took it back', last: 'undone' },
}

export const toneOf = (state: ProposalState): Tone => STANDINGS[state].tone
export const meaningOf = (state: ProposalState): string => STANDINGS[state].says

/** What one change says of itself beyond its state. */
export interface Reached {
  approved_by: string | null
  live_at: number | null
}

/** A change may find its files changed at any stage. */
function placeOf(state: ProposalState, at: Name, reached: Reached | undefined): Name {
  if (state !== 'stale' || reached === undefined) return at
  return reached.live_at !== null ? 'verified' : reached.approved_by !== null ? 'live' : at
}

export function stagesOf(state: ProposalState, reached?: Reached): Stage[] {
  const { at: usual, is, last = 'kept' } = STANDINGS[state]
  const at = placeOf(state, usual, reached)
  const here = NAMES.indexOf(at)
  return NAMES.map((name, index): Stage => {
    const shown = name === 'kept' ? last : name
    if (index > here) return { name: shown, is: 'open' }
    if (index === here) return { name: shown, is }
    // Whoever takes a change back need not have waited for its measurement.
    return { name: shown, is: state === 'undone' && name === 'verified' ? 'open' : 'done' }
  })
}

/** What a list can be narrowed to. */
export const GROUPS = {
  all: 'All',
  open: 'Under way',
  kept: 'Kept',
  back: 'Taken back',
  refused: 'Not let through',
} as const
export type Group = keyof typeof GROUPS

const GROUP_OF: Readonly<Record<ProposalState, Exclude<Group, 'all'>>> = {
  waiting: 'open',
  queued: 'open',
  applying: 'open',
  watching: 'open',
  confirmed: 'kept',
  restored: 'back',
  undone: 'back',
  failed: 'back',
  refused: 'refused',
  rejected: 'refused',
  expired: 'refused',
  stale: 'refused',
}

export const isIn = (group: Group, state: ProposalState): boolean => group === 'all' || GROUP_OF[state] === group
export const isGroup = (text: string | undefined): text is Group => text !== undefined && text in GROUPS
