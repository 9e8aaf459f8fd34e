/** Rows of GRACE, SynthOrg and Aetherra: the watch clock, the health of the loop, what is told, and what a finding leads to. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LedgerApi, LedgerEntry } from '../../../modules/contracts/ledger.ts'
import { CADENCE, KNOBS, SHOP, startLoop, UNRELIABLE, type Loop } from '../meta-loop/loop.ts'

const WATCH = 'watch: {check_ms: 20, interval_seconds: 300, gap_cycles: 3, failures_max: 2}\n'
const GOALS = `strategic_goals:
  - {id: speed, metric: test.goal, direction: down, target: 1}
  - {id: compliance, metric: performance.avg_success_rate, direction: up, target: 0.5}
`
const INTERVAL_MS = 300_000

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(CADENCE + KNOBS + WATCH + GOALS)
})
afterEach(() => loop.stop())

async function watch(): Promise<void> {
  const watched = loop.system.event('meta.watched')
  loop.clock.skip(INTERVAL_MS)
  await watched
}
const entries = (action: string): Promise<LedgerEntry[]> =>
  loop.system.getApi<LedgerApi>('ledger').read({ action, limit: 1_000 })
const isLive = async (): Promise<string> => (await loop.rollouts.show('c1')).state

it('GRACE 28: it watches every 300 seconds, also after one that failed, and the next cycle comes by its own clock', async () => {
  await watch()
  loop.tell({ fails: true })
  await watch()
  expect(loop.system.log.some(({ message }) => message.includes('the metrics are gone'))).toBe(true)
  loop.tell({ fails: false })
  await watch()
  expect((await loop.meta.cycles()).cycles).toEqual([])
  const ended = loop.ended()
  loop.clock.skip(4 * 3_600_000)
  expect(await ended).toMatchObject({ number: 1, trigger: 'scheduled', status: 'completed' })
})

it('GRACE 29: the health of the loop is what the ledger says', async () => {
  expect(await loop.meta.health()).toMatchObject({ cycles: 0, cycle_latency_ms: null, rollback_rate: null })
  loop.tell({ ...UNRELIABLE, values: { ...UNRELIABLE.values, 'test.slow': 0 } })
  await loop.cycle()
  expect(await isLive()).toBe('watching')
  await loop.rollouts.undo('c1', { by: 'ada' })
  loop.tell({ take_ms: 50 })
  await loop.cycle()
  const [begun, ended] = [await entries('cycle_begun'), await entries('cycle_ended')]
  const times = ended.map(({ cycle, time }) => time - (begun.find((one) => one.cycle === cycle)?.time ?? 0))
  const asked = ended.reduce((sum, { payload }) => sum + Number(payload?.['rules_asked']), 0)
  const held = ended.reduce((sum, { payload }) => sum + Number(payload?.['rules_held']), 0)
  const live = await entries('change_live')
  const undone = new Set((await entries('change_undone')).map(({ cycle }) => cycle))
  expect([live.length, undone.size, ended.length]).toEqual([1, 1, 2])
  expect(await loop.meta.health()).toEqual({
    cycles: 2,
    cycle_latency_ms: times.reduce((sum, ms) => sum + ms, 0) / times.length,
    directive_success_rate: 0,
    rollback_rate: undone.size / live.length,
    policy_match_rate: held / asked,
  })
})

it('GRACE 30: a gap that stays open and low compliance are told once each, and again after they were over', async () => {
  loop.tell({ values: { 'performance.avg_success_rate': 0.4, 'test.goal': 3 } })
  const told: unknown[] = []
  loop.system.kernel.events.on('meta.alert', ({ data }) => told.push(data['key']))
  await loop.cycle()
  await loop.cycle()
  await watch()
  expect(told).toEqual(['compliance_low'])
  await loop.cycle()
  await watch()
  await watch()
  expect(told).toEqual(['compliance_low', 'gap_open speed', 'gap_open compliance'])
  expect(await entries('meta_alert')).toHaveLength(3)
  loop.tell({ values: { 'performance.avg_success_rate': 1, 'test.goal': 1 } })
  await loop.cycle()
  await watch()
  expect((await loop.meta.alerts()).alerts.map(({ over_at }) => over_at)).not.toContain(null)
  loop.tell({ values: { 'performance.avg_success_rate': 0.4, 'test.goal': 1 } })
  await loop.cycle()
  await watch()
  expect(told).toEqual(['compliance_low', 'gap_open speed', 'gap_open compliance', 'compliance_low'])
})

it('SynthOrg 38: a sink that fails stops no other', async () => {
  const posted: unknown[] = []
  loop.system.kernel.events.on('posted', ({ data }) => posted.push(data))
  loop.root.write(
    'modules/post.mjs',
    `export class Module {
      constructor(kernel) { this.kernel = kernel }
      request(url, { method, body }) {
        this.kernel.events.emit('posted', { url, method, ...JSON.parse(body) })
        throw new Error('nobody is there')
      }
    }`,
  )
  loop.root.write('configs/fetch.yml', 'prog: post\n')
  await loop.system.live('fetch')
  await loop.configure(`${CADENCE + WATCH + GOALS}webhook: https://example.com/alerts\n`)
  loop.tell({ values: { 'performance.avg_success_rate': 0.4, 'test.goal': 1 } })
  await loop.cycle()
  await watch()
  expect(posted).toMatchObject([{ url: 'https://example.com/alerts', method: 'POST', alert: 'compliance_low' }])
  expect(loop.system.log.map(({ message }) => message)).toContain(
    'compliance_low is not told by webhook: nobody is there',
  )
  expect(await entries('meta_alert')).toHaveLength(1)
  expect((await loop.cycle()).queued_signals).toMatchObject([{ source: 'alert', priority: 'high' }])
})

it('GRACE 31: each cycle is summed up with what was measured before and after, and the target', async () => {
  loop.tell({ values: { 'performance.avg_success_rate': 1, 'test.goal': 3 } })
  await loop.cycle()
  loop.tell({ values: { 'performance.avg_success_rate': 1, 'test.goal': 2 } })
  const { summary } = await loop.cycle()
  expect(summary).toContain('cycle 2 (manual) completed')
  expect(summary).toContain('speed 2 (before 3, target 1)')
  expect((await entries('cycle_ended')).at(-1)?.payload?.['summary']).toBe(summary)
})

it('GRACE 18: a rule that is written while the system runs holds in the next cycle, and after a reload', async () => {
  loop.tell({ values: { 'test.goal': 5 } })
  expect((await loop.cycle()).findings).toEqual([])
  const rule = `rules: [{name: far, conditions: [{metric: test.goal, comparator: gt, threshold: 4}], severity: info, altitudes: [config]}]\n`
  await loop.configure(CADENCE + rule)
  expect((await loop.cycle()).findings).toMatchObject([{ rule: 'far', severity: 'info' }])
  await loop.restart()
  expect((await loop.cycle()).findings).toMatchObject([{ rule: 'far' }])
})

it("SynthOrg 16: a rule of one's own is read anew without a restart; one that cannot be used leaves those before it", async () => {
  loop.tell({ values: { 'test.slow': 2 } })
  const { generation } = await loop.system.show('meta-loop')
  await loop.configure(CADENCE + KNOBS.replace('threshold: 1', 'threshold: 1.5'))
  expect((await loop.system.show('meta-loop')).generation).toBe(generation)
  expect((await loop.cycle()).findings).toMatchObject([{ rule: 'slow_shop' }])
  const refused = loop.system.event('meta.rules_refused')
  await loop.configure(CADENCE + KNOBS.replace('metric: test.slow', 'metric: test.slo'))
  await loop.meta.findings()
  expect(String((await refused).data['reason'])).toContain('test.slow')
  expect((await loop.meta.rules()).custom).toMatchObject([{ name: 'slow_shop', conditions: [{ threshold: 1.5 }] }])
})

it('Aetherra 26: a metric that a rule is about leads to a proposal a person can decide on', async () => {
  loop.tell({ values: { 'test.slow': 2 } })
  const cycle = await loop.cycle()
  expect(cycle).toMatchObject({ pending: ['c1'], applied: [] })
  expect(await loop.approve(await loop.rollouts.show('c1'))).toMatchObject({ state: 'watching', approved_by: 'ada' })
  expect(loop.root.read('configs/shop.yml')).toBe(SHOP.replace('speed: 10', 'speed: 11'))
})

it('Aetherra 25: the same finding again is the same proposal, seen twice', async () => {
  loop.tell({ values: { 'test.slow': 2 } })
  await loop.cycle()
  expect(await loop.cycle()).toMatchObject({
    proposals: ['c1'],
    silent: expect.arrayContaining([{ rule: 'slow_shop', reason: 'pending' }]),
  })
  expect((await loop.rollouts.list()).proposals).toMatchObject([{ id: 'c1', occurrences: 2 }])
})
