/** 200 reloads of a stateless module under 64 callers in the process and 16 over HTTP, half of those keep-alive. */
import { Agent, request } from 'node:http'
import { expect, it } from 'vitest'
import { createRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const RELOADS = 200
const CALLERS = 64
const HTTP_CALLERS = 16

const source = (version: number): string => `
import { scale } from './scale.ts'
export class Module {
  constructor(private readonly kernel: { sleep(ms: number): Promise<void>; generation: number }) {}
  version() { return ${version} }
  add(a: number, b: number) { return a + b * scale }
  async slow(ms: number, tag: string) { await this.kernel.sleep(ms); return tag }
}`

interface Counts {
  calls: number
  failed: string[]
}

it('no call fails, and every one of the last edits is live', { timeout: 180_000 }, async () => {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0',
    'configs/tools.yml': 'prog: services/tools',
    'modules/scale.ts': 'export const scale = 1',
    'modules/m.ts': source(0),
    'configs/m.yml': '',
  })
  const system = await startSystem(root)
  const stop = new AbortController()
  const counts: Counts = { calls: 0, failed: [] }
  const callers = [
    ...Array.from({ length: CALLERS }, (_, index) => callInside(system, index, stop.signal, counts)),
    ...Array.from({ length: HTTP_CALLERS }, (_, index) =>
      callOutside(root.path, root.read, index % 2 === 0, stop.signal, counts),
    ),
  ]
  let wrong = 0
  for (let version = 1; version <= RELOADS; version++) {
    const live = system.event('service.live', (data) => data['api'] === 'm' && data['generation'] === version + 1)
    root[version % 2 === 0 ? 'write' : 'writeByRename']('modules/m.ts', source(version))
    await live
    if ((await system.getApi('m')['version']?.()) !== version) wrong++
  }
  stop.abort()
  await Promise.all(callers)
  const shown = await system.show('m')
  await system.stop()
  expect(counts.failed.slice(0, 5)).toEqual([])
  expect(wrong).toBe(0)
  expect(shown.generation).toBe(RELOADS + 1)
  expect(counts.calls).toBeGreaterThan(RELOADS * 50)
})

async function callInside(system: TestSystem, index: number, signal: AbortSignal, counts: Counts): Promise<void> {
  const handle = system.getApi('m') as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  for (let n = 0; !signal.aborted; n++) {
    counts.calls++
    const tag = `${index}.${n}`
    const expected = n % 3 === 0 ? tag : n + 1
    try {
      const answer = n % 3 === 0 ? await handle['slow']?.(n % 20, tag) : await handle['add']?.(n, 1)
      if (answer !== expected) counts.failed.push(`wrong answer ${String(answer)} for ${String(expected)}`)
    } catch (error) {
      counts.failed.push(String(error))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function callOutside(
  root: string,
  read: (file: string) => string,
  keepAlive: boolean,
  signal: AbortSignal,
  counts: Counts,
): Promise<void> {
  const { url } = JSON.parse(read('runtime/http.json')) as { url: string }
  const agent = new Agent({ keepAlive })
  const headers = { authorization: `Bearer ${read('runtime/token').trim()}`, 'content-type': 'application/json' }
  for (let n = 0; !signal.aborted; n++) {
    counts.calls++
    const tag = `http ${n}`
    try {
      const answer = await post(`${url}/api/services/m/call`, agent, headers, { method: 'slow', args: [n % 10, tag] })
      if (answer.result !== tag) counts.failed.push(`${root}: ${JSON.stringify(answer)}`)
    } catch (error) {
      counts.failed.push(`http: ${String(error)}`)
    }
  }
  agent.destroy()
}

function post(
  url: string,
  agent: Agent,
  headers: Record<string, string>,
  body: unknown,
): Promise<{ result?: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(JSON.parse(text) as { result?: unknown }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}
