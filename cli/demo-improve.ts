/**
 * `mm demo improve`: a slow module under calls, and a model that answers three times, in a temporary root. Without a key its
 * answers were written before; what becomes of them is what the gate, the measurement and the way back really say.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Improvement, Proposal } from '../modules/contracts/proposals.ts'
import { coded, codeOf } from '../modules/lib/errors.ts'
import { shortHash } from '../modules/lib/hash.ts'
import { MM } from './child.ts'
import { Client, readAddress } from './client.ts'
import type { Cli, Common } from './common.ts'
import { DEMO_ANSWERS, SCRIPT, SLOW, SLOW_TESTS } from './demo-answers.ts'
import { attemptText, showImprovement } from './improve.ts'
import { bold, green, print, printJson, red } from './output.ts'

const START_MS = 60_000
const END_MS = 120_000
const LOOK_MS = 100
const CALL_MS = 20
const PACKAGE = join(import.meta.dirname, '..', import.meta.dirname.endsWith(join('dist', 'cli')) ? '..' : '')

export interface DemoImproveOptions {
  provider?: string
  answers: string
}

interface Verdict {
  answer: string
  outcome: string
  refused_by: string | null
  message: string
}

interface Report {
  verdicts: Verdict[]
  proposal: { id: string; state: string; message: string } | null
  p50_ms: { before: number | null; after: number | null }
  undone_byte_for_byte: boolean | null
  calls: number
  failed_calls: number
  ledger: { valid: boolean; entries: number }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function demoImprove(
  { json }: Common,
  options: DemoImproveOptions,
  setExitCode: Cli['setExitCode'],
): Promise<void> {
  const names = options.answers.split(',')
  const unknown = names.find((name) => !Object.hasOwn(DEMO_ANSWERS, name))
  if (unknown !== undefined)
    throw coded('usage', { reason: `there is no answer ${unknown}: ${Object.keys(DEMO_ANSWERS).join(', ')}` })
  const root = mkdtempSync(join(tmpdir(), 'mm-demo-'))
  writeFiles(root, names, options.provider)
  const system = spawn(process.execPath, [MM, '--root', root, 'up', '--no-repl'], { stdio: 'ignore' })
  const traffic = { on: true, calls: 0, failed: 0, ms: [] as number[] }
  let calling: Promise<void> | undefined
  try {
    const client = await started(root, system)
    calling = callAlways(client, traffic)
    if (!json) print(bold('A slow module is called all the time; a model is asked to make it quicker:\n'))
    const report = await run(client, { root, names, json, provider: options.provider, traffic })
    if (json) printJson(report)
    if (!report.ledger.valid || report.undone_byte_for_byte === false || report.failed_calls > 0) setExitCode(1)
  } finally {
    traffic.on = false
    await calling
    await ended(system)
    rmSync(root, { recursive: true, force: true })
  }
}

interface Traffic {
  on: boolean
  calls: number
  failed: number
  ms: number[]
}

async function callAlways(client: Client, traffic: Traffic): Promise<void> {
  for (let n = 0; traffic.on; n++, await pause(CALL_MS)) {
    const since = performance.now()
    traffic.calls++
    try {
      await client.post('/api/services/primes/call', { method: 'count', args: [2_000 + ((n * 7) % 400)] })
    } catch {
      if (traffic.on) traffic.failed++
    }
    traffic.ms.push(performance.now() - since)
  }
}

const medianOf = (values: readonly number[]): number | null => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)]
  return middle === undefined ? null : Math.round(middle * 100) / 100
}

interface Demo {
  root: string
  names: string[]
  json: boolean
  provider: string | undefined
  traffic: Traffic
}

async function run(client: Client, { root, names, json, provider, traffic }: Demo): Promise<Report> {
  const say = (text: string): void => {
    if (!json) print(text)
  }
  await until('calls to be recorded', async () => (traffic.calls > 60 ? true : undefined))
  const before = readFileSync(join(root, 'modules/primes.ts'))
  const report: Report = {
    verdicts: [],
    proposal: null,
    p50_ms: { before: null, after: null },
    undone_byte_for_byte: null,
    calls: 0,
    failed_calls: 0,
    ledger: { valid: false, entries: 0 },
  }
  for (const name of provider === undefined ? names : [provider]) {
    const improvement = await improvedBy(client, provider)
    for (const attempt of improvement.attempts) {
      const { outcome, refused_by, message } = attempt
      report.verdicts.push({ answer: name, outcome, refused_by, message })
      say(`${name}: ${attemptText(attempt)}`)
    }
    if (improvement.proposal_id === null) continue
    report.p50_ms.before = medianOf(traffic.ms.slice(-50))
    const proposal = await approved(client, improvement.proposal_id)
    const { id, state, message } = proposal
    report.proposal = { id, state, message }
    report.p50_ms.after = medianOf(traffic.ms.slice(-50))
    say(`\n${id} is ${state}: ${message}`)
    say(`the median of a call was ${report.p50_ms.before} ms and is ${report.p50_ms.after} ms, over HTTP`)
    if (state !== 'confirmed') continue
    await client.post('/api/services/rollouts/call', {
      method: 'undo',
      args: [id, { by: 'demo', reason: 'to show it' }],
    })
    const after = readFileSync(join(root, 'modules/primes.ts'))
    report.undone_byte_for_byte = before.equals(after)
    say(
      `taken back: ${report.undone_byte_for_byte ? green('byte for byte') : red('not the same bytes')} (${shortHash(after)})`,
    )
  }
  const { result } = await client.post<{ result: { valid: boolean; entries: number } }>('/api/services/ledger/call', {
    method: 'verify',
    args: [],
  })
  report.ledger = { valid: result.valid, entries: result.entries }
  report.calls = traffic.calls
  report.failed_calls = traffic.failed
  say(
    `\nledger: ${result.entries} entries, ${result.valid ? green('valid') : red('NOT VALID')}; ${traffic.calls} calls, ${traffic.failed} failed`,
  )
  return report
}

async function improvedBy(client: Client, provider: string | undefined): Promise<Improvement> {
  const begun = await client.ask('POST /api/improve', {
    body: {
      service: 'primes',
      goal: 'Answer count() in less time. Every result has to stay as it is.',
      provider: provider ?? 'script',
      ...(provider === undefined ? { tries: 1 } : {}),
    },
  })
  return until('the improvement to end', async () => {
    const now = await showImprovement(client, begun.id)
    return now.state === 'running' ? undefined : now
  })
}

/** Both confirmations of a person; then what the measurement says. */
async function approved(client: Client, id: string): Promise<Proposal> {
  const show = async (): Promise<Proposal> => {
    const { result } = await client.post<{ result: Proposal }>('/api/services/rollouts/call', {
      method: 'show',
      args: [id],
    })
    return result
  }
  const { approval_id } = await show()
  for (const note of ['looked at it', 'the demo shows what happens then']) {
    if ((await show()).state !== 'waiting') break
    await client.post(`/api/approvals/${approval_id ?? ''}`, { approved: true, by: 'demo', note })
  }
  return until('the measurement to end', async () => {
    const now = await show()
    return ['waiting', 'applying', 'watching'].includes(now.state) ? undefined : now
  })
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + END_MS; performance.now() < end; await pause(LOOK_MS)) {
    const found = await look()
    if (found !== undefined) return found
  }
  throw coded('deadline_exceeded', { api: 'demo', method: what, ms: END_MS })
}

function writeFiles(root: string, names: readonly string[], provider: string | undefined): void {
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const shipped = (file: string): void => write(file, readFileSync(join(PACKAGE, file), 'utf8'))
  write('configs/meta-v1.0.0.yml', 'prog: kernel\n')
  write('configs/http.yml', 'prog: services/http\nport: 0\n')
  write('configs/recordings.yml', 'prog: services/recordings\nwrite_ms: 100\n')
  for (const name of ['ledger', 'policy', 'approvals', 'self-improver'])
    write(`configs/${name}.yml`, `prog: control/${name}\nrecord: false\n`)
  write(
    'configs/rollouts.yml',
    'prog: control/rollouts\nwindow_ms: 4000\nsamples_min: 30\ncheck_ms: 200\nrecord: false\n',
  )
  write('configs/primes.yml', 'record: {calls: all, keep: 60}\n')
  write('modules/primes.ts', SLOW)
  write('modules/primes.test.ts', SLOW_TESTS)
  if (provider === undefined) {
    write('configs/script.yml', `record: false\nanswers: ${JSON.stringify(names.map((name) => DEMO_ANSWERS[name]))}\n`)
    write('modules/script.ts', SCRIPT)
  } else shipped(`configs/inference/${provider}.yml`)
  shipped('prompts/self-improver.txt')
  write('runtime/README.md', '')
}

async function started(root: string, system: ChildProcess): Promise<Client> {
  for (const end = performance.now() + START_MS; performance.now() < end; await pause(LOOK_MS)) {
    if (system.exitCode !== null) break
    if (readAddress(root) === undefined) continue
    const client = new Client(root)
    try {
      for (const api of ['rollouts', 'self-improver'])
        await client.post(`/api/services/${api}/call`, { method: 'list', args: [] })
      return client
    } catch (thrown) {
      // Not all of it is live yet.
      if (codeOf(thrown) === undefined) throw thrown
    }
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
