/**
 * Lives through a month: minute by minute the work of the plan, what people do, and the clock put forward; at the end all
 * that the loop has written is read back and judged. Used by the gate, the nightly run and the benchmark.
 */
import type { ApprovalsApi } from '../../../modules/contracts/approvals.ts'
import type { LedgerApi } from '../../../modules/contracts/ledger.ts'
import type { Cycle, MetaLoopApi } from '../../../modules/contracts/meta-loop.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import type { Proposal, RolloutsApi } from '../../../modules/contracts/proposals.ts'
import { codeOf } from '../../../modules/lib/errors.ts'
import { random, type Random } from '../../support/load.ts'
import { Feed } from './feed.ts'
import { judge, type Judged, type Lived } from './judge.ts'
import { DAY, planOf, type Act, type Plan, type PlanOptions } from './plan.ts'
import { SEMI, startWorld, SUPERVISED, TOKEN, type World, type WorldOptions } from './world.ts'

const MINUTE_MS = 60_000
const PAGE = 500
const REFUSED_MAX = 1_000
const ALLOWED = 0.6
const DENIED = 0.2
const DECISION = { by: 'ada', token: TOKEN, reason: 'as it looked this morning' }

export interface Month extends Judged {
  plan: Plan
  proposals: number
  states: Record<string, number>
  calls: number
  events: number
  ledger_entries: number
  seconds: number
}

export interface MonthOptions extends Partial<PlanOptions>, Omit<WorldOptions, 'policy'> {}

/** Every other seed lets the system tune by itself. */
export async function runMonth(
  seed: number,
  { loop = '', watch_s = 300, days = 30, ...more }: MonthOptions = {},
): Promise<Month> {
  const began = performance.now()
  const plan = planOf(seed, { days, ...more })
  const world = await startWorld({ policy: seed % 2 === 0 ? SEMI : SUPERVISED, loop, watch_s })
  try {
    const chance = random(seed + 1)
    const feed = new Feed(world, plan, chance)
    const acts = [...plan.acts]
    const begin = world.clock.now()
    for (let minute = 0; minute < days * DAY; minute++) {
      while ((acts[0]?.at ?? Infinity) <= minute) await act(world, acts.shift() as Act, chance)
      feed.minute(minute)
      await world.clock.advance(begin + (minute + 1) * MINUTE_MS - world.clock.now())
    }
    const { lived, proposals } = await read(world, begin, feed)
    return {
      plan,
      ...judge(plan, lived),
      proposals: proposals.length,
      states: counted(proposals),
      calls: feed.calls,
      events: feed.events,
      ledger_entries: lived.ledger.entries,
      seconds: Math.round(performance.now() - began) / 1_000,
    }
  } finally {
    await world.stop()
  }
}

const loopOf = (world: World): Handle<MetaLoopApi> => world.system.getApi<MetaLoopApi>('meta-loop')

async function act(world: World, one: Act, chance: Random): Promise<void> {
  switch (one.does) {
    case 'trigger':
      await world.meanwhile(loopOf(world).trigger({ trigger: one.trigger }))
      break
    case 'away':
      await world.meanwhile(loopOf(world).away(one.away))
      break
    case 'decide':
      await world.meanwhile(decide(world, chance))
      break
    default:
      one satisfies never
  }
}

/** Most of what waits is allowed, some is denied, some is left to run out. */
async function decide({ system }: World, chance: Random): Promise<void> {
  const approvals = system.getApi<ApprovalsApi>('approvals')
  for (const { id } of await approvals.list({ state: 'pending' })) {
    const said = chance.next()
    const isAllowed = said < ALLOWED && (await allow(approvals, id))
    // What was made from another text than there is now is of no use to anybody.
    if (!isAllowed && said < ALLOWED + DENIED) await approvals.reject(id, DECISION)
  }
}

/** Twice, where it takes two. False: it is stale. */
async function allow(approvals: Handle<ApprovalsApi>, id: string): Promise<boolean> {
  try {
    const { state } = await approvals.approve(id, DECISION)
    if (state === 'pending') await approvals.approve(id, DECISION)
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'approval_stale') return false
    throw thrown
  }
}

async function read(world: World, begin: number, { failures }: Feed): Promise<{ lived: Lived; proposals: Proposal[] }> {
  const { system, meanwhile } = world
  const { proposals } = await meanwhile(system.getApi<RolloutsApi>('rollouts').list({ limit: PAGE }))
  const own = proposals.filter(({ actor }) => actor === 'meta-loop')
  const ledger = system.getApi<LedgerApi>('ledger')
  const { valid, entries } = await meanwhile(ledger.verify())
  const logged = system.log.filter(({ level }) => level === 'error').map(({ message }) => message)
  const errors = [...logged, ...failures]
  const cycles = await meanwhile(allCycles(loopOf(world)))
  const refused = await meanwhile(ledger.read({ action: 'cycle_throttled', limit: REFUSED_MAX }))
  return {
    lived: { cycles, throttled: refused.length, proposals: own, ledger: { valid, entries }, errors, begin },
    proposals: own,
  }
}

/** Oldest first. */
async function allCycles(loop: Handle<MetaLoopApi>): Promise<Cycle[]> {
  const all: Cycle[] = []
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const { cycles } = await loop.cycles({ limit: PAGE, before })
    all.push(...cycles)
    const last = cycles.at(-1)
    if (last === undefined) return all.reverse()
    before = last.number
  }
}

function counted(proposals: readonly Proposal[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { state } of proposals) counts[state] = (counts[state] ?? 0) + 1
  return counts
}
