/**
 * `mm demo improve`: a slow module under calls, and a model that answers three times, in a temporary root. Without a key its
 * answers were written before; what becomes of them is what the gate, the measurement and the way back really say.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Improvement, Proposal } from '../modules/contracts/proposals.ts'
import { coded } from '../modules/lib/errors.ts'
import { shortHash } from '../modules/lib/hash.ts'
import type { Client } from './client.ts'
import type { Cli, Common } from './common.ts'
import { DEMO_ANSWERS, SCRIPT, SLOW, SLOW_TESTS } from './demo-answers.ts'
import { approveTwice, inDemoSystem, pause, shipped, until, type DemoSystem } from './demo-system.ts'
import { attemptText, showImprovement } from './improve.ts'
import { bold, green, print, printJson, red } from './output.ts'

const CALL_MS = 20

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

export async function demoImprove(
  { json }: Common,
  options: DemoImproveOptions,
  setExitCode: Cli['setExitCode'],
): Promise<void> {
  const names = options.answers.split(',')
  const unknown = names.find((name) => !Object.hasOwn(DEMO_ANSWERS, name))
  if (unknown !== undefined)
    throw coded('usage', { reason: `there is no answer ${unknown}: ${Object.keys(DEMO_ANSWERS).join(', ')}` })
  const ready = async ({ call }: DemoSystem): Promise<void> => {
    for (const api of ['rollouts', 'self-improver']) await call(api, 'list')
  }
  await inDemoSystem(filesOf(names, options.provider), ready, async (system) => {
    const traffic = { on: true, calls: 0, failed: 0, ms: [] as number[] }
    const calling = callAlways(system.client, traffic)
    try {
      if (!json) print(bold('A slow module is called all the time; a model is asked to make it quicker:\n'))
      const report = await run({ ...system, names, json, provider: options.provider, traffic })
      if (json) printJson(report)
      if (!report.ledger.valid || report.undone_byte_for_byte === false || report.failed_calls > 0) setExitCode(1)
    } finally {
      traffic.on = false
      await calling
    }
  })
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

interface Demo extends DemoSystem {
  names: string[]
  json: boolean
  provider: string | undefined
  traffic: Traffic
}

async function run(demo: Demo): Promise<Report> {
  const { root, client, call, names, json, provider, traffic } = demo
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
    const proposal = await approved(demo, improvement.proposal_id)
    const { id, state, message } = proposal
    report.proposal = { id, state, message }
    report.p50_ms.after = medianOf(traffic.ms.slice(-50))
    say(`\n${id} is ${state}: ${message}`)
    say(`the median of a call was ${report.p50_ms.before} ms and is ${report.p50_ms.after} ms, over HTTP`)
    if (state !== 'confirmed') continue
    await call('rollouts', 'undo', id, { by: 'demo', reason: 'to show it' })
    const after = readFileSync(join(root, 'modules/primes.ts'))
    report.undone_byte_for_byte = before.equals(after)
    say(
      `taken back: ${report.undone_byte_for_byte ? green('byte for byte') : red('not the same bytes')} (${shortHash(after)})`,
    )
  }
  const { valid, entries } = await call<Report['ledger']>('ledger', 'verify')
  report.ledger = { valid, entries }
  report.calls = traffic.calls
  report.failed_calls = traffic.failed
  say(
    `\nledger: ${entries} entries, ${valid ? green('valid') : red('NOT VALID')}; ${traffic.calls} calls, ${traffic.failed} failed`,
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
async function approved(demo: Demo, id: string): Promise<Proposal> {
  await approveTwice(demo, id)
  return until('the measurement to end', async () => {
    const now = await demo.call<Proposal>('rollouts', 'show', id)
    return ['waiting', 'applying', 'watching'].includes(now.state) ? undefined : now
  })
}

function filesOf(names: readonly string[], provider: string | undefined): Record<string, string> {
  const asked = provider === undefined ? scripted(names) : shippedAt(`configs/inference/${provider}.yml`)
  const gate = ['ledger', 'policy', 'approvals', 'self-improver'].map((name) => [
    `configs/${name}.yml`,
    `prog: control/${name}\nrecord: false\n`,
  ])
  return {
    'configs/meta-v1.0.0.yml': 'prog: kernel\n',
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/recordings.yml': 'prog: services/recordings\nwrite_ms: 100\n',
    ...(Object.fromEntries(gate) as Record<string, string>),
    'configs/rollouts.yml': 'prog: control/rollouts\nwindow_ms: 4000\nsamples_min: 30\ncheck_ms: 200\nrecord: false\n',
    'configs/primes.yml': 'record: {calls: all, keep: 60}\n',
    'modules/primes.ts': SLOW,
    'modules/primes.test.ts': SLOW_TESTS,
    ...asked,
    ...shippedAt('prompts/self-improver.txt'),
    'runtime/README.md': '',
  }
}

const shippedAt = (file: string): Record<string, string> => ({ [file]: shipped(file) })

const scripted = (names: readonly string[]): Record<string, string> => ({
  'configs/script.yml': `record: false\nanswers: ${JSON.stringify(names.map((name) => DEMO_ANSWERS[name]))}\n`,
  'modules/script.ts': SCRIPT,
})
