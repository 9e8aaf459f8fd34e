/**
 * plan(desired, active) → steps. Pure: what should happen next, from what files ask for and what runs. It is asked
 * again after everything that changes either side, so it never needs to know what happened, only how things are.
 */
import type { ServiceState } from '../contracts/kernel.ts'

export interface Wanted {
  api: string
  base: string
  prog: string
  configHash: string
  sourceKey: string
}

export interface Active {
  api: string
  base: string | undefined
  state: ServiceState
  /** a movement is under way */
  busy: boolean
  /** as many versions drain as may: a further switch waits, skipping those between */
  full: boolean
  live: { prog: string; base: string; configHash: string; sourceKey: string } | undefined
  candidate: { configHash: string; sourceKey: string } | undefined
  /** the last attempt that did not go live; `because` of a neighbor that failed, and not by itself */
  refused: { configHash: string; sourceKey: string; because?: string; takenBack?: string } | undefined
  /** an attempt that was put off and is not due yet */
  putOff: { configHash: string; sourceKey: string } | undefined
  waitingFor: readonly string[]
  /** monotonic ms since when a stop, rename or change of prog is asked for */
  graceSince: number | undefined
}

export type Step =
  /** build a version and switch to it */
  | { kind: 'move'; api: string }
  /** the candidate under way is out of date */
  | { kind: 'abandon'; api: string }
  | { kind: 'stop'; api: string }
  /** a stop, rename or change of prog: look again in `ms` whether it is still asked for */
  | { kind: 'grace'; api: string; ms: number }
  /** a grace period that is no longer asked for */
  | { kind: 'calm'; api: string }

export interface PlanInput {
  wanted: ReadonlyMap<string, Wanted>
  active: ReadonlyMap<string, Active>
  /** bases and apis whose files cannot be used now: what runs from them keeps running */
  brokenBases: ReadonlySet<string>
  contestedApis: ReadonlySet<string>
  isLive(api: string): boolean
  /** monotonic ms */
  now: number
  graceMs: number
  /** apis whose stop, rename or change of prog was asked for by name: no grace */
  sure: ReadonlySet<string>
}

const same = (
  a: { configHash: string; sourceKey: string } | undefined,
  b: { configHash: string; sourceKey: string },
): boolean => a !== undefined && a.configHash === b.configHash && a.sourceKey === b.sourceKey

export function plan(input: PlanInput): Step[] {
  const steps: Step[] = []
  for (const active of input.active.values()) {
    if (input.wanted.has(active.api)) continue
    const step = planUnwanted(active, input)
    if (step !== undefined) steps.push(step)
  }
  const leaving = leavingBases(input)
  for (const wanted of input.wanted.values()) {
    const active = input.active.get(wanted.api)
    if (leaving.has(wanted.base) && active?.live === undefined && active?.busy !== true) continue
    const step = planWanted(wanted, active, input)
    if (step !== undefined) steps.push(step)
  }
  return steps
}

function planUnwanted(active: Active, input: PlanInput): Step | undefined {
  const { api, state } = active
  if (state === 'stopped' || state === 'draining') return undefined
  if (stays(active, input)) return calm(active)
  if (active.live === undefined && !active.busy) return { kind: 'stop', api }
  return graced(active, input, { kind: 'stop', api })
}

/** Nobody can say now that it is not wanted. */
const stays = ({ api, base }: Active, { contestedApis, brokenBases }: PlanInput): boolean =>
  contestedApis.has(api) || (base !== undefined && brokenBases.has(base))

/** Half-written and briefly missing files must never stop a service: the wish has to last. */
function graced(active: Active, input: PlanInput, step: Step): Step {
  if (input.sure.has(active.api)) return step
  if (active.graceSince === undefined) return { kind: 'grace', api: active.api, ms: input.graceMs }
  const left = active.graceSince + input.graceMs - input.now
  return left > 0 ? { kind: 'grace', api: active.api, ms: left } : step
}

const calm = (active: Active): Step | undefined =>
  active.graceSince === undefined ? undefined : { kind: 'calm', api: active.api }

function planWanted(wanted: Wanted, active: Active | undefined, input: PlanInput): Step | undefined {
  const move: Step = { kind: 'move', api: wanted.api }
  if (active === undefined || active.state === 'stopped') return move
  if (active.state === 'draining') return undefined
  if (active.busy) {
    const outOfDate = active.candidate !== undefined && !same(active.candidate, wanted)
    return outOfDate ? { kind: 'abandon', api: wanted.api } : undefined
  }
  if (active.live !== undefined && same(active.live, wanted)) return calm(active)
  if (same(active.putOff, wanted)) return calm(active)
  if (same(active.refused, wanted) && isStill(active.refused?.because, input)) {
    // Where the version on disk was taken back, it is the last good one that waits.
    const waits = active.waitingFor.length > 0 && active.refused?.takenBack === undefined
    return waits && active.waitingFor.every((api) => input.isLive(api)) ? move : calm(active)
  }
  if (active.full) return calm(active)
  if (active.live !== undefined && active.live.prog !== wanted.prog) return graced(active, input, move)
  return move
}

/** The neighbor because of which a version was refused still cannot follow; a version that failed by itself always. */
function isStill(because: string | undefined, { active, wanted }: PlanInput): boolean {
  if (because === undefined) return true
  const neighbor = active.get(because)
  const target = wanted.get(because)
  if (neighbor === undefined || target === undefined || neighbor.refused?.takenBack !== undefined) return false
  return neighbor.busy || same(neighbor.refused, target) || same(neighbor.putOff, target)
}

/**
 * Bases whose service has another name now and has not ended under the old one: the new name starts when the old one
 * is gone, so that ports and files are free.
 */
function leavingBases(input: PlanInput): ReadonlySet<string> {
  const bases = new Set<string>()
  for (const one of input.active.values()) {
    const { api, base, state, live, busy } = one
    if (input.wanted.has(api) || stays(one, input)) continue
    // One that runs nothing holds nothing.
    const holds = live !== undefined || busy || state === 'draining'
    const held = live?.base ?? base
    if (held !== undefined && holds) bases.add(held)
  }
  return bases
}

interface Move {
  api: string
  changed: ReadonlySet<string>
}

/** Moves that share a changed file belong together: switched in one tick, or none. */
export function groupMoves(moves: readonly Move[]): string[][] {
  const byFile = new Map<string, Move[]>()
  for (const move of moves) {
    for (const file of move.changed) {
      const sharing = byFile.get(file)
      if (sharing === undefined) byFile.set(file, [move])
      else sharing.push(move)
    }
  }
  const left = new Set(moves)
  const groups: string[][] = []
  for (const first of left) {
    const group = new Set([first])
    // A set that grows while it is walked: who shares a file with a member is walked too.
    for (const { changed } of group) {
      for (const file of changed) for (const other of byFile.get(file) ?? []) group.add(other)
    }
    for (const move of group) left.delete(move)
    groups.push(Array.from(group, ({ api }) => api))
  }
  return groups
}
