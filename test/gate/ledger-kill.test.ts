/**
 * R5 on the record: the system is killed at random points while many append, ask for approvals and decide on them. What
 * was acknowledged is there at the next start, the chain is right, and nothing was done that nobody approved.
 */
import { afterEach, expect, it } from 'vitest'
import type { Approval } from '../../modules/contracts/approvals.ts'
import type { LedgerCheck, LedgerEntry } from '../../modules/contracts/ledger.ts'
import { random } from '../support/load.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const ROOTS = 3
/** A parent gives up after five restarts within a minute. */
const KILLS = 4
const CALLERS = 8
const DOER = `import { appendFileSync } from 'node:fs'
export class Module {
  constructor(kernel) { this.file = kernel.paths.root + '/done.txt' }
  apply({ n }) { appendFileSync(this.file, n + '\\n'); return { n } }
}
`

let root: TestRoot
let system: RunningSystem | undefined
afterEach(async () => {
  await system?.stop()
  root.dispose()
})

/** What was answered. */
interface Known {
  appended: Map<number, number>
  asked: Set<string>
  approved: Map<string, number>
}

async function work(running: RunningSystem, known: Known, stop: AbortSignal, first: number): Promise<void> {
  const { token } = running
  for (let n = first; !stop.aborted; n += CALLERS) {
    try {
      const entry = { actor: `a${n}`, origin: 'test', action: 'tried', resource: 'x', outcome: 'ok', payload: { n } }
      const { sequence } = await running.call<{ sequence: number }>('ledger', 'append', entry)
      known.appended.set(sequence, n)
      const action = { service: 'doer', method: 'apply', payload: { n } }
      const request = { class: 'c', target: 'doer', title: `number ${n}`, actor: 'test', action }
      const { id } = await running.call<Approval>('approvals', 'request', request)
      known.asked.add(id)
      if (n % 2 === 0) continue
      await running.call<Approval>('approvals', 'approve', id, { by: 'ada', token })
      known.approved.set(id, n)
    } catch {
      return // it was killed: what was not answered is nobody's promise
    }
  }
}

async function look(running: RunningSystem, known: Known): Promise<void> {
  expect(await running.call<LedgerCheck>('ledger', 'verify')).toMatchObject({ valid: true, fault: null })
  const entries: LedgerEntry[] = []
  for (let after = 0; ; after = entries.at(-1)?.sequence ?? 0) {
    const next = await running.call<LedgerEntry[]>('ledger', 'read', { after, limit: 1_000 })
    entries.push(...next)
    if (next.length === 0) break
  }
  expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, index) => index + 1))
  const lost = [...known.appended].filter(([sequence, n]) => entries[sequence - 1]?.payload?.['n'] !== n)
  expect(lost).toEqual([])
  for (const id of known.asked) await running.call('approvals', 'show', id)
  for (const [id] of known.approved) {
    const { state, outcome } = await running.call<Approval>('approvals', 'show', id)
    expect([state, outcome]).toMatchObject(['approved', { ok: true }])
  }
  const decided = new Set(
    entries
      .filter(({ action }) => action === 'approval_approved')
      .map(({ resource }) => resource.replace('approval:', '')),
  )
  const done = new Set(root.read('done.txt').trim().split('\n').map(Number))
  const all = await Promise.all([...decided].map((id) => running.call<Approval>('approvals', 'show', id)))
  const allowed = new Set(all.map(({ action }) => (action.payload as { n: number }).n))
  expect([...done].filter((n) => !allowed.has(n))).toEqual([])
}

it.each(Array.from({ length: ROOTS }, (_, index) => index + 1))(
  'after every kill all that was acknowledged is there, in one right chain (%s of 3)',
  async (part) => {
    const chance = random(20_261_122 + part)
    root = createRoot({
      'configs/http.yml': 'prog: services/http\nport: 0\n',
      'configs/ledger.yml': 'prog: control/ledger\n',
      'configs/approvals.yml': 'prog: control/approvals\n',
      'configs/doer.yml': '',
      'modules/doer.mjs': DOER,
      'done.txt': '',
    })
    system = await startProcess(root)
    const known: Known = { appended: new Map(), asked: new Set(), approved: new Map() }
    for (let kill = 1; kill <= KILLS; kill++) {
      const running = system
      const stop = new AbortController()
      const callers = Array.from({ length: CALLERS }, (_, n) => work(running, known, stop.signal, kill * 1_000_000 + n))
      const enough = known.approved.size + chance.between(5, 45)
      await expect.poll(() => known.approved.size, { timeout: 20_000, interval: 1 }).toBeGreaterThan(enough)
      process.kill(running.childPid, 'SIGKILL')
      stop.abort()
      await Promise.all(callers)
      await running.restarted(kill)
      await look(running, known)
    }
    expect(known.appended.size).toBeGreaterThan(100)
  },
)
