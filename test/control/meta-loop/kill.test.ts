/** A process that is killed while a cycle persists leaves files old or new, a log that says the truth, and goes on. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import type { LedgerCheck } from '../../../modules/contracts/ledger.ts'
import type { Cycle } from '../../../modules/contracts/meta-loop.ts'
import { random } from '../../support/load.ts'
import { startProcess, type RunningSystem } from '../../support/process.ts'
import { createRoot, type TestRoot } from '../../support/root.ts'
import { CADENCE, configOf, FILES, toldOf } from './loop.ts'

const TRIALS = 6
/** A parent gives up after five restarts within a minute. */
const KILLS_PER_PARENT = 3
const PAUSE_MS_MAX = 60
const TEST_MS = 120_000
const TEXT = 'prog: shop # one of many\nspeed: 10\nfilling: ' + 'x'.repeat(20_000) + '\n'

const trials = Array.from({ length: TRIALS }, (_, trial) => trial)
const rule = (trial: number): string =>
  `  - {name: slow_${trial}, conditions: [{metric: test.m${trial}, comparator: gt, threshold: 1}], severity: info,
     altitudes: [tuning], change: {file: configs/s${trial}.yml, key: speed, value: 11}}\n`
const toldIn = (trial: number): string =>
  JSON.stringify(
    toldOf({
      values: Object.fromEntries(trials.map((one) => [`test.m${one}`, one === trial ? 2 : 0])),
      catalogue: trials.map((one) => ({ path: `test.m${one}`, direction: 'down', target: null })),
    }),
  )

const rootOf = (): TestRoot =>
  createRoot({
    ...FILES,
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/approvals.yml': 'prog: control/approvals\n',
    'configs/rollouts.yml': 'prog: control/rollouts\nwindow_ms: 3600000\n',
    'configs/policy.yml':
      'prog: control/policy\nautonomy: semi\nproduction: false\ndirections: {speed: {tighter: neither}}\n',
    'configs/control/meta-loop.yml': configOf(`${CADENCE}strategic_goals: []\nrules:\n${trials.map(rule).join('')}`),
    'modules/shop.mjs': 'export class Module {}\n',
    ...Object.fromEntries(trials.map((trial) => [`configs/s${trial}.yml`, TEXT])),
  })

async function killed(
  root: TestRoot,
  trial: number,
  system: RunningSystem,
  pause: number,
  kills: number,
): Promise<void> {
  root.writeByRename('runtime/told.json', toldIn(trial))
  const before = (await system.call<{ head: { sequence: number } | null }>('ledger', 'status')).head?.sequence ?? 0
  const cycle = system.call('meta-loop', 'trigger').catch(() => undefined)
  const begun = async (): Promise<boolean> =>
    (await system.call<unknown[]>('ledger', 'read', { after: before, action: 'change_proposed' })).length > 0
  while (!(await begun())) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, pause))
  process.kill(system.childPid, 'SIGKILL')
  await cycle
  await system.restarted(kills)
}

async function look(root: TestRoot, system: RunningSystem): Promise<void> {
  for (const trial of trials)
    expect([TEXT, TEXT.replace('speed: 10', 'speed: 11')]).toContain(root.read(`configs/s${trial}.yml`))
  const folder = 'runtime/control'
  const readable = readdirSync(join(root.path, folder)).filter((file) => file.endsWith('.yml') && !file.startsWith('.'))
  for (const file of readable) expect(parse(root.read(`${folder}/${file}`))).toBeTypeOf('object')
  expect(await system.call<LedgerCheck>('ledger', 'verify')).toMatchObject({ valid: true })
  const { cycles } = await system.call<{ cycles: Cycle[] }>('meta-loop', 'cycles')
  for (const { status, reason } of cycles)
    expect(['completed null', 'failed the process ended while it ran']).toContain(`${status} ${reason}`)
  const lines = await system.call<{ cycle: string; outcome: string }[]>('ledger', 'cycles', { limit: 1_000 })
  const own = lines.filter(({ cycle }) => cycle.startsWith('meta-loop'))
  expect(own.map(({ outcome }) => outcome)).toEqual(cycles.map(({ status }) => status))
}

it(
  'AROS 35: killed at random moments while it persists, each file is old or new and the log says what happened',
  async () => {
    const root = rootOf()
    const chosen = random(9)
    let system: RunningSystem | undefined
    try {
      for (const trial of trials) {
        const kills = (trial % KILLS_PER_PARENT) + 1
        if (kills === 1) {
          await system?.stop()
          system = await startProcess(root)
        }
        await killed(root, trial, system as RunningSystem, chosen.between(0, PAUSE_MS_MAX), kills)
        await look(root, system as RunningSystem)
      }
      root.writeByRename('runtime/told.json', toldIn(-1))
      expect(await system?.call('meta-loop', 'trigger')).toMatchObject({ status: 'completed', number: TRIALS + 1 })
    } finally {
      await system?.stop()
      root.dispose()
    }
  },
  TEST_MS,
)
