/**
 * A system that is killed with SIGKILL at random points of a cycle, again and again, and looked at after each start: every
 * file is old or new, all there is to read can be read, the ledger verifies, and its log says of each cycle what became of
 * it. Every other kill is anywhere in a cycle, the others are while it persists. Used by the test and the nightly run.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { LedgerCheck } from '../../../modules/contracts/ledger.ts'
import type { Cycle } from '../../../modules/contracts/meta-loop.ts'
import { random, type Random } from '../../support/load.ts'
import { startProcess, type RunningSystem } from '../../support/process.ts'
import { createRoot, type TestRoot } from '../../support/root.ts'
import { CADENCE, configOf, FILES, toldOf } from './loop.ts'

/** A parent gives up after five restarts within a minute. */
const KILLS_PER_PARENT = 3
const PERSIST_MS_MAX = 60
/** Of the time a cycle takes: some kills come when it is over. */
const BEYOND = 1.2
const CYCLES_MAX = 500
const TEXT = 'prog: shop # one of many\nspeed: 10\nfilling: ' + 'x'.repeat(20_000) + '\n'
const NEW = TEXT.replace('speed: 10', 'speed: 11')

export interface Killed {
  kills: number
  /** what was found wrong, by the kill after which it was */
  wrong: string[]
  /** cycles by what became of them */
  cycles: Record<string, number>
  /** files that were changed, and those that were not */
  changed: number
  unchanged: number
}

const list = (trials: number): number[] => Array.from({ length: trials }, (_, trial) => trial)
const rule = (trial: number): string =>
  `  - {name: slow_${trial}, conditions: [{metric: test.m${trial}, comparator: gt, threshold: 1}], severity: info,
     altitudes: [tuning], change: {file: configs/s${trial}.yml, key: speed, value: 11}}\n`
const toldIn = (trials: number, trial: number): string =>
  JSON.stringify(
    toldOf({
      values: Object.fromEntries(list(trials).map((one) => [`test.m${one}`, one === trial ? 2 : 0])),
      catalogue: list(trials).map((one) => ({ path: `test.m${one}`, direction: 'down', target: null })),
    }),
  )

const rootOf = (trials: number): TestRoot =>
  createRoot({
    ...FILES,
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/approvals.yml': 'prog: control/approvals\n',
    'configs/rollouts.yml': 'prog: control/rollouts\nwindow_ms: 3600000\n',
    'configs/policy.yml':
      'prog: control/policy\nautonomy: semi\nproduction: false\nchanges_per_hour_max: 1000\ndirections: {speed: {tighter: neither}}\n',
    'configs/control/meta-loop.yml': configOf(
      `${CADENCE}strategic_goals: []\nrules:\n${list(trials).map(rule).join('')}`,
    ),
    'runtime/told.json': toldIn(trials, -1),
    'modules/shop.mjs': 'export class Module {}\n',
    ...Object.fromEntries(list(trials).map((trial) => [`configs/s${trial}.yml`, TEXT])),
  })

export async function killCycles(seed: number, trials: number): Promise<Killed> {
  const root = rootOf(trials)
  const chosen = random(seed)
  const wrong: string[] = []
  let system: RunningSystem | undefined
  let usual_ms = 0
  try {
    for (const trial of list(trials)) {
      const kills = (trial % KILLS_PER_PARENT) + 1
      if (kills === 1) {
        await system?.stop()
        system = await startProcess(root)
        // What it does without a change tells how long one takes here and now.
        root.writeByRename('runtime/told.json', toldIn(trials, -1))
        usual_ms = await took(() => (system as RunningSystem).call('meta-loop', 'trigger'))
      }
      const running = system as RunningSystem
      root.writeByRename('runtime/told.json', toldIn(trials, trial))
      await kill(running, { isPersisting: trial % 2 === 0, usual_ms, chosen })
      await running.restarted(kills)
      wrong.push(...(await look(root, running, trials)).map((one) => `kill ${trial}: ${one}`))
    }
    root.writeByRename('runtime/told.json', toldIn(trials, -1))
    const last = await system?.call<Cycle>('meta-loop', 'trigger')
    if (last?.status !== 'completed') wrong.push(`the cycle after all is ${last?.status}: ${last?.reason}`)
    return { kills: trials, wrong, ...(await figures(root, system as RunningSystem, trials)) }
  } finally {
    await system?.stop()
    root.dispose()
  }
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  await work()
  return performance.now() - since
}

interface Point {
  isPersisting: boolean
  usual_ms: number
  chosen: Random
}

async function kill(system: RunningSystem, { isPersisting, usual_ms, chosen }: Point): Promise<void> {
  const head = async (): Promise<number> =>
    (await system.call<{ head: { sequence: number } | null }>('ledger', 'status')).head?.sequence ?? 0
  const before = await head()
  const cycle = system.call('meta-loop', 'trigger').catch(() => undefined)
  const begun = async (): Promise<boolean> =>
    (await system.call<unknown[]>('ledger', 'read', { after: before, action: 'change_proposed' })).length > 0
  if (isPersisting) while (!(await begun())) await new Promise((resolve) => setImmediate(resolve))
  const ms = chosen.next() * (isPersisting ? PERSIST_MS_MAX : BEYOND * usual_ms)
  await new Promise((resolve) => setTimeout(resolve, ms))
  process.kill(system.childPid, 'SIGKILL')
  await cycle
}

const cyclesOf = async (system: RunningSystem): Promise<Cycle[]> =>
  (await system.call<{ cycles: Cycle[] }>('meta-loop', 'cycles', { limit: CYCLES_MAX })).cycles
const told = ({ status, reason }: Cycle): string => (reason === null ? status : `${status} ${reason}`)
const HONEST: ReadonlySet<string> = new Set(['completed', 'failed the process ended while it ran'])

/** What is not as it should be. */
async function look(root: TestRoot, system: RunningSystem, trials: number): Promise<string[]> {
  const folder = 'runtime/control'
  const files = list(trials).map((trial) => `configs/s${trial}.yml`)
  const torn = files.filter((file) => ![TEXT, NEW].includes(root.read(file)))
  const readable = readdirSync(join(root.path, folder)).filter((file) => file.endsWith('.yml') && !file.startsWith('.'))
  const unread = readable.filter((file) => typeof parse(root.read(`${folder}/${file}`)) !== 'object')
  const { valid, at, fault } = await system.call<LedgerCheck>('ledger', 'verify')
  const cycles = await cyclesOf(system)
  const lines = await system.call<{ cycle: string; outcome: string }[]>('ledger', 'cycles', { limit: 1_000 })
  const own = lines.filter(({ cycle }) => cycle.startsWith('meta-loop')).map(({ outcome }) => outcome)
  const statuses = cycles.map(({ status }) => status)
  return [
    ...torn.map((file) => `${file} is neither old nor new`),
    ...unread.map((file) => `${file} cannot be read`),
    ...(valid ? [] : [`the ledger does not verify: ${at} ${fault}`]),
    ...cycles.filter((cycle) => !HONEST.has(told(cycle))).map((cycle) => `cycle ${cycle.number} ${told(cycle)}`),
    ...(own.join() === statuses.join() ? [] : [`the ledger says ${own.join(' ')}, the loop ${statuses.join(' ')}`]),
  ]
}

async function figures(
  root: TestRoot,
  system: RunningSystem,
  trials: number,
): Promise<Pick<Killed, 'cycles' | 'changed' | 'unchanged'>> {
  const cycles: Record<string, number> = {}
  for (const { status } of await cyclesOf(system)) cycles[status] = (cycles[status] ?? 0) + 1
  const changed = list(trials).filter((trial) => root.read(`configs/s${trial}.yml`) === NEW).length
  return { cycles, changed, unchanged: trials - changed }
}
