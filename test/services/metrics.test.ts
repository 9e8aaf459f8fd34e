/** What Prometheus reads: right, accepted by its own tools, and named as the alert rules and the dashboard name it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { InferenceApi } from '../../modules/contracts/services.ts'
import { startModel } from '../agents/chat-system.ts'
import { packageRoot } from '../support/root.ts'
import { startServed, type ServedSystem } from '../support/served.ts'

const FILES = {
  'configs/metrics.yml': 'prog: services/metrics\n',
  'configs/calc.yml': 'limits: {drain_ms: 10}\n',
  'modules/calc.ts':
    'export class Module { add(a, b) { return a + b } async fail() { throw new Error("no") } wait() { return new Promise((resolve) => { this.go = resolve }) } end() { this.go() } }',
}

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(files: Record<string, string> = {}): Promise<ServedSystem> {
  const system = await startServed({ ...FILES, ...files })
  ends.push(() => system.stop())
  return system
}

const scrape = async (system: ServedSystem): Promise<string> => (await system.fetch('/metrics')).text()

/** The value of one line, by its name and labels as they are written. */
function valueOf(text: string, name: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

/** Debian's package `prometheus` has it. Where it is missing a run on one's own machine says so; one of the CI fails. */
const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const withPromtool = it.skipIf(!hasPromtool && process.env['CI'] === undefined)

const promtool = (args: string[], input = ''): string =>
  execFileSync('promtool', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })

it('counts of calls and errors are those that were made, and go on over a reload of the service', async () => {
  const system = await start()
  const calc = system.getApi('calc')
  for (let n = 0; n < 7; n++) await calc['add']?.(n, 1)
  for (let n = 0; n < 3; n++) await (calc['fail'] as () => Promise<unknown>)().catch(() => undefined)
  const waiting = calc['wait']?.()
  await system.reload('metrics')
  await system.live('metrics', 2)
  const text = await scrape(system)
  expect(valueOf(text, 'mm_calls_total{service="calc"}')).toBe(11)
  expect(valueOf(text, 'mm_call_errors_total{service="calc"}')).toBe(3)
  expect(valueOf(text, 'mm_calls_in_flight{service="calc"}')).toBe(1)
  expect(valueOf(text, 'mm_service_generation{service="calc"}')).toBe(1)
  expect(valueOf(text, 'mm_reloads_total{service="metrics"}')).toBe(1)
  expect(valueOf(text, 'mm_service_live{service="calc"}')).toBe(1)
  expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e7)
  await calc['end']?.()
  await waiting
})

it('times of calls are a histogram in seconds, kept over a reload; a service that is gone leaves it', async () => {
  const system = await start()
  const call = (): Promise<unknown> => system.json('/api/services/calc/call', { method: 'add', args: [1, 2] })
  for (let n = 0; n < 5; n++) await call()
  await system.reload('metrics')
  await system.live('metrics', 2)
  await call()
  const text = await scrape(system)
  expect(valueOf(text, 'mm_call_duration_seconds_count{service="calc"}')).toBe(6)
  expect(valueOf(text, 'mm_call_duration_seconds_bucket{le="60",service="calc"}')).toBe(6)
  system.root.remove('configs/calc.yml')
  await system.event('service.stopped', ({ api }) => api === 'calc')
  await expect.poll(() => scrape(system)).not.toContain('service="calc"')
})

it('tokens and cost of models are counted, once each', async () => {
  const model = await startModel(() => ({ content: 'Hi.', usage: { prompt_tokens: 100, completion_tokens: 20 } }))
  ends.push(() => model.server.stop())
  const system = await start({ 'configs/model.yml': model.config })
  const inference = system.getApi<InferenceApi>('model')
  for (let n = 0; n < 3; n++) await inference.complete({ messages: [{ role: 'user', content: 'Hi' }] })
  const text = await scrape(system)
  const labels = '{provider="model",model="scripted"}'
  expect(valueOf(text, `mm_model_answers_total${labels}`)).toBe(3)
  expect(valueOf(text, 'mm_model_tokens_total{provider="model",model="scripted",kind="input"}')).toBe(300)
  expect(valueOf(text, 'mm_model_tokens_total{provider="model",model="scripted",kind="output"}')).toBe(60)
  expect(valueOf(text, `mm_model_cost_dollars_total${labels}`)).toBeCloseTo((300 * 1 + 60 * 2) / 1e6, 9)
})

it('who has no token reads no metrics', async () => {
  const system = await start()
  expect((await fetch(`${system.url}/metrics`)).status).toBe(401)
  const answer = await system.fetch('/metrics')
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
})

withPromtool('promtool accepts what is served, the alert rules and the scrape config', async () => {
  const system = await start()
  await system.json('/api/services/calc/call', { method: 'add', args: [1, 2] })
  promtool(['check', 'metrics'], await scrape(system))
  expect(promtool(['check', 'rules', join(packageRoot, 'docs/ops/alerts.yml')])).toContain('SUCCESS')
  promtool(['check', 'config', '--syntax-only', join(packageRoot, 'docs/ops/prometheus.yml')])
})

withPromtool(
  'every metric that a rule, a panel or the page of metrics names is served, and the other way round',
  async () => {
    const model = await startModel(() => ({ content: 'Hi.', usage: { prompt_tokens: 1, completion_tokens: 1 } }))
    ends.push(() => model.server.stop())
    const system = await start({ 'configs/model.yml': model.config })
    await system.getApi<InferenceApi>('model').complete({ messages: [{ role: 'user', content: 'Hi' }] })
    await system.json('/api/services/calc/call', { method: 'add', args: [1, 2] })
    const served = new Set([...(await scrape(system)).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name ?? ''))
    const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')
    const namesIn = (text: string): string[] => [
      ...new Set(
        (text.match(/\b(?:mm|process|nodejs)_[a-z_]+[a-z]\b/g) ?? []).map((one) => one.replace(/_bucket$/, '')),
      ),
    ]
    for (const file of ['docs/ops/alerts.yml', 'docs/ops/grafana-dashboard.json'])
      expect(namesIn(read(file)).filter((name) => !served.has(name))).toEqual([])
    expect(namesIn(read('docs/metrics.md')).sort()).toEqual([...served].sort())
    const { panels } = JSON.parse(read('docs/ops/grafana-dashboard.json')) as {
      panels: { targets: { expr: string }[] }[]
    }
    const rules = panels
      .flatMap(({ targets }) => targets)
      .map(({ expr }, index) => ({
        record: `panel:${index}`,
        expr: expr.replaceAll('$service', 'calc'),
      }))
    system.root.write('runtime/panels.yml', JSON.stringify({ groups: [{ name: 'panels', rules }] }))
    const checked = promtool(['check', 'rules', join(system.root.path, 'runtime/panels.yml')])
    expect(checked).toContain(`${rules.length} rules found`)
  },
)
