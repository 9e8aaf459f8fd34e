/**
 * Findings about structure: an overloaded service is doubled, one that nobody calls is switched off. First as people meet
 * it: a whole system with real calls that the loop measures itself; then what is proposed of whom, and what never is.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { MetaLoopApi, RuleDefinition } from '../../../modules/contracts/meta-loop.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import type { Proposal } from '../../../modules/contracts/proposals.ts'
import { moduleOf, startGate, TOKEN, UNTIMED, WINDOW_MS, type Gate } from '../rollouts/gate.ts'
import { rejection } from '../../support/system.ts'
import { configOf } from './loop.ts'

const FULL = 'prog: control/policy\nautonomy: full\nproduction: false\n'
const QUIET = `watch: {check_ms: 20, interval_seconds: 1000000}
strategic_goals: []
cadence: {mode: frozen, min_interval_between_cycles_seconds: 0, max_cycles_per_hour: 1000, max_cycles_per_day: 1000}
`
const STRUCTURE = 'altitudes: [tuning, config, structure]\n'
const SHOP = '# as Ada wants it\nprog: shop # and Ben\ndomain: sales\n'
const SPARE = 'prog: spare # of last year\n'
const WITH_SPARE = {
  ...UNTIMED,
  'configs/spare.yml': SPARE,
  'modules/spare.mjs': moduleOf(`ask() { return 'spare' }`),
}
const HOUR_MS = 3_600_000
/** One call after the other, whoever calls. */
const ONE_BY_ONE = moduleOf(`ask() {
    this.last = (this.last ?? Promise.resolve()).then(() => new Promise((resolve) => setTimeout(resolve, 10, 'sold')))
    return this.last
  }`)

const rule = (structure: string, condition: string): string =>
  `rules:
  - name: crowded
    conditions: [${condition}]
    severity: warning
    altitudes: [structure]
    structure: ${structure}
`
const SLOW = '{metric: performance.latency_s_p50, comparator: gt, threshold: 0.02}'
const MANY = '{metric: stability.service_count, comparator: gt, threshold: 3}'

let gate: Gate
const callers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of callers.splice(0)) await stop()
  await gate.stop()
})

const meta = (): Handle<MetaLoopApi> => gate.system.getApi<MetaLoopApi>('meta-loop')

async function start(config: string, files: Record<string, string> = {}): Promise<void> {
  gate = await startGate({
    'configs/policy.yml': FULL,
    'configs/control/metrics.yml': 'prog: control/metrics\n',
    'configs/control/meta-loop.yml': configOf(QUIET + config),
    'configs/shop.yml': SHOP,
    'modules/shop.mjs': ONE_BY_ONE,
    ...files,
  })
}

/** As from outside; what failed is kept. */
function traffic(): { failed: unknown[]; stop: () => Promise<void> } {
  const failed: unknown[] = []
  const ended = new AbortController()
  const shop = gate.system.getApi<{ ask(): Promise<string> }>('shop').with({ deadlineMs: 10_000 })
  const lane = async (): Promise<void> => {
    while (!ended.signal.aborted) await shop.ask().catch((thrown: unknown) => failed.push(thrown))
  }
  const running = Array.from({ length: 4 }, lane)
  const stop = async (): Promise<void> => {
    ended.abort()
    await Promise.all(running)
  }
  callers.push(stop)
  return { failed, stop }
}

const waiting = (id = 'c1'): Promise<Proposal> => gate.rollouts.show(id)
const progOf = async (api: string): Promise<string> => (await gate.system.show(api)).prog

/** From a yes to the verdict. */
async function kept(id = 'c1'): Promise<Proposal> {
  await gate.approve(await waiting(id))
  await gate.until(id, 'watching')
  await gate.calls(60)
  gate.clock.skip(WINDOW_MS + 1)
  return gate.until(id, 'confirmed')
}

it('an overloaded service is doubled when a person says so, is faster for it, and goes back byte for byte', async () => {
  await start(STRUCTURE + rule('{operation: double}', SLOW))
  const { failed, stop } = traffic()
  await gate.calls(60)
  expect(await meta().trigger()).toMatchObject({ proposals: ['c1'], applied: [], pending: ['c1'], notes: [] })
  expect(await meta().trigger()).toMatchObject({ proposals: ['c1'], pending: ['c1'] })
  expect(await waiting()).toMatchObject({
    occurrences: 2,
    service: 'shop',
    intent: 'double shop for crowded',
    verdict: { tier: 'HUMAN_REVIEW', altitude: 'structure', impact: 'HIGH' },
    expected: { metric: 'latency_p50_ms', direction: 'lower' },
  })
  expect([gate.root.read('configs/shop.yml'), await progOf('shop')]).toEqual([SHOP, 'shop'])
  const { verifications } = await kept()
  expect(verifications.at(-1)).toMatchObject({ verdict: 'confirmed', target: { service: 'shop', outcome: 'better' } })
  expect(await progOf('shop')).toBe('services/balancer')
  for (const api of ['shop_1', 'shop_2']) {
    expect(gate.root.read(`configs/${api}.yml`)).toBe(`${SHOP}api: ${api}\n`)
    expect((await gate.system.show(api)).calls).toBeGreaterThan(10)
  }
  expect(await meta().trigger()).toMatchObject({ proposals: [] })
  expect((await gate.rollouts.undo('c1', { by: 'ada' })).state).toBe('undone')
  expect([gate.root.read('configs/shop.yml'), await progOf('shop')]).toEqual([SHOP, 'shop'])
  for (const api of ['shop_1', 'shop_2']) {
    expect(existsSync(join(gate.root.path, `configs/${api}.yml`))).toBe(false)
    expect(await rejection(gate.system.show(api))).toMatchObject({ code: 'service_not_found' })
  }
  await gate.calls(10)
  await stop()
  expect(failed).toEqual([])
})

it('a service that nobody has called for so long is switched off when a person says so, and is back as it was', async () => {
  await start(STRUCTURE + rule('{operation: retire, idle_hours: 24}', MANY), {
    ...WITH_SPARE,
  })
  expect(await meta().trigger()).toMatchObject({ proposals: [], notes: ['there is no service to retire for crowded'] })
  gate.clock.skip(25 * HOUR_MS)
  const { failed, stop } = traffic()
  await gate.calls(60)
  expect(await meta().trigger()).toMatchObject({ applied: [], pending: ['c1'], notes: [] })
  const { edits, verdict, service } = await waiting()
  expect(edits).toEqual([
    { path: 'configs/spare.yml', base_hash: gate.hashOf('configs/spare.yml'), text: `${SPARE}enabled: false\n` },
  ])
  expect([service, verdict]).toMatchObject(['shop', { tier: 'HUMAN_REVIEW', altitude: 'structure' }])
  expect(await progOf('spare')).toBe('spare')
  await kept()
  expect(await rejection(gate.system.show('spare'))).toMatchObject({ code: 'service_not_found' })
  await gate.rollouts.undo('c1', { by: 'ada' })
  expect(gate.root.read('configs/spare.yml')).toBe(SPARE)
  expect(await gate.system.getApi<{ ask(): string }>('spare').ask()).toBe('spare')
  await stop()
  expect(failed).toEqual([])
})

it('one that is missed after it was switched off comes back by itself', async () => {
  await start(STRUCTURE + rule('{operation: retire, service: spare, idle_hours: 0.1}', MANY), {
    ...WITH_SPARE,
  })
  const spare = gate.system.getApi<{ ask(): string }>('spare').with({ deadlineMs: 10_000 })
  await meta().trigger()
  gate.clock.skip(HOUR_MS)
  traffic()
  await gate.calls(60)
  await meta().trigger()
  await gate.approve(await waiting())
  await gate.until('c1', 'watching')
  expect(await rejection(spare.ask())).toMatchObject({ code: 'service_not_found' })
  const { message } = await gate.until('c1', 'restored')
  expect(message).toBe('1 calls of spare came, which is gone')
  expect(gate.root.read('configs/spare.yml')).toBe(SPARE)
  expect(await spare.ask()).toBe('spare')
})

it('one that is called, that others name, or that works by itself stays, and the reason is told', async () => {
  const named = (service: string): string => STRUCTURE + rule(`{operation: retire, service: ${service}}`, MANY)
  await start(named('shop'), {
    ...WITH_SPARE,
    'configs/clock.yml': 'prog: clock\nshops: [{first: spare}]\n',
    'modules/clock.mjs': moduleOf(`run() { this.kernel.every(100000, () => {}, 'ticks') }`),
  })
  const noteFor = async (service: string): Promise<string | undefined> => {
    gate.root.write('configs/control/meta-loop.yml', configOf(QUIET + named(service)))
    await gate.system.reload('meta-loop')
    const { notes, proposals } = await meta().trigger()
    expect(proposals).toEqual([])
    return notes[0]
  }
  await meta().trigger()
  gate.clock.skip(25 * HOUR_MS)
  await gate.system.getApi<{ ask(): string }>('shop').ask()
  const stays = 'retire shop for crowded: for 0 h nobody was seen to call it; it takes 24'
  expect(await noteFor('shop')).toBe(stays)
  expect(await noteFor('spare')).toBe('retire spare for crowded: the config of clock names it')
  expect(await noteFor('clock')).toBe('retire clock for crowded: it does more than answer calls: ticks')
  expect(await noteFor('policy')).toBe('retire policy for crowded: meta-loop needs it')
  expect(await noteFor('spares')).toBe('there is no spares to retire for crowded; near: spare')
})

it('without the altitude, while the system is frozen, or after a person said no, nothing is proposed', async () => {
  const config = rule('{operation: double, service: shop}', MANY)
  await start(config)
  expect(await meta().trigger()).toMatchObject({ findings: [{ rule: 'crowded' }], proposals: [] })
  gate.root.write('configs/control/meta-loop.yml', configOf(QUIET + STRUCTURE + config))
  await gate.system.reload('meta-loop')
  gate.system.switchboard.frozen = 'self'
  expect(await meta().trigger()).toMatchObject({ proposals: [], notes: [] })
  gate.system.switchboard.frozen = 'none'
  expect(await meta().trigger()).toMatchObject({ pending: ['c1'] })
  const { approval_id } = await waiting()
  await gate.approvals.reject(String(approval_id), { by: 'ada', token: TOKEN, reason: 'one is enough' })
  await gate.until('c1', 'rejected')
  const said = 'double shop for crowded: somebody, or the traffic, has said no to it'
  expect(await meta().trigger()).toMatchObject({ pending: [], notes: [said] })
})

it('a wish that makes no sense is refused with what is possible, and the rules before stay', async () => {
  await start(STRUCTURE + rule('{operation: double}', MANY))
  const file = 'configs/control/meta-loop.yml'
  for (const [wrong, told] of [
    [rule('{operation: triple}', MANY), '"double"|"retire"'],
    [rule('{operation: double, idle_hours: 3}', MANY), 'only retire'],
    [rule('{operation: retire, idle_hours: 0}', MANY), 'idle_hours'],
    [rule('{operation: double}', MANY).replace('[structure]', '[config]'), 'altitudes do not have structure'],
  ] as const) {
    gate.root.write(file, configOf(QUIET + STRUCTURE + wrong))
    const { error } = await gate.system.reload('meta-loop')
    expect([wrong, error?.message]).toEqual([wrong, expect.stringContaining(told)])
  }
  expect((await meta().rules()).custom).toMatchObject([{ structure: { operation: 'double' } }])
  gate.root.write(file, configOf(QUIET + STRUCTURE))
  await gate.system.reload('meta-loop')
  const set: RuleDefinition = {
    name: 'crowded',
    conditions: [{ metric: 'stability.service_count', comparator: 'gt', threshold: 3 }],
    severity: 'warning',
    altitudes: ['structure'],
    structure: { operation: 'retire', service: 'shopp' },
  }
  const there = expect.stringMatching(/there is no shopp; near: shop; there are: .*policy, rollouts, shop/)
  for (const refused of [meta().preview(set), meta().draft({ set })])
    expect(await rejection(refused)).toMatchObject({ code: 'rule_invalid', message: there })
})
