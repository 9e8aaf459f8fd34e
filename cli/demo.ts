/**
 * `mm demo sandbox`: a system in a temporary root, six modules that attack it, and a counter in another process that is
 * called all the while. What it prints is what came of it: each verdict is compared with what containing means.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { coded, codeOf, reasonOf } from '../modules/lib/errors.ts'
import type { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { COUNTER, DEMO_ATTACKS, type DemoAttack } from './demo-attacks.ts'
import { demoDrift, type DemoDriftOptions } from './demo-drift.ts'
import { demoTour, type DemoTourOptions } from './demo-tour.ts'
import { demoImprove, type DemoImproveOptions } from './demo-improve.ts'
import { inDemoSystem, pause, type DemoSystem } from './demo-system.ts'
import { bold, dim, print, printJson, red, table } from './output.ts'

const ANSWERS_MS = 20_000
const LOOK_MS = 25
const BEAT_MS = 25

interface DemoVerdict {
  attack: string
  tries: string
  /** the code its caller got, or the value */
  came_to: string
  /** what its caller was told; empty with a value */
  reason: string
  contained: boolean
  ms: number
  /** whether the service answers again afterwards */
  answers: boolean
}

interface DemoReport {
  attacks: DemoVerdict[]
  /** `reason`: why the first one was missed */
  counter: { beats: number; missed: number; longest_ms: number; reason: string }
}

async function demo({ json }: Common, setExitCode: Cli['setExitCode']): Promise<void> {
  const ready = async ({ client }: DemoSystem): Promise<void> => {
    if ((await call(client, 'counter', 'beat')).reason !== '') throw coded('not_reachable', { root: 'the demo' })
  }
  await inDemoSystem(FILES, ready, async ({ root, client }) => {
    const write: Write = (file, text) => {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), text)
    }
    if (!json) print(bold('Six modules that nobody should trust, and a counter in another process:\n'))
    const report = await attackAll(client, write, json)
    const { beats, missed, longest_ms } = report.counter
    if (json) printJson(report)
    else print(`\ncounter: ${beats} beats, ${missed} missed, the longest took ${longest_ms} ms`)
    if (missed > 0 || report.attacks.some((one) => !one.contained || !one.answers)) setExitCode(1)
  })
}

type Write = (file: string, text: string) => void

const FILES: Readonly<Record<string, string>> = {
  'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {sandbox_processes_max: 8}\n',
  'configs/http.yml': 'prog: services/http\nport: 0\n',
  'configs/database.yml': 'prog: services/database\n',
  'configs/counter.yml': 'sandbox: {isolation: own}\n',
  'modules/counter.ts': COUNTER,
  'prompts/README.md': '',
  'runtime/README.md': '',
}

interface Answer {
  came_to: string
  reason: string
}

async function call(client: Client, api: string, method: string): Promise<Answer> {
  try {
    const { result } = await client.post<{ result: unknown }>(`/api/services/${api}/call`, { method, args: [] })
    return { came_to: `value ${JSON.stringify(result)}`, reason: '' }
  } catch (thrown) {
    return { came_to: codeOf(thrown) ?? 'callee_error', reason: reasonOf(thrown) }
  }
}

async function attackAll(client: Client, write: Write, json: boolean): Promise<DemoReport> {
  const counter = { beats: 0, missed: 0, longest_ms: 0, reason: '' }
  const beating = { on: true }
  const beats = (async () => {
    for (; beating.on; await pause(BEAT_MS)) {
      const began = performance.now()
      const answer = await call(client, 'counter', 'beat')
      counter.longest_ms = Math.max(counter.longest_ms, Math.round(performance.now() - began))
      counter.beats++
      if (answer.reason === '') continue
      counter.missed++
      counter.reason ||= answer.reason
    }
  })()
  const attacks: DemoVerdict[] = []
  for (const attack of DEMO_ATTACKS) {
    const verdict = await attackOnce(client, write, attack)
    attacks.push(verdict)
    if (!json) print(line(verdict))
  }
  beating.on = false
  await beats
  return { attacks, counter }
}

/** Drops the module in, waits until it serves, lets it attack, and waits until it serves again. */
async function attackOnce(client: Client, write: Write, attack: DemoAttack): Promise<DemoVerdict> {
  const { name, tries, source, sandbox, contained } = attack
  write(`modules/attacks/${name}.ts`, source)
  write(`configs/attacks/${name}.yml`, `api: ${name}\nprog: attacks/${name}\nsandbox: {${sandbox}}\n`)
  await alive(client, name)
  const began = performance.now()
  const { came_to, reason } = await call(client, name, 'attack')
  const ms = Math.round(performance.now() - began)
  const isContained =
    'codes' in contained ? contained.codes.includes(came_to) : came_to === `value ${JSON.stringify(contained.value)}`
  return { attack: name, tries, came_to, reason, contained: isContained, ms, answers: await alive(client, name) }
}

async function alive(client: Client, name: string): Promise<boolean> {
  for (const until = performance.now() + ANSWERS_MS; performance.now() < until; await pause(LOOK_MS))
    if ((await call(client, name, 'alive')).came_to === 'value "alive"') return true
  return false
}

function line({ attack, tries, came_to, contained, ms, answers }: DemoVerdict): string {
  const verdict = contained ? 'contained' : red('NOT CONTAINED')
  const left = answers ? 'answers again' : red('does not answer again')
  return table([[attack.padEnd(7), tries.padEnd(58), verdict, dim(`${came_to}, after ${ms} ms; ${left}`)]])
}

export function addDemo(program: Command, { common, setExitCode }: Cli): void {
  const group = program.command('demo').description('see for yourself, in a temporary root that is removed')
  prints(
    group
      .command('sandbox')
      .description('six attacks that are contained, while a counter in another process never misses a beat')
      .action(() => demo(common(), setExitCode)),
    '{attacks, counter}',
  )
  prints(
    group
      .command('improve')
      .description(
        'a model makes a slow module quicker: what is refused, what goes live, what is measured and taken back',
      )
      .option('--provider <service>', 'a real one, as openai with its key; default: answers that were written before')
      .option('--answers <names>', 'which of them, in which order', 'gate,wrong,faster')
      .action((options: DemoImproveOptions) => demoImprove(common(), options, setExitCode)),
    '{verdicts, proposal, p50_ms, undone_byte_for_byte, calls, failed_calls, ledger}',
  )
  prints(
    group
      .command('drift')
      .description('a service gets slow: the loop sees it and proposes, the gate decides, what came of it is measured')
      .option('--answers <names>', 'what the model answers, in which order: wrong, faster, same', 'wrong,faster')
      .option(
        '--tuning <name>',
        'what the loop may do by itself, to the orders that are remembered: fewer, more',
        'fewer',
      )
      .action((options: DemoDriftOptions) => demoDrift(common(), options, setExitCode)),
    '{quiet, seen, tuning, code, after, traffic, health, brief, ledger}',
  )
  prints(
    group
      .command('tour')
      .description(
        'ten minutes on real services, without a key: edit, break, mend, chat, improve, attack, new kernel, undo',
      )
      .option('--yes', 'do every step without asking', false)
      .option('--skip <ids>', 'steps to leave out, as edit,attack', '')
      .action((options: DemoTourOptions) => demoTour(common(), options, setExitCode)),
    '{url, steps}',
  )
}
