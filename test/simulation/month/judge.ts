/**
 * What a month says against the loop: a fault that was not seen in time, proposals for what was not wrong, cycles beyond
 * their cadence, numbers out of nothing in the week nobody asked for anything, a cycle that failed, a ledger that does not
 * verify. Pure: plan and record in, sentences and figures out.
 */
import { META_GOALS, type Cycle } from '../../../modules/contracts/meta-loop.ts'
import type { Proposal } from '../../../modules/contracts/proposals.ts'
import { ROWS, type Evidence, type FaultKind } from './faults.ts'
import { DAY, HOUR, type Fault, type Plan } from './plan.ts'

export interface Lived {
  /** that were begun, oldest first; `started_at` is epoch milliseconds */
  cycles: readonly Cycle[]
  /** attempts that the cadence refused */
  throttled: number
  /** of the loop */
  proposals: readonly Proposal[]
  ledger: { valid: boolean; entries: number }
  /** what the log has of level error, and what failed of the work that was asked for */
  errors: readonly string[]
  /** epoch milliseconds */
  begin: number
}

export interface Found {
  kind: FaultKind
  size: number
  /** null: not in time */
  after_min: number | null
  by: string | null
}

export interface Judged {
  violations: string[]
  found: Found[]
  false_proposals: { week: number; what: string }[]
  cycles: number
  throttled: number
}

const MINUTE_MS = 60_000
const HOUR_MS = HOUR * MINUTE_MS
const DAY_MS = DAY * MINUTE_MS
const WEEK_MS = 7 * DAY_MS
const FALSE_A_WEEK = 1
const LIMITS = { hour: 4, day: 20, emergencies: 2, apart_ms: 180_000 }
/** of what it measures for a score, but for the one that looks back on seven days */
const OF_DAY = META_GOALS.filter((goal) => goal !== 'G5_diligent')

export function judge(plan: Plan, lived: Lived): Judged {
  const { cycles: begun, throttled } = lived
  const found = plan.faults.map((fault) => foundOf(fault, begun, lived.begin))
  const false_proposals = lived.proposals
    .filter((proposal) => !isFor(plan, proposal, lived.begin))
    .map((proposal) => ({
      week: Math.floor((proposal.created_at - lived.begin) / WEEK_MS),
      what: told(proposal, lived),
    }))
  const violations = [
    ...found.flatMap((one, index) => (one.after_min === null ? [missed(plan.faults[index] as Fault)] : [])),
    ...tooMany(false_proposals),
    ...cadence(begun),
    ...quiet(plan, begun, lived),
    ...begun.flatMap(({ number, status, reason }) =>
      status === 'completed' ? [] : [`cycle ${number} ${status}: ${reason}`],
    ),
    ...(lived.ledger.valid ? [] : ['the ledger does not verify']),
    ...lived.errors.map((message) => `an error: ${message}`),
  ]
  return { violations, found, false_proposals, cycles: begun.length, throttled }
}

const at = (minute: number): string => `day ${Math.floor(minute / DAY)} ${String(Math.floor((minute % DAY) / HOUR))} h`

const missed = ({ kind, at: began, size }: Fault): string =>
  `${kind} of ${size.toFixed(2)} from ${at(began)} on was not seen within ${ROWS[kind].within_hours} h`

function foundOf({ kind, at: began, size }: Fault, cycles: readonly Cycle[], begin: number): Found {
  const from = begin + began * MINUTE_MS
  const until = from + ROWS[kind].within_hours * HOUR_MS
  for (const cycle of cycles) {
    if (cycle.started_at < from || cycle.started_at > until) continue
    const by = ROWS[kind].seen.map((evidence) => seenIn(cycle, evidence)).find((one) => one !== undefined)
    if (by !== undefined) return { kind, size, after_min: Math.round((cycle.started_at - from) / MINUTE_MS), by }
  }
  return { kind, size, after_min: null, by: null }
}

/** A rule that holds while its proposal waits has been said. */
function seenIn({ findings, silent, scores, queued_signals }: Cycle, evidence: Evidence): string | undefined {
  switch (evidence.by) {
    case 'rule': {
      const { rule } = evidence
      const isSeen =
        findings.some((one) => one.rule === rule) || silent.some((one) => one.rule === rule && HELD.has(one.reason))
      return isSeen ? rule : undefined
    }
    case 'goal':
      return scores?.below_threshold.includes(evidence.goal) === true ? evidence.goal : undefined
    case 'metric': {
      const { metric, kinds } = evidence
      const finding = findings.find(({ kind, context }) => kinds.includes(kind) && context['metric'] === metric)
      if (finding !== undefined) return `${finding.kind} of ${metric}`
      const isTold = queued_signals.some(
        ({ source, payload }) => source === 'inflection' && payload['metric'] === metric,
      )
      return isTold && kinds.includes('inflection') ? `inflection of ${metric}` : undefined
    }
    default:
      return evidence satisfies never
  }
}

const HELD: ReadonlySet<string> = new Set(['pending', 'cooldown'])

/** The rule or goal it was made for. */
const causeOf = ({ intent }: Proposal): string => /^for (\S+):/.exec(intent)?.[1] ?? intent

/** Something that was wrong then, or was until what is measured of it has passed, is a reason for it. */
const isFor = ({ faults }: Plan, proposal: Proposal, begin: number): boolean =>
  faults.some(({ kind, at: began, minutes }) => {
    const minute = (proposal.created_at - begin) / MINUTE_MS
    const isThen = minute >= began && minute <= began + minutes + ROWS[kind].after_hours * HOUR
    return isThen && ROWS[kind].proposes.includes(causeOf(proposal))
  })

const told = (proposal: Proposal, { begin }: Lived): string =>
  `${at((proposal.created_at - begin) / MINUTE_MS)}: ${proposal.title} (${causeOf(proposal)})`

function tooMany(proposals: Judged['false_proposals']): string[] {
  const weeks = new Set(proposals.map(({ week }) => week))
  return [...weeks].flatMap((week) => {
    const own = proposals.filter((one) => one.week === week)
    const list = own.map(({ what }) => what).join('; ')
    return own.length > FALSE_A_WEEK ? [`${own.length} proposals in week ${week} for nothing: ${list}`] : []
  })
}

/** In every stretch of time, not in those of the clock's hours. */
function cadence(begun: readonly Cycle[]): string[] {
  return begun.flatMap((cycle) => {
    const { started_at, trigger, number } = cycle
    const since = (ms: number): Cycle[] =>
      begun.filter((one) => one.started_at > started_at - ms && one.started_at <= started_at && one.number <= number)
    const isEmergency = trigger === 'emergency'
    const emergencies = since(HOUR_MS).filter((one) => one.trigger === 'emergency').length
    const wrong = [
      since(DAY_MS).length > LIMITS.day && `more than ${LIMITS.day} a day`,
      !isEmergency && since(HOUR_MS).length > LIMITS.hour && `more than ${LIMITS.hour} an hour`,
      !isEmergency && since(LIMITS.apart_ms).length > 1 && `less than ${LIMITS.apart_ms / 1000} s after another`,
      emergencies > LIMITS.emergencies && `more than ${LIMITS.emergencies} emergencies an hour`,
    ]
    return wrong.flatMap((one) => (one === false ? [] : [`cycle ${number} (${trigger}) was begun: ${one}`]))
  })
}

/** A day after the last work nothing is known, and nothing is proposed. */
function quiet({ quiet: [from, until] }: Plan, begun: readonly Cycle[], { begin, proposals }: Lived): string[] {
  const [first, last] = [begin + from * MINUTE_MS + DAY_MS + HOUR_MS, begin + until * MINUTE_MS]
  const within = (time: number): boolean => time >= first && time < last
  const scored = begun.filter(
    ({ started_at, scores }) => within(started_at) && OF_DAY.some((goal) => scores?.goals[goal] !== null),
  )
  return [
    ...scored.map(({ number }) => `cycle ${number} has scores, and nobody has worked for a day`),
    ...proposals.flatMap(({ id, created_at, title }) =>
      within(created_at) ? [`${id} in the quiet week: ${title}`] : [],
    ),
  ]
}
