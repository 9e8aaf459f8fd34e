/** A kernel that somebody proposes: approved by a person, vetted, on probation, and gone back from; with calls all the time. */
import { afterEach, expect, it } from 'vitest'
import type { Proposal } from '../../modules/contracts/proposals.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const META = 'configs/meta-v2.0.0.yml'
const KERNEL = 'modules/kernel-v2/index.ts'
const WINDOW_MS = 2_500
/** Calls that are compared with those after. */
const BEFORE = 60

/** The shipped one, and what is different. */
const kernelWith = (body: string): string => `
import { Kernel as Shipped } from '${packageRoot}/modules/kernel/kernel.ts'
export class Kernel extends Shipped {
  get isReal() { return !this.options.root.startsWith('/kernel-trial') }
  ${body}
}
`
let root: TestRoot
let system: RunningSystem
afterEach(async () => {
  await system.stop()
  root.dispose()
})

async function start({ window_ms = WINDOW_MS, probation_ms = 1_200 } = {}): Promise<void> {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/policy.yml': 'prog: control/policy\n',
    'configs/approvals.yml': 'prog: control/approvals\n',
    // Times are not compared: what others do on this machine is nothing a kernel did.
    'configs/rollouts.yml': `prog: control/rollouts\nwindow_ms: ${window_ms}\ntake_ms: 1000\nsamples_min: 5\ncheck_ms: 50\nsettle_ms: 0\nlatency_floor_ms: 5000\n`,
    'configs/counter.yml': '',
    'modules/counter.ts': 'export class Module { count = 0; next() { return ++this.count } }\n',
  })
  system = await startProcess(root, { env: { MM_PROBATION_MS: String(probation_ms) } })
}

/** Every call has to be answered, with the next number. Resolves when there were some to compare with. */
async function calls(): Promise<() => Promise<number>> {
  const caller = { on: true }
  let enough = (): void => {}
  const begun = new Promise<void>((resolve) => {
    enough = resolve
  })
  const done = (async () => {
    let last = 0
    while (caller.on) {
      const next = await system.call<number>('counter', 'next')
      expect(next).toBe(last + 1)
      last = next
      if (last === BEFORE) enough()
    }
    return last
  })()
  done.catch(() => undefined)
  await Promise.race([begun, done])
  return () => {
    caller.on = false
    return done
  }
}

const show = async (id: string): Promise<Proposal> => (await system.api<Proposal>('GET', `/api/changes/${id}`)).body
const kernel = async () =>
  (await system.api<{ version: string; history: { to: string; outcome: string }[] }>('GET', '/api/kernel')).body

async function proposed(text: string): Promise<Proposal> {
  const { body } = await system.api<Proposal>('POST', '/api/changes', {
    origin: 'self',
    actor: 'self-improver (model)',
    service: 'counter',
    title: 'another kernel',
    intent: 'be steadier',
    edits: [
      { path: META, base_hash: null, text: 'prog: kernel-v2\n' },
      { path: KERNEL, base_hash: null, text },
    ],
    verify: { samples_min: 5 },
  })
  expect(body).toMatchObject({
    state: 'waiting',
    verdict: { tier: 'HUMAN_REVIEW', altitude: 'kernel', impact: 'CRITICAL' },
  })
  expect((await kernel()).version).toBe('1.0.0')
  return body
}

async function approve({ approval_id }: Proposal): Promise<void> {
  for (const note of ['read it', 'it was tried elsewhere'])
    await system.api('POST', `/api/approvals/${String(approval_id)}`, { approved: true, by: 'ada', note })
}

async function ended(id: string): Promise<Proposal> {
  await expect
    .poll(async () => (await show(id)).state, { timeout: 25_000, interval: 50 })
    .not.toMatch(/^(waiting|queued|applying|watching)$/)
  return show(id)
}

it('a good one waits for a person, both files go live as one, and it is kept after its probation', async () => {
  await start()
  const stop = await calls()
  const proposal = await proposed(kernelWith(''))
  expect(() => root.read(META)).toThrow(/ENOENT/)
  await approve(proposal)
  const done = await ended(proposal.id)
  expect(`${done.state}: ${done.message}`).toMatch(/^confirmed/)
  expect(await kernel()).toMatchObject({ version: '2.0.0', on_probation: false })
  const undone = await system.api('POST', `/api/changes/${proposal.id}/undo`, { by: 'ada' })
  expect(undone.body).toMatchObject({ state: 'undone' })
  expect((await kernel()).version).toBe('1.0.0')
  expect(() => root.read(KERNEL)).toThrow(/ENOENT/)
  const counted = await stop()
  expect(await system.call('counter', 'next')).toBe(counted + 1)
})

it('a good one is not taken back for a probation that is longer than its windows', async () => {
  await start({ window_ms: 500, probation_ms: 5_000 })
  const stop = await calls()
  const proposal = await proposed(kernelWith(''))
  await approve(proposal)
  const done = await ended(proposal.id)
  expect(`${done.state}: ${done.message}`).toMatch(/^confirmed/)
  expect(await kernel()).toMatchObject({ version: '2.0.0', on_probation: false })
  await stop()
})

it('one that vetting refuses never runs, and its files are gone again', async () => {
  await start()
  const stop = await calls()
  const proposal = await proposed(kernelWith("async adopt() { throw new Error('no') }"))
  await approve(proposal)
  const done = await ended(proposal.id)
  expect([done.state, done.message]).toEqual(['failed', expect.stringContaining('kernel refused it')])
  expect((await kernel()).history.some(({ outcome }) => outcome === 'swapped')).toBe(false)
  for (const path of [META, KERNEL]) expect(() => root.read(path)).toThrow(/ENOENT/)
  expect(await stop()).toBeGreaterThan(0)
})

it('one that turns sick on probation is gone back from, and the change is restored', async () => {
  await start()
  const stop = await calls()
  const sick = `async adopt(state) { this.since = performance.now(); return super.adopt(state) }
  async health() { return this.isReal && performance.now() - this.since > 300 ? { ...await super.health(), ok: false, reason: 'it is sick' } : super.health() }`
  const proposal = await proposed(kernelWith(sick))
  await approve(proposal)
  const done = await ended(proposal.id)
  expect([done.state, done.message]).toEqual(['restored', expect.stringContaining('the kernel before it serves again')])
  expect((await kernel()).version).toBe('1.0.0')
  for (const path of [META, KERNEL]) expect(() => root.read(path)).toThrow(/ENOENT/)
  const counted = await stop()
  expect(await system.call('counter', 'next')).toBe(counted + 1)
})
