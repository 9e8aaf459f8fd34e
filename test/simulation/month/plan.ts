/**
 * A month, made from a seed: how much is asked for at each minute (days, nights, weekends, a week in which nothing is), what
 * goes wrong when and by how much, and what people do: they ask for cycles, sometimes many at once, say that they are
 * away, and decide about what waits. Pure; the same seed makes the same month.
 */
import { random, type Random } from '../../support/load.ts'
import { FAULTS, ROWS, type FaultKind } from './faults.ts'

export const HOUR = 60
export const DAY = 24 * HOUR
const WEEK = 7 * DAY

/** All times are minutes since the month began, which is a Monday's midnight. */
export interface Fault {
  kind: FaultKind
  at: number
  minutes: number
  size: number
}

export type Act =
  | { at: number; does: 'trigger'; trigger: 'manual' | 'emergency' | 'signal' }
  | { at: number; does: 'away'; away: boolean }
  /** each that waits is allowed, denied, or left */
  | { at: number; does: 'decide' }

export interface Plan {
  seed: number
  days: number
  /** in the order of their begins; of one track, none begins before what was measured of the one before has passed */
  faults: Fault[]
  /** nothing is asked for */
  quiet: readonly [from: number, until: number]
  acts: Act[]
}

export interface PlanOptions {
  days: number
  kinds?: readonly FaultKind[]
}

const FIRST_FAULT = 30 * HOUR
/** between two of them, beyond what what is measured keeps of the one before */
const APART: readonly [number, number] = [2, 5]
const BUSY_FROM = 8
const BUSY_UNTIL = 20

export function planOf(seed: number, { days, kinds = FAULTS }: PlanOptions): Plan {
  const chosen = random(seed)
  const quietFrom = (days >= 14 ? 7 * chosen.between(1, 2) + 5 : days) * DAY
  const quiet = [quietFrom, Math.min(quietFrom + WEEK, days * DAY)] as const
  const of = (track: 'services' | 'agent'): Fault[] => {
    const own = kinds.filter((kind) => ROWS[kind].track === track)
    return faultsOf(chosen, shuffled(chosen, own), { quiet, until: days * DAY })
  }
  const faults = [...of('services'), ...of('agent')].sort((a, b) => a.at - b.at)
  return { seed, days, faults, quiet, acts: actsOf(chosen, days) }
}

interface Room {
  quiet: Plan['quiet']
  until: number
}

/** One after the other, each from the morning of a working day; what finds no more room is left out. */
function faultsOf(chosen: Random, kinds: readonly FaultKind[], room: Room): Fault[] {
  const faults: Fault[] = []
  let free = FIRST_FAULT
  for (const kind of kinds) {
    const { hours, size, after_hours } = ROWS[kind]
    const minutes = chosen.between(hours[0] * HOUR, hours[1] * HOUR)
    const [least, most] = size
    const at = roomFor(free, minutes, chosen.between(0, 2 * HOUR), room)
    if (at === undefined) continue
    faults.push({ kind, at, minutes, size: least + chosen.next() * (most - least) })
    free = at + minutes + (after_hours + chosen.between(...APART)) * HOUR
  }
  return faults
}

/** A fault begins in the morning, while there is work, and is over before the quiet week, or begins a day after it. */
function roomFor(free: number, minutes: number, later: number, { quiet, until }: Room): number | undefined {
  for (let day = Math.floor(free / DAY); day * DAY < until; day++) {
    const at = day * DAY + BUSY_FROM * HOUR + later
    if (at < free || isWeekend(at)) continue
    const meetsQuiet = at < quiet[1] + DAY && at + minutes > quiet[0]
    if (!meetsQuiet && at + minutes <= until) return at
  }
  return undefined
}

const isWeekend = (minute: number): boolean => minute % WEEK >= 5 * DAY

/** Of full work, at that minute. */
export function loadAt({ quiet }: Pick<Plan, 'quiet'>, minute: number): number {
  if (minute >= quiet[0] && minute < quiet[1]) return 0
  const hour = (minute % DAY) / HOUR
  const byDay = hour >= BUSY_FROM && hour < BUSY_UNTIL ? 1 : 0.3
  return byDay * (isWeekend(minute) ? 0.5 : 1)
}

/** How bad it is now: 0 while it is not there, its size at the most. `from` is what it rises from. */
export function sizeAt(plan: Plan, kind: FaultKind, minute: number, from = 0, risesFor = 0): number | undefined {
  const fault = plan.faults.find((one) => one.kind === kind && minute >= one.at && minute < one.at + one.minutes)
  if (fault === undefined) return undefined
  const share = risesFor === 0 ? 1 : Math.min(1, (minute - fault.at) / risesFor)
  return from + (fault.size - from) * share
}

function shuffled<T>(chosen: Random, list: readonly T[]): T[] {
  const left = [...list]
  return list.map(() => left.splice(chosen.between(0, left.length - 1), 1)[0] as T)
}

/** Somebody decides twice a day; now and then many cycles are asked for at once, and somebody is away for a day. */
function actsOf(chosen: Random, days: number): Act[] {
  const acts: Act[] = []
  for (let day = 0; day < days; day++) {
    const at = day * DAY
    acts.push({ at: at + 9 * HOUR, does: 'decide' }, { at: at + 15 * HOUR, does: 'decide' })
    if (day % 14 === 6) {
      const storm = at + chosen.between(0, 20 * HOUR)
      for (let n = 0; n < 30; n++) {
        const trigger = chosen.next() < 0.3 ? 'emergency' : chosen.next() < 0.5 ? 'signal' : 'manual'
        acts.push({ at: storm + chosen.between(0, 90), does: 'trigger', trigger })
      }
    }
    if (day % 14 === 5)
      acts.push({ at: at + 2 * HOUR, does: 'away', away: true }, { at: at + DAY, does: 'away', away: false })
  }
  return acts.sort((a, b) => a.at - b.at)
}
