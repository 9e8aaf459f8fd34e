/** Findings about code: whom the self-improver is asked to improve, when, and when not. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ServiceHealth } from '../../../modules/contracts/meta-metrics.ts'
import { CADENCE, KNOBS, startLoop, type Loop } from './loop.ts'
import { domainOf } from './made.ts'

const IMPROVER = `export class Module {
  constructor(kernel) { this.kernel = kernel; this.count = 0 }
  start(request) { this.kernel.events.emit('asked', request); return { id: 'i' + ++this.count, state: 'running' } }
}
`
const health = (api: string, more: Partial<ServiceHealth> = {}): ServiceHealth => ({
  api,
  state: 'live',
  role: 'productive',
  calls: 10,
  errors: 0,
  p95_s: null,
  calls_to: [],
  ...more,
})
const rule = (metric: string): string =>
  `rules: [{name: bad, conditions: [{metric: ${metric}, comparator: gt, threshold: 1}], severity: warning, altitudes: [code]}]\n`
const CODE = 'altitudes: [tuning, config, code]\n'
const SERVICES = [
  health('slow', { p95_s: 2 }),
  health('quick', { p95_s: 0.1, errors: 4 }),
  health('rollouts', { p95_s: 30, errors: 9, role: 'system' }),
]

let loop: Loop
let asked: unknown[]
beforeEach(async () => {
  loop = await startLoop(CADENCE + CODE + rule('test.slow'), {
    'configs/self-improver.yml': 'prog: improver\n',
    'modules/improver.mjs': IMPROVER,
  })
  asked = []
  loop.system.kernel.events.on('asked', ({ data }) => asked.push(data))
  const catalogue = ['test.slow', 'test.latency'].map((path) => ({ path, direction: 'down', target: null }))
  loop.tell({
    values: { 'test.slow': 2, 'test.latency': 2 },
    catalogue,
    domains: [JSON.parse(JSON.stringify(domainOf('all', { services: SERVICES }))) as never],
  })
})
afterEach(() => loop.stop())

it('the service that fails most, or is slowest, is to be improved, once for one finding', async () => {
  const { notes, proposals } = await loop.cycle()
  expect(notes).toEqual(['i1: another text of quick is looked for, for bad'])
  expect(proposals).toEqual([])
  expect(asked).toMatchObject([{ service: 'quick', actor: 'meta-loop', expected: { metric: 'error_share' } }])
  loop.clock.skip(5 * 3_600_000)
  expect((await loop.cycle()).notes).toEqual([])
  await loop.configure(CADENCE + CODE + rule('test.latency'))
  await loop.cycle()
  expect(asked).toMatchObject([{}, { service: 'slow', expected: { metric: 'latency_p95_ms', direction: 'lower' } }])
  loop.clock.skip(8 * 86_400_000)
  await loop.cycle()
  expect(asked).toHaveLength(3)
})

it('what many findings see of one service is asked of a model once, and again when the cooldown is over', async () => {
  const second = rule('test.slow').replace('rules: [', '').replace('name: bad', 'name: worse').replace(']\n', '')
  await loop.configure(CADENCE + CODE + rule('test.slow').replace(/\]\n$/, `, ${second}]\n`))
  expect((await loop.cycle()).notes).toEqual(['i1: another text of quick is looked for, for bad'])
  expect((await loop.cycle()).notes).toEqual([])
  loop.clock.skip(5 * 3_600_000)
  expect((await loop.cycle()).notes).toEqual(['i2: another text of quick is looked for, for worse'])
})

it('without the altitude, or while the system is frozen, no model is asked', async () => {
  await loop.configure(CADENCE + rule('test.slow'))
  expect(await loop.cycle()).toMatchObject({ findings: [{ rule: 'bad' }], notes: [] })
  await loop.configure(CADENCE + CODE + rule('test.slow'))
  loop.system.switchboard.frozen = 'self'
  await loop.cycle()
  expect(asked).toEqual([])
})

it('SynthOrg 20: what reaches higher than the loop may is not proposed', async () => {
  await loop.configure(`${CADENCE}altitudes: [tuning]\n${KNOBS}`)
  const cycle = await loop.cycle()
  expect(cycle).toMatchObject({ identity: 'no_changes', changes: [], proposals: [] })
  expect(cycle.notes).toEqual(['configs/shop.yml speed is config, which the loop does not propose'])
})
