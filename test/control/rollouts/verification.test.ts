/**
 * What becomes of a change that is live: kept when it helps and nothing is worse, restored byte for byte when not. Rows
 * of GRACE 22–27 and SynthOrg 27, 28, 33, on real traffic.
 */
import { afterEach, expect, it, vi } from 'vitest'
import type { Proposal, ProposalInput } from '../../../modules/contracts/proposals.ts'
import { rejection } from '../../support/system.ts'
import { answering, moduleOf, ROLLOUTS, startGate, UNTIMED, WINDOW_MS, type Gate } from './gate.ts'

const SHOP = 'modules/shop.mjs'
const FASTER: Partial<ProposalInput> = { expected: { metric: 'latency_p50_ms', direction: 'lower', min_effect: 0.2 } }
/** Answers as fast as `answering(5)`, one call in so many fails. */
const failing = (each: number): string =>
  moduleOf(`async ask() {
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (++this.calls % ${each} === 0) throw new Error('sold out')
    return 'old'
  }`)

let gate: Gate
let stopTraffic: () => Promise<void>
async function begin(files: Record<string, string> = {}): Promise<void> {
  gate = await startGate(files)
  stopTraffic = gate.traffic()
  await gate.calls(100)
}
/** So many calls are measured in the middle of it, where the window that a next change is compared with has them too. */
async function windowOver(): Promise<void> {
  gate.clock.skip(WINDOW_MS / 2)
  await gate.calls(100)
  gate.clock.skip(WINDOW_MS / 2)
}
afterEach(async () => {
  await stopTraffic()
  await gate.stop()
})

const propose = async (text: string, more: Partial<ProposalInput> = {}): Promise<Proposal> =>
  gate.approve(await gate.propose(SHOP, text, more))
const steps = async (id: string): Promise<string[]> =>
  (await gate.entries(id)).map(({ action, outcome }) => `${action} ${outcome}`)

it('GRACE 23, 26: the target is better and nothing is worse: confirmed', async () => {
  await begin({ [SHOP]: answering(60) })
  const { id, before } = await propose(answering(2), FASTER)
  expect(before?.latency_p50_ms?.samples).toBeGreaterThanOrEqual(30)
  await windowOver()
  const { verifications, ...kept } = await gate.until(id, 'confirmed')
  expect(verifications).toMatchObject([
    { verdict: 'confirmed', round: 1, target: { outcome: 'better', before: before?.latency_p50_ms } },
  ])
  expect(gate.root.read(SHOP)).toBe(answering(2))
  // Measured when it went live, and never computed again.
  expect(kept.before).toEqual(before)
  // GRACE 22: every step, with who wanted it and why
  expect(await steps(id)).toEqual([
    'change_proposed pending',
    'change_applied pending',
    'change_live ok',
    'change_verified confirmed',
  ])
  for (const { actor, reason } of await gate.entries(id))
    expect(actor.length * (reason ?? 'x').length).toBeGreaterThan(0)
})

it('GRACE 23, 24: a guard is worse though the target is better: the exact bytes are back, on record and told', async () => {
  await begin({ [SHOP]: answering(60) })
  const heard = gate.system.event('proposal.restored')
  const { id } = await propose(failing(9), FASTER)
  await windowOver()
  const restored = await gate.until(id, 'restored')
  expect(restored.verifications.at(-1)).toMatchObject({ verdict: 'regressed' })
  expect(gate.root.read(SHOP)).toBe(answering(60))
  expect((await heard).data).toMatchObject({ id, service: 'shop' })
  expect(await steps(id)).toEqual(expect.arrayContaining(['change_verified regressed', 'change_restored ok']))
  expect(gate.system.log.some(({ level, message }) => level === 'warn' && message.startsWith(`${id} restored`))).toBe(
    true,
  )
  const again = await rejection(gate.rollouts.undo(id, { by: 'ada' }))
  expect(again).toMatchObject({ code: 'proposal_not_live', message: expect.stringContaining('restored') })
})

it('callers are held up, and nobody said what should be better: restored', async () => {
  await begin()
  const { id } = await propose(answering(60))
  await windowOver()
  const restored = await gate.until(id, 'restored')
  expect(restored.message).toMatch(/^worse: calls_per_s of shop/)
  expect(gate.root.read(SHOP)).toBe(answering(5))
})

/** Calls that come whether those before were answered or not, as from many callers: nobody is held up. */
function steadyTraffic(): () => Promise<void> {
  const shop = gate.system.getApi<{ ask(): Promise<string> }>('shop').with({ deadlineMs: 2_000 })
  const timer = setInterval(() => void shop.ask().catch(() => undefined), 10)
  return async () => clearInterval(timer)
}
const slowFor = (calls: number): string =>
  moduleOf(
    'async ask() { await new Promise((resolve) => setTimeout(resolve, ++this.calls > CALLS ? 5 : 60)) }',
  ).replace('CALLS', String(calls))

it.each([
  ['is slow as long as it is new: kept', slowFor(90), 'confirmed', ['inconclusive 1', 'confirmed 2']],
  ['stays slow: restored', answering(60), 'restored', ['inconclusive 1', 'regressed 2']],
] as const)('what %s, by a window of its own', async (_what, text, state, verdicts) => {
  gate = await startGate()
  stopTraffic = steadyTraffic()
  await gate.calls(100)
  const { id } = await propose(text)
  await windowOver()
  await vi.waitFor(async () => expect((await gate.rollouts.show(id)).verifications).toHaveLength(1))
  expect((await gate.rollouts.show(id)).message).toMatch(
    /^inconclusive: slower, as what is new may be: latency_p50_ms of/,
  )
  await windowOver()
  const { verifications } = await gate.until(id, state)
  expect(verifications.map(({ verdict, round }) => `${verdict} ${round}`)).toEqual(verdicts)
})

it('a change waits until there are as many timed calls before it as a comparison takes', async () => {
  gate = await startGate({ 'configs/rollouts.yml': ROLLOUTS.replace('samples_min: 30', 'samples_min: 5') })
  stopTraffic = async () => undefined
  const shop = gate.system.getApi<{ ask(): Promise<string> }>('shop').with({ deadlineMs: 2_000 })
  for (let call = 0; call < 8; call++) await shop.ask()
  const waits = await propose(answering(4))
  expect(waits).toMatchObject({ state: 'queued', message: 'its values before are being measured' })
  stopTraffic = gate.traffic(1)
  const live = await gate.until(waits.id, 'watching')
  expect(live.before?.latency_p50_ms?.samples).toBeGreaterThanOrEqual(20)
})

it('a change that changes nothing for callers is kept', async () => {
  await begin(UNTIMED)
  const { id } = await propose(`// the same\n${answering(5)}`)
  await windowOver()
  const { verifications } = await gate.until(id, 'confirmed')
  expect(verifications.at(-1)?.guards.map(({ outcome }) => outcome)).not.toContain('worse')
})

it('no better than before is inconclusive, once more, then restored', async () => {
  await begin(UNTIMED)
  const { id } = await propose(`// the same\n${answering(5)}`, FASTER)
  await windowOver()
  await vi.waitFor(async () => expect((await gate.rollouts.show(id)).verifications).toHaveLength(1))
  await windowOver()
  const restored = await gate.until(id, 'restored')
  expect(restored.verifications.map(({ verdict, round }) => `${verdict} ${round}`)).toEqual([
    'inconclusive 1',
    'inconclusive 2',
  ])
})

it('SynthOrg 28: too few calls are inconclusive, never success: once more, then restored', async () => {
  await begin(UNTIMED)
  await stopTraffic()
  const { id } = await propose(answering(1))
  for (const count of [1, 2]) {
    gate.clock.skip(WINDOW_MS)
    await vi.waitFor(async () => expect((await gate.rollouts.show(id)).verifications).toHaveLength(count))
  }
  const restored = await gate.until(id, 'restored')
  expect(restored.verifications).toMatchObject([{ verdict: 'inconclusive' }, { verdict: 'inconclusive' }])
  expect(restored.message).toContain('too few')
  expect(gate.root.read(SHOP)).toBe(answering(5))
})

it('a burst of errors is restored at once, long before the window is over', async () => {
  await begin(UNTIMED)
  const { id } = await propose(failing(2))
  const restored = await gate.until(id, 'restored')
  expect(restored.message).toMatch(/\d+ of \d+ calls of shop failed/)
  expect(gate.root.read(SHOP)).toBe(answering(5))
})

it('what the kernel takes back by itself has regressed', async () => {
  await begin(UNTIMED)
  const crashing =
    moduleOf(`run() { setTimeout(() => { throw new Error('a late one') }, 5); setTimeout(() => { throw new Error('and another') }, 10); setTimeout(() => { throw new Error('a third') }, 15) }
  async ask() { return 'old' }`)
  const { id } = await propose(crashing)
  const restored = await gate.until(id, 'restored')
  expect(restored.verifications.at(-1)).toMatchObject({ verdict: 'regressed' })
  expect(gate.root.read(SHOP)).toBe(answering(5))
})

it('GRACE 27: two changes of one service come one after the other', async () => {
  await begin({ ...UNTIMED, 'configs/shop.yml': 'note: one\n' })
  const first = await gate.propose(SHOP, `// the same\n${answering(5)}`)
  const second = await gate.propose('configs/shop.yml', 'note: two\n')
  await gate.approve(first)
  expect(await gate.approve(second)).toMatchObject({
    state: 'queued',
    message: 'it waits for c1, which changes the same',
  })
  expect(gate.root.read('configs/shop.yml')).toBe('note: one\n')
  await windowOver()
  await gate.until(first.id, 'confirmed')
  await gate.until(second.id, 'watching')
  expect(gate.root.read('configs/shop.yml')).toBe('note: two\n')
  await windowOver()
  expect(await gate.until(second.id, 'confirmed')).toMatchObject({ state: 'confirmed' })
})
