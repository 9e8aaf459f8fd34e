/**
 * `mm demo drift` against what the test counts itself: a service of its own, put into the demo's root, sees each call of
 * the system and writes it down elsewhere. With other fixtures other verdicts come, and the same numbers still hold.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { DriftChange, DriftLook, DriftReport } from '../../cli/demo-drift-report.ts'
import { packageRoot } from '../support/root.ts'

const COUNTER = `import { appendFileSync } from 'node:fs'
export class Module {
  constructor(kernel, config) { this.kernel = kernel; this.config = config }
  async init() {
    this.kernel.observe({ ended: ({ callee, at, ms, outcome }) => {
      if (callee === 'orders') appendFileSync(this.config.file, JSON.stringify([at, ms, outcome]) + '\\n')
    } })
  }
}
`
const SETTLE_MS = 1_000

type Seen = [at: number, ms: number, outcome: string]

interface Run {
  report: DriftReport
  seen: Seen[]
}

const rootsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('mm-demo-'))

async function drift(...options: string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'mm-test-'))
  const file = join(folder, 'seen.jsonl')
  const [temporary, args] = [
    join(folder, 'tmp'),
    [join(packageRoot, 'bin/mm.js'), '--json', 'demo', 'drift', ...options],
  ]
  mkdirSync(temporary)
  writeFileSync(file, '')
  const demo = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: temporary } })
  let [stdout, stderr] = ['', '']
  demo.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  demo.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const ended = new Promise<number | null>((resolve) => demo.on('close', resolve))
  const counting = setInterval(() => {
    const [root] = rootsIn(temporary)
    // The last of its files: with it the root is whole.
    if (root === undefined || !readdirSync(join(temporary, root)).includes('runtime')) return
    clearInterval(counting)
    writeFileSync(join(temporary, root, 'modules/counter.mjs'), COUNTER)
    writeFileSync(join(temporary, root, 'configs/counter.yml'), `file: ${JSON.stringify(file)}\nrecord: false\n`)
  }, 5)
  const status = await ended
  clearInterval(counting)
  expect(rootsIn(temporary)).toEqual([])
  expect([status, stderr]).toEqual([0, ''])
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return { report: JSON.parse(stdout) as DriftReport, seen: lines.map((line) => JSON.parse(line) as Seen) }
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Of calls that ended in that time. */
const timesIn = (seen: Seen[], from: number, to: number): number[] =>
  seen.flatMap(([at, ms]) => (at + ms >= from && at + ms <= to ? ms : []))

const near = (said: number | null | undefined, counted: number, share: number): void => {
  expect(said ?? Number.NaN).toBeGreaterThan(counted * (1 - share))
  expect(said ?? Number.NaN).toBeLessThan(counted * (1 + share))
}

function lookMatches({ at, window_ms, p50_ms, samples }: DriftLook, seen: Seen[]): void {
  const times = timesIn(seen, at - window_ms, at)
  near(samples, times.length, 0.05)
  near(p50_ms, median(times), 0.1)
}

/** What was measured before it went live, and after, is what the calls took. */
function changeMatches(
  { target, live_at, verified_at, measured_at }: DriftChange,
  window_ms: number,
  seen: Seen[],
): void {
  const [live, verified] = [live_at ?? Number.NaN, verified_at ?? Number.NaN]
  const before = timesIn(seen, live - window_ms, live)
  // What seemed slower in its first window is judged by the second alone; all else by both.
  const [whole, own] = [timesIn(seen, live + SETTLE_MS, verified), timesIn(seen, measured_at[0] ?? live, verified)]
  const isOwn = measured_at.length > 1 && Math.abs((target?.after.samples ?? 0) / own.length - 1) < 0.1
  const after = isOwn ? own : whole
  near(target?.before.value, median(before), 0.2)
  near(target?.after.value, median(after), 0.2)
  near(target?.after.samples, after.length, 0.1)
  expect(target?.change).toBeCloseTo((target?.after.value ?? 0) / (target?.before.value ?? 0) - 1, 6)
}

function numbersMatch({ report, seen }: Run): void {
  const { quiet, seen: drifted, after, tuning, code, traffic } = report
  expect(traffic).toEqual({ calls: seen.length, failed: 0 })
  expect(seen.every(([, , outcome]) => outcome === 'ok')).toBe(true)
  for (const look of [quiet, drifted, after]) lookMatches(look, seen)
  expect(drifted.p50_ms).toBeGreaterThan(drifted.threshold_ms)
  expect(quiet.p50_ms).toBeLessThan(drifted.threshold_ms)
  expect(after.holds).toBe((after.p50_ms ?? 0) > drifted.threshold_ms)
  for (const change of [tuning, code?.change]) if (change) changeMatches(change, drifted.window_ms / 2, seen)
}

it('the loop sees a service get slow; a tuning goes through, a text is allowed, both help, and all numbers are those of the traffic', async () => {
  const run = await drift()
  const { tuning, code, after, ledger, health, quiet, seen, brief } = run.report
  expect([quiet.trigger, quiet.findings, seen.trigger]).toEqual(['scheduled', [], 'scheduled'])
  expect(seen.findings).toContain('slow_orders')
  for (const change of [tuning, code?.change]) expect(change?.message).toMatch(/^better: latency_p50_ms of orders/)
  expect(tuning).toMatchObject({ tier: 'AUTO_APPROVE', rule: 'tightened', approved_by: null, state: 'confirmed' })
  expect(code).toMatchObject({
    state: 'submitted',
    verdicts: [{ outcome: 'refused', refused_by: 'replay' }, { outcome: 'submitted' }],
    change: { tier: 'HUMAN_REVIEW', approved_by: 'demo', state: 'confirmed', target: { outcome: 'better' } },
  })
  expect(after).toMatchObject({ holds: false })
  numbersMatch(run)
  expect(health).toMatchObject({ directive_success_rate: 1, rollback_rate: 0 })
  expect(brief[1]).toBe('2 proposals changed (2 confirmed)')
  expect(ledger.valid).toBe(true)
}, 240_000)

it('other fixtures get other verdicts: what does not help is taken back, and what is wrong never goes live', async () => {
  const run = await drift('--answers', 'wrong', '--tuning', 'more')
  const { tuning, code, after, ledger, health } = run.report
  expect(tuning).toMatchObject({ tier: 'HUMAN_REVIEW', rule: 'loosened_far', approved_by: 'demo', state: 'restored' })
  expect(code).toMatchObject({ state: 'given_up', verdicts: [{ refused_by: 'replay' }], change: null })
  expect(after).toMatchObject({ holds: true })
  numbersMatch(run)
  expect(health).toMatchObject({ directive_success_rate: 0, rollback_rate: 1 })
  expect(ledger.valid).toBe(true)
}, 240_000)
