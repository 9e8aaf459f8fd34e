/**
 * R5 on changes and improvements: the system is killed at random points while changes are proposed, go live and are taken
 * back, and while a model is asked. What was acknowledged is there at the next start, the chain is right, each file is whole
 * and the one its change says, and nothing stays half applied.
 */
import { afterEach, expect, it } from 'vitest'
import type { LedgerCheck, LedgerEntry } from '../../modules/contracts/ledger.ts'
import type { Improvement, Proposal } from '../../modules/contracts/proposals.ts'
import { shortHash } from '../../modules/lib/hash.ts'
import { random } from '../support/load.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

/** A parent gives up after five restarts within a minute. */
const KILLS = 4
const SERVICES = ['one', 'two', 'three']
const MODEL = `export class Module {
  describe() { return { model: 'script', ready: true, note: '' } }
  complete() { return { text: 'I cannot.', model: 'script', finish: 'stop', usage: null } }
}
`
const textOf = (service: string, side: string, n: number): string =>
  `export class Module { n() { return '${service} ${side} ${n}' } }\n`

let root: TestRoot
let system: RunningSystem | undefined
afterEach(async () => {
  await system?.stop()
  root.dispose()
})

interface Known {
  proposals: Map<string, Proposal>
  undone: Set<string>
  improvements: Set<string>
}

async function answered<T>(asked: Promise<{ status: number; body: T }>): Promise<T> {
  const { status, body } = await asked
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}

/** Two files of one service as one change; every second one is taken back. Ends when nobody answers any more. */
async function change(running: RunningSystem, known: Known, service: string, first: number): Promise<void> {
  for (let n = first; ; n++) {
    try {
      const edits = ['a', 'b'].map((side) => {
        const path = `modules/${service}-${side}.mjs`
        return { path, base_hash: shortHash(root.read(path)), text: textOf(service, side, n) }
      })
      const input = { actor: 'ada', service: `${service}-a`, title: `number ${n}`, intent: 'x', edits }
      const verify = { samples_min: 0, window_ms: 60 }
      const made = await answered(running.api<Proposal>('POST', '/api/changes', { ...input, verify }))
      known.proposals.set(made.id, made)
      if (n % 2 === 0 || made.state !== 'watching') continue
      const back = await running.api<Proposal>('POST', `/api/changes/${made.id}/undo`, { by: 'ada' })
      if (back.status === 200 && back.body.state === 'undone') known.undone.add(made.id)
    } catch {
      return // it was killed: what was not answered is nobody's promise
    }
  }
}

async function improve(running: RunningSystem, known: Known): Promise<void> {
  for (;;) {
    try {
      const { body, status } = await running.api<Improvement>('POST', '/api/improve', { service: 'idle', goal: 'x' })
      if (status === 200) known.improvements.add(body.id)
    } catch {
      return
    }
  }
}

const OPEN = /^(queued|applying)$/

async function look(running: RunningSystem, known: Known): Promise<void> {
  expect(await running.call<LedgerCheck>('ledger', 'verify')).toMatchObject({ valid: true, fault: null })
  const show = (id: string): Promise<Proposal> => answered(running.api<Proposal>('GET', `/api/changes/${id}`))
  const entries: LedgerEntry[] = []
  for (let next = [{}]; next.length > 0; entries.push(...(next as LedgerEntry[])))
    next = await running.call<LedgerEntry[]>('ledger', 'read', { after: entries.at(-1)?.sequence ?? 0, limit: 1_000 })
  for (const [id, { edits, ledger }] of known.proposals) {
    const now = await show(id)
    expect([id, now.edits]).toEqual([id, edits])
    for (const sequence of ledger) expect(entries[sequence - 1]).toMatchObject({ sequence, cycle: id })
    if (known.undone.has(id)) expect([id, now.state]).toEqual([id, 'undone'])
  }
  const { changes } = await answered(running.api<{ changes: { id: string }[] }>('GET', '/api/changes?limit=500'))
  for (const { id } of changes.slice(0, SERVICES.length * 2))
    await expect.poll(async () => (await show(id)).state, { timeout: 20_000 }).not.toMatch(OPEN)
  for (const service of SERVICES) {
    const sides = ['a', 'b'].map((side) => root.read(`modules/${service}-${side}.mjs`))
    const [n] = /\d+/.exec(sides[0] ?? '') ?? []
    expect(sides).toEqual(['a', 'b'].map((side) => textOf(service, side, Number(n))))
    for (const side of ['a', 'b'])
      await expect
        .poll(() => running.call(`${service}-${side}`, 'n'), { timeout: 20_000 })
        .toBe(`${service} ${side} ${n}`)
  }
  for (const id of known.improvements) {
    const { state } = await answered(running.api<Improvement>('GET', `/api/improve/${id}`))
    expect([id, state]).toEqual([id, expect.stringMatching(/^(given_up|failed)$/)])
  }
}

it('after every kill all that was acknowledged is there, files are whole, and nothing is half applied', async () => {
  const chance = random(20_261_123)
  const files: Record<string, string> = {}
  for (const service of SERVICES)
    for (const side of ['a', 'b']) {
      files[`configs/${service}-${side}.yml`] = 'record: false\n'
      files[`modules/${service}-${side}.mjs`] = textOf(service, side, 0)
    }
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/policy.yml': 'prog: control/policy\n',
    'configs/approvals.yml': 'prog: control/approvals\n',
    'configs/rollouts.yml': 'prog: control/rollouts\ncheck_ms: 20\nsettle_ms: 0\n',
    'configs/recordings.yml': 'prog: services/recordings\n',
    'configs/self-improver.yml': 'prog: control/self-improver\nproviders: [model]\n',
    'configs/model.yml': 'record: false\n',
    'modules/model.mjs': MODEL,
    'configs/idle.yml': '',
    'modules/idle.mjs': 'export class Module { n() { return 1 } }\n',
    'prompts/self-improver.txt': '{{goal}}',
    ...files,
  })
  system = await startProcess(root)
  const known: Known = { proposals: new Map(), undone: new Set(), improvements: new Set() }
  for (let kill = 1; kill <= KILLS; kill++) {
    const running = system
    const work = [...SERVICES.map((service) => change(running, known, service, kill * 1_000)), improve(running, known)]
    const enough = known.proposals.size + chance.between(3, 12)
    await expect.poll(() => known.proposals.size, { timeout: 60_000, interval: 1 }).toBeGreaterThan(enough)
    await new Promise((resolve) => setTimeout(resolve, chance.between(0, 60)))
    process.kill(running.childPid, 'SIGKILL')
    await Promise.all(work)
    await running.restarted(kill)
    await look(running, known)
  }
  expect([known.undone.size > 0, known.improvements.size > 0]).toEqual([true, true])
})
