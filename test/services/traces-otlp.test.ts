/** Spans on their way to an OpenTelemetry collector: a real HTTP server that takes what comes, or is down. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { AssistantApi } from '../../modules/contracts/services.ts'
import { newTrace } from '../../modules/lib/trace.ts'
import { CHAT_FILES, startModel } from '../agents/chat-system.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

type Value = { stringValue?: string; intValue?: number; arrayValue?: { values: Value[] } }
interface OtlpSpan {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  status: { code: number; message?: string }
  attributes: { key: string; value: Value }[]
}

interface Collector {
  port: number
  /** what it answers with */
  status: number
  bodies: string[]
  authorization: (string | undefined)[]
  spans(): OtlpSpan[]
}

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startCollector(): Promise<Collector> {
  const collector: Collector = {
    port: 0,
    status: 200,
    bodies: [],
    authorization: [],
    spans: () =>
      collector.bodies.flatMap((body) => {
        const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }
        return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      }),
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (collector.status === 200) {
        collector.bodies.push(body)
        collector.authorization.push(request.headers.authorization)
      }
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  collector.port = (server.address() as AddressInfo).port
  ends.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return collector
}

async function start(files: Record<string, string>): Promise<TestSystem> {
  const system = await startSystem(files)
  ends.push(() => system.stop())
  return system
}

const traced = (port: number): Record<string, string> => ({
  'configs/traces.yml': `prog: services/traces
otlp_endpoint: http://127.0.0.1:${port}/v1/traces
otlp_headers: {authorization: '\${MM_TEST_COLLECTOR_KEY}'}
otlp_ms: 50\n`,
  'configs/calc.yml': 'key: ${MM_TEST_PLANTED}',
  'modules/calc.ts':
    'export class Module { constructor(_kernel, config) { this.key = config.key } add(a, b) { return a + b } fail() { throw new Error(`no key ${this.key}`) } }',
})

const attributesOf = (span: OtlpSpan | undefined): Record<string, unknown> =>
  Object.fromEntries(
    (span?.attributes ?? []).map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.arrayValue?.values.map((one) => one.stringValue),
    ]),
  )

it('a chat with a model is sent by the GenAI conventions; its prompt, its answer and keys are not', async () => {
  Object.assign(process.env, { MM_TEST_COLLECTOR_KEY: 'collector-key-1', MM_TEST_PLANTED: 'planted-value-1' })
  const collector = await startCollector()
  const model = await startModel((messages) =>
    messages.length > 2
      ? { content: 'The planted answer.', usage: { prompt_tokens: 7, completion_tokens: 5 } }
      : '```tool\n{call: filesystem_read_file {params {path: "note.txt"}}}\n```',
  )
  ends.push(() => model.server.stop())
  const system = await start({
    ...CHAT_FILES,
    ...traced(collector.port),
    'configs/model.yml': model.config,
    'note.txt': 'seven\n',
  })
  const trace = newTrace()
  const assistant = system.getApi<AssistantApi>('assistant')
  const answer = await assistant.with({ trace }).chat({ message: 'planted question', trace, provider: 'model' })
  expect(answer.status).toBe('done')
  await expect.poll(() => collector.spans().length).toBe(5)
  const spans = collector.spans()
  expect(spans.every(({ traceId }) => traceId === trace)).toBe(true)
  const chat = spans.filter(({ name }) => name === 'chat scripted').at(-1)
  expect(chat?.kind).toBe(3)
  expect(attributesOf(chat)).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'model',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 7,
    'gen_ai.usage.output_tokens': 5,
  })
  const tool = spans.find(({ name }) => name === 'execute_tool filesystem_read_file')
  expect(tool?.parentSpanId).toBe(spans.find(({ name }) => name === 'tools.invoke')?.spanId)
  expect(collector.authorization[0]).toBe('collector-key-1')
  expect(collector.bodies.join('')).not.toMatch(/planted|seven/)
})

it('a collector that is down loses nothing that fits the queue, over a reload too, and an error has no secret', async () => {
  Object.assign(process.env, { MM_TEST_COLLECTOR_KEY: 'collector-key-1', MM_TEST_PLANTED: 'planted-value-1' })
  const collector = await startCollector()
  collector.status = 400
  const system = await start(traced(collector.port))
  const calc = system.getApi('calc').with({ trace: newTrace() })
  for (let n = 0; n < 20; n++) await calc['add']?.(n, 1)
  await expect((calc['fail'] as () => Promise<unknown>)()).rejects.toThrow('no key planted-value-1')
  await expect.poll(() => system.log.some(({ message }) => message.includes('cannot be sent'))).toBe(true)
  await system.reload('traces')
  collector.status = 200
  await expect.poll(() => collector.spans().length).toBe(21)
  const failed = collector.spans().filter(({ status }) => status.code === 2)
  expect(failed.map(({ status }) => status.message)).toEqual(['no key [redacted]'])
  expect(collector.bodies.join('')).not.toContain('planted-value-1')
})
