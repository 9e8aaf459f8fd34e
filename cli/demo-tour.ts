/**
 * `mm demo tour`: a system with everything in it, in a temporary root, and the tour led through it, step by step, by the
 * person's Enter at a terminal or by itself. Files are written as an editor would; what is printed is what each step
 * found in the running system. The dashboard shows the same while it happens.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { coded, codeOf, reasonOf } from '../modules/lib/errors.ts'
import { MM } from './child.ts'
import { Client, readAddress } from './client.ts'
import type { Cli, Common } from './common.ts'
import { dashboardUrl } from './dashboard.ts'
import { init } from './init.ts'
import { bold, dim, green, print, printJson, red } from './output.ts'
import { TOUR, type TourStep } from './tour/steps.ts'
import type { TourWorld } from './tour/world.ts'

const START_MS = 60_000
const LOOK_MS = 100
const CHECK_MS = 20_000

export interface DemoTourOptions {
  yes: boolean
  skip: string
}

interface Outcome {
  step: string
  outcome: 'done' | 'failed' | 'skipped'
  /** what the system showed of it, or why it failed */
  found: string
  ms: number
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function demoTour(
  { json }: Common,
  { yes, skip }: DemoTourOptions,
  setExitCode: Cli['setExitCode'],
): Promise<void> {
  const skipped = skip.split(',').filter((id) => id !== '')
  const unknown = skipped.find((id) => !TOUR.some((step) => step.id === id))
  if (unknown !== undefined)
    throw coded('usage', { reason: `there is no step ${unknown}: ${TOUR.map(({ id }) => id).join(', ')}` })
  const root = mkdtempSync(join(tmpdir(), 'mm-tour-'))
  prepare(root)
  const system = spawn(process.execPath, [MM, '--root', root, 'up', '--no-repl'], { stdio: 'ignore' })
  try {
    const client = await started(root, system)
    const url = dashboardUrl(client.address.url, client.operatorToken)
    if (!json)
      print(`${bold('Open this beside it:')} ${url}\n${dim(`The root is ${root}; it goes when the tour ends.`)}\n`)
    const isAsked = !json && !yes && process.stdin.isTTY === true
    const steps = await lead(worldOf(client, root), { skipped, isAsked, json })
    if (json) printJson({ url: client.address.url, steps })
    if (steps.some(({ outcome }) => outcome === 'failed')) setExitCode(1)
  } finally {
    await ended(system)
    rmSync(root, { recursive: true, force: true })
  }
}

interface Leading {
  skipped: readonly string[]
  isAsked: boolean
  json: boolean
}

async function lead(world: TourWorld, { skipped, isAsked, json }: Leading): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const terminal = isAsked ? createInterface({ input: process.stdin, output: process.stdout }) : undefined
  try {
    for (const [at, step] of TOUR.entries()) {
      if (!json) print(`${bold(`${at + 1}. ${step.title}`)}\n${step.text}`)
      const said = skipped.includes(step.id)
        ? 's'
        : ((await terminal?.question(dim('Enter: do it   s: skip   q: end   '))) ?? '')
      if (said.trim() === 'q') break
      const outcome = said.trim() === 's' ? skippedOf(step) : await led(world, step)
      outcomes.push(outcome)
      if (!json) print(`${lineOf(outcome)}\n`)
    }
  } finally {
    terminal?.close()
  }
  return outcomes
}

const skippedOf = ({ id }: TourStep): Outcome => ({ step: id, outcome: 'skipped', found: '', ms: 0 })

/** Does it, and looks for what came of it until it is there. */
async function led(world: TourWorld, step: TourStep): Promise<Outcome> {
  const since = performance.now()
  const of = (outcome: Outcome['outcome'], found: string): Outcome => {
    return { step: step.id, outcome, found, ms: Math.round(performance.now() - since) }
  }
  try {
    await step.act(world)
    for (const end = performance.now() + CHECK_MS; performance.now() < end; await pause(LOOK_MS)) {
      const found = await step.check(world)
      if (found !== undefined) return of('done', found)
    }
    return of('failed', 'the system shows nothing of it')
  } catch (thrown) {
    return of('failed', `${codeOf(thrown) ?? 'failed'}: ${reasonOf(thrown)}`)
  }
}

function lineOf({ outcome, found, ms }: Outcome): string {
  if (outcome === 'skipped') return dim('skipped')
  return `${outcome === 'done' ? green('✓') : red('✗ failed:')} ${found} ${dim(`${ms} ms`)}`
}

function worldOf(client: Client, root: string): TourWorld {
  return {
    ask: (call, ...given) => client.ask(call, ...given),
    async write(path, text) {
      const file = join(root, path)
      if (text === null) {
        rmSync(file, { force: true })
        return
      }
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    },
    pause,
    late: (what, ms) => coded('deadline_exceeded', { api: 'tour', method: what, ms }),
    notes: new Map(),
  }
}

/** As `mm init` makes it, but for what would make ten minutes an hour: how long a change is measured. */
function prepare(root: string): void {
  init(root, true)
  const change = (file: string, edit: (text: string) => string): void =>
    writeFileSync(join(root, file), edit(readFileSync(join(root, file), 'utf8')))
  change('configs/services/http.yml', (text) => text.replace(/^port: .*$/m, 'port: 0'))
  change('configs/control/rollouts.yml', (text) => `${text}window_ms: 4000\nsamples_min: 30\ncheck_ms: 200\n`)
  change('configs/services/recordings.yml', (text) => `${text}write_ms: 100\n`)
  // A model server that happens to run on this machine would answer in its own words.
  rmSync(join(root, 'configs/inference/local.yml'))
}

/** Resolves when everything is live. */
async function started(root: string, system: ChildProcess): Promise<Client> {
  for (const end = performance.now() + START_MS; performance.now() < end; await pause(LOOK_MS)) {
    if (system.exitCode !== null) break
    if (readAddress(root) === undefined) continue
    const client = new Client(root)
    const { status } = await client.ask('GET /health')
    if (status === 'ok') return client
  }
  throw coded('not_reachable', { root })
}

function ended(system: ChildProcess): Promise<void> {
  if (system.exitCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    system.once('close', () => resolve())
    system.kill('SIGTERM')
  })
}
