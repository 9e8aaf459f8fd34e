/** Who called whom within one request: the entry, the first hop, the loop of tools, and with `full` all that follows. */
import { afterEach, expect, it } from 'vitest'
import type { Trace, TracesApi, TraceSummary } from '../../modules/contracts/traces.ts'
import type { AssistantApi } from '../../modules/contracts/services.ts'
import { newTrace } from '../../modules/lib/trace.ts'
import { CHAT_FILES } from '../agents/chat-system.ts'
import { underCalls } from '../support/load.ts'
import { startServed, type ServedSystem } from '../support/served.ts'
import { rejection } from '../support/system.ts'

const TRACES = 'prog: services/traces\n'
const CHAIN = {
  'modules/front.ts': `export class Module {
    constructor(kernel) { this.mid = kernel.getApi('mid') }
    async go(n) { await 0; return this.mid.go(n) }
    fail() { throw new Error('it broke') }
    slow() { return new Promise((resolve) => setTimeout(resolve, 60)) }
  }`,
  'modules/mid.ts': `export class Module {
    constructor(kernel) { this.back = kernel.getApi('back') }
    async go(n) { await 0; const [a, b] = await Promise.all([this.back.add(n), this.back.add(n + 1)]); return a + b }
  }`,
  'modules/back.ts': 'export class Module { async add(n) { await 0; return n + 1 } }',
  'configs/front.yml': '',
  'configs/mid.yml': '',
  'configs/back.yml': '',
  'configs/traces.yml': TRACES,
}

const running: ServedSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function start(files: Record<string, string>): Promise<ServedSystem> {
  const system = await startServed(files)
  running.push(system)
  return system
}

const call = (system: ServedSystem, method: string, args: unknown[] = [], more: object = {}) =>
  system.json<{ result: unknown; trace_id: string; generation: number }>('/api/services/front/call', {
    method,
    args,
    ...more,
  })

const linesOf = ({ tree }: Trace): string[] =>
  tree.map(
    ({ depth, caller, callee, method, outcome }) => `${'  '.repeat(depth)}${caller} → ${callee}.${method} ${outcome}`,
  )

it('a call over HTTP is found by the id it answered with: who called whom, on which version, how long', async () => {
  const system = await start(CHAIN)
  const { result, trace_id } = await call(system, 'go', [1])
  expect(result).toBe(5)
  const trace = await system.json<Trace>(`/api/traces/${trace_id}`)
  const [span] = trace.tree
  const { source_hash, config_hash } = await system.show('front')
  expect(linesOf(trace)).toEqual(['http → front.go ok'])
  expect(span).toMatchObject({ generation: 1, source_hash, config_hash, parent: null, error: null, kind: 'call' })
  expect(span?.ms).toBeGreaterThan(0)
  const cut = await system.json<Trace>(`/api/traces/${trace_id.slice(0, 12)}`)
  expect(cut.trace).toBe(trace_id)
})

it('what went wrong stands in the trace as its caller saw it: thrown, refused, too late', async () => {
  const system = await start(CHAIN)
  await call(system, 'fail')
  await call(system, 'slow', [], { deadline_ms: 10 })
  await call(system, 'nothing')
  const { traces } = await system.json<{ traces: TraceSummary[] }>('/api/traces?errors=true&service=front')
  const shown = await Promise.all(traces.map(({ trace }) => system.json<Trace>(`/api/traces/${trace}`)))
  expect(shown.map(({ tree: [span] }) => [span?.method, span?.error?.code])).toEqual([
    ['nothing', 'method_not_found'],
    ['slow', 'deadline_exceeded'],
    ['fail', 'callee_error'],
  ])
  expect(shown[2]?.tree[0]?.error?.message).toBe('it broke')
})

it('a trace that began elsewhere goes on: the header traceparent is its place', async () => {
  const system = await start(CHAIN)
  const headers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
  await system.json('/api/services/front/call', { method: 'go', args: [1] }, headers)
  const { tree } = await system.json<Trace>(`/api/traces/${'a'.repeat(32)}`)
  expect(tree[0]?.parent).toBe('b'.repeat(16))
})

it('the loop of a chat is one trace: the model, the tool it asked for, and the service behind the tool', async () => {
  const system = await start({ ...CHAT_FILES, 'configs/traces.yml': TRACES, 'note.txt': 'seven\n' })
  const trace = newTrace()
  const assistant = system.getApi<AssistantApi>('assistant')
  await assistant.with({ trace }).chat({ message: 'read file path="note.txt"', trace })
  const shown = await system.getApi<TracesApi>('traces').show(trace)
  expect(linesOf(shown)).toEqual([
    'test → assistant.chat ok',
    'assistant → offline.stream ok',
    'assistant → tools.invoke ok',
    '  tools → filesystem.read_file ok',
    'assistant → offline.stream ok',
  ])
  expect(shown.tree[1]?.model).toMatchObject({ name: 'offline planner', finish: 'stop' })
})

it('with `full` on every call is followed, without one of them naming a trace; off again, nothing is', async () => {
  const system = await start(CHAIN)
  system.root.write('configs/traces.yml', `${TRACES}full: true\n`)
  await system.event('service.configured', ({ api }) => api === 'traces')
  const { trace_id } = await call(system, 'go', [1])
  const trace = await system.json<Trace>(`/api/traces/${trace_id}`)
  expect(linesOf(trace)).toEqual([
    'http → front.go ok',
    '  front → mid.go ok',
    '    mid → back.add ok',
    '    mid → back.add ok',
  ])
  system.root.write('configs/traces.yml', TRACES)
  await system.event('service.configured', ({ api }) => api === 'traces')
  const after = await call(system, 'go', [1])
  expect(linesOf(await system.json<Trace>(`/api/traces/${after.trace_id}`))).toEqual(['http → front.go ok'])
})

it('a reload of the service under load loses no trace, doubles none, and fails no call', async () => {
  const system = await start({ ...CHAIN, 'configs/traces.yml': `${TRACES}traces_max: 100000\n` })
  const front = system.getApi('front')
  const ids: string[] = []
  const { failed } = await underCalls(
    4,
    async () => {
      const trace = newTrace()
      ids.push(trace)
      await front.with({ trace })['go']?.(1)
    },
    async () => {
      for (let generation = 2; generation <= 4; generation++) {
        await system.reload('traces')
        await system.live('traces', generation)
      }
    },
  )
  expect(failed).toEqual([])
  expect(ids.length).toBeGreaterThan(10)
  const traces = system.getApi<TracesApi>('traces')
  const spans = await Promise.all(ids.map(async (id) => (await traces.show(id)).tree.length))
  expect(spans.filter((count) => count !== 1)).toEqual([])
})

it('it keeps what its limits allow, the newest, and says how much of a trace it left out', async () => {
  const system = await start({ ...CHAIN, 'configs/traces.yml': `${TRACES}traces_max: 3\nspans_max: 2\n` })
  const front = system.getApi('front')
  const traces = system.getApi<TracesApi>('traces')
  const many = newTrace()
  for (let n = 0; n < 5; n++) await front.with({ trace: many })['go']?.(n)
  expect(await traces.show(many)).toMatchObject({ spans: 5, dropped: 3 })
  for (let n = 0; n < 3; n++) await front.with({ trace: newTrace() })['go']?.(n)
  expect((await rejection(traces.show(many))).code).toBe('trace_not_found')
  expect((await traces.list()).total).toBe(3)
  expect((await system.fetch('/api/traces?limit=x')).status).toBe(400)
  expect((await system.fetch('/api/traces/none')).status).toBe(404)
})
