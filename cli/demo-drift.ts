/**
 * `mm demo drift`: a service is called all the time, its callers want more of it, and it gets slow. Nobody tells the system:
 * its loop sees it, proposes a tuning, which the policy lets through, and another text, which a person allows; both are
 * measured. Without a key the model's answers were written before; what becomes of all that is what is really found.
 */
import type { Cycle, LoopHealth } from '../modules/contracts/meta-loop.ts'
import type { MetricSnapshot } from '../modules/contracts/meta-metrics.ts'
import type { Improvement, Proposal } from '../modules/contracts/proposals.ts'
import { coded } from '../modules/lib/errors.ts'
import type { Cli, Common } from './common.ts'
import { DRIFT_ANSWERS, DRIFT_TUNINGS, driftFiles, LIMIT_S, METRIC, RULE, WINDOW_MS } from './demo-drift-files.ts'
import {
  changeOf,
  changeText,
  codeOf,
  lookAt,
  lookText,
  type DriftLook,
  type DriftReport,
} from './demo-drift-report.ts'
import { approveTwice, inDemoSystem, pause, until, type DemoSystem } from './demo-system.ts'
import { attemptText } from './improve.ts'
import { bold, green, print, printJson, red } from './output.ts'

const LANES = 2
const PAUSE_MS = 25
/** Of an order, before its callers want more, and then. */
const LINES = { few: 1, many: 200 }
const CALLS_MIN = 450
const OPEN: ReadonlySet<Proposal['state']> = new Set(['waiting', 'queued', 'applying', 'watching'])

export interface DemoDriftOptions {
  answers: string
  tuning: string
}

interface Traffic {
  on: boolean
  lines: number
  calls: number
  failed: number
}

interface Drift extends DemoSystem {
  traffic: Traffic
  say(text: string): void
}

export async function demoDrift(
  { json }: Common,
  { answers, tuning }: DemoDriftOptions,
  setExitCode: Cli['setExitCode'],
): Promise<void> {
  const names = answers.split(',')
  for (const name of names) known('answer', name, DRIFT_ANSWERS)
  known('tuning', tuning, DRIFT_TUNINGS)
  const say = (text: string): void => {
    if (!json) print(text)
  }
  const ready = async ({ call }: DemoSystem): Promise<void> => {
    await call('meta-loop', 'status')
    await call('self-improver', 'list')
  }
  const report = await inDemoSystem(driftFiles(names, tuning), ready, (system) => watched({ ...system, say }))
  if (json) printJson(report)
  if (!report.ledger.valid || report.traffic.failed > 0) setExitCode(1)
}

function known(what: string, name: string, there: Readonly<Record<string, unknown>>): void {
  if (Object.hasOwn(there, name)) return
  throw coded('usage', { reason: `there is no ${what} ${name}: ${Object.keys(there).join(', ')}` })
}

async function watched(system: Omit<Drift, 'traffic'>): Promise<DriftReport> {
  const traffic: Traffic = { on: true, lines: LINES.few, calls: 0, failed: 0 }
  const lanes = Array.from({ length: LANES }, (_, lane) => orders(system, traffic, lane))
  const end = async (): Promise<void> => {
    traffic.on = false
    await Promise.all(lanes)
  }
  const began = Date.now()
  try {
    const found = await run({ ...system, traffic })
    await end()
    return await summed({ ...system, traffic }, found, began)
  } finally {
    await end()
  }
}

/** One after the other; one of ten was given just before. */
async function orders(system: DemoSystem, traffic: Traffic, lane: number): Promise<void> {
  for (let n = lane; traffic.on; n += LANES, await pause(PAUSE_MS)) {
    const order = n % 10 === 9 ? n - LANES : n
    const lines = Array.from({ length: traffic.lines }, (_, line) => ({ item: `item ${line}`, count: 1 + (order % 3) }))
    traffic.calls++
    try {
      await system.call('orders', 'place', { customer: `customer ${order}`, lines })
    } catch {
      traffic.failed++
    }
  }
}

type Found = Pick<DriftReport, 'quiet' | 'seen' | 'tuning' | 'code' | 'after'>

async function run(drift: Drift): Promise<Found> {
  const { say, traffic } = drift
  say(bold('A service takes orders all the time. The loop looks every four seconds; nobody tells it anything.\n'))
  await until('calls', async () => (traffic.calls >= CALLS_MIN ? true : undefined))
  const quiet = await cycleAfter(drift, 0, () => true)
  const quietly = await lookOf(drift, quiet)
  say(lookText(quietly))
  traffic.lines = LINES.many
  say(`from here on an order has ${LINES.many} lines`)
  const seen = await cycleAfter(drift, quiet.number, ({ findings }) => findings.some(({ rule }) => rule === RULE))
  const seeing = { ...(await lookOf(drift, seen)), rule: RULE, threshold_ms: LIMIT_S * 1_000 }
  say(`${lookText(seeing)}; the limit is ${seeing.threshold_ms} ms\n`)
  const tuning = await tuned(drift, seen)
  const [improvement, change] = await improved(drift, seen)
  const last = change ?? tuning
  const since = (last?.state === 'confirmed' ? last.live_at : last?.changed_at) ?? Date.now()
  const after = await cycleAfter(drift, seen.number, ({ started_at }) => started_at > since + WINDOW_MS)
  const finally_ = await lookOf(drift, after)
  const holds = finally_.p50_ms !== null && finally_.p50_ms > LIMIT_S * 1_000
  say(`\n${lookText(finally_)}; ${holds ? red('above the limit still') : green('within the limit again')}`)
  return {
    quiet: quietly,
    seen: seeing,
    tuning: tuning === undefined ? null : changeOf(tuning),
    code: improvement === undefined ? null : codeOf(improvement, change),
    after: { ...finally_, holds },
  }
}

/** The first completed one that fits, of those with a higher number. */
const cycleAfter = ({ call }: Drift, number: number, fits: (cycle: Cycle) => boolean): Promise<Cycle> =>
  until('a cycle of the loop', async () => {
    const { cycles } = await call<{ cycles: Cycle[] }>('meta-loop', 'cycles', { limit: 20 })
    const ended = cycles.filter((one) => one.number > number && one.status === 'completed')
    return ended.toReversed().find(fits)
  })

async function lookOf({ call }: Drift, cycle: Cycle): Promise<DriftLook> {
  return lookAt(cycle, await call<MetricSnapshot>('control/metrics', 'show', cycle.snapshot), METRIC)
}

/** What became of the value it would change; undefined: it would change none. */
async function tuned(drift: Drift, { proposals: [id] }: Cycle): Promise<Proposal | undefined> {
  if (id === undefined) return undefined
  await approveTwice(drift, id)
  const proposal = await over(drift, id)
  drift.say(changeText(proposal))
  return proposal
}

/** What the model answered, and what became of that. */
async function improved(drift: Drift, { notes }: Cycle): Promise<[Improvement | undefined, Proposal | undefined]> {
  const { call, say } = drift
  say(`\n${notes.join('\n')}`)
  const id = notes.flatMap((note) => /^(i\d+): /.exec(note)?.[1] ?? [])[0]
  if (id === undefined) return [undefined, undefined]
  const improvement = await until('the improvement to end', async () => {
    const now = await call<Improvement>('self-improver', 'show', id)
    return now.state === 'running' ? undefined : now
  })
  for (const attempt of improvement.attempts) say(attemptText(attempt))
  say(`${id} is ${improvement.state}: ${improvement.message}`)
  const { proposal_id } = improvement
  if (proposal_id === null) return [improvement, undefined]
  await approveTwice(drift, proposal_id)
  const proposal = await over(drift, proposal_id)
  say(changeText(proposal))
  return [improvement, proposal]
}

const over = ({ call }: Drift, id: string): Promise<Proposal> =>
  until('the measurement to end', async () => {
    const now = await call<Proposal>('rollouts', 'show', id)
    return OPEN.has(now.state) ? undefined : now
  })

async function summed({ call, say, traffic }: Drift, found: Found, began: number): Promise<DriftReport> {
  const health = await call<LoopHealth>('meta-loop', 'health')
  const { lines } = await call<{ lines: string[] }>('meta-loop', 'brief', began)
  const { valid, entries } = await call<{ valid: boolean; entries: number }>('ledger', 'verify')
  const { calls, failed } = traffic
  for (const line of ['', ...lines]) say(line)
  say(`\n${calls} calls, ${failed} failed; ledger: ${entries} entries, ${valid ? green('valid') : red('NOT VALID')}`)
  return { ...found, traffic: { calls, failed }, health, brief: lines, ledger: { valid, entries } }
}
