/** What a test does to a measured system, to change one source of a metric. Used by `changes.ts`. */
import type { Measured } from './measured.ts'

let traces = 0
const trace = (): string => `trace${++traces}`

export const add = (m: Measured): Promise<unknown> => m.call('calc', 'add', 1, 2)
export const fail = (m: Measured): Promise<unknown> => m.call('calc', 'fail', `no ${++traces}`)
export const wait =
  (api: string, ms: number) =>
  (m: Measured): Promise<unknown> =>
    m.call(api, 'wait', ms)
export const nothing = async (): Promise<void> => undefined

export const model = (m: Measured, cost_usd: number | null): Promise<void> =>
  m.emit('model.called', { usage: { input_tokens: 20, output_tokens: 10, cached_tokens: 0, cost_usd } })

/** A request with so many answers of a model, these tools, and this many calls besides. */
export async function request(m: Measured, answers: number, tools: string[] = [], calls = 0): Promise<void> {
  const options = { trace: trace() }
  for (const tool of tools) await m.callWith(options, 'tools', 'invoke', tool, {})
  for (let n = 0; n < calls; n++) await m.callWith(options, 'calc', 'add', n, traces)
  for (let n = 0; n < answers; n++) await m.callWith(options, 'model', 'complete', {})
}

export async function together(m: Measured, ...ms: number[]): Promise<void> {
  const options = { trace: trace() }
  await Promise.all(ms.map((one) => m.callWith(options, 'calc', 'wait', one)))
}

/** A service that comes, or that cannot start. */
export async function write(m: Measured, api: string, text: string): Promise<void> {
  const told = m.system.event(
    text.includes('broken') ? 'service.refused' : 'service.live',
    (data) => data['api'] === api,
  )
  m.system.root.write(`modules/${api}.mjs`, text)
  m.system.root.write(`configs/${api}.yml`, `prog: ${api}\n`)
  await told
}

export async function remove(m: Measured, ...apis: string[]): Promise<void> {
  for (const api of apis) {
    const told = m.system.event('service.stopped', (data) => data['api'] === api)
    m.system.root.remove(`configs/${api}.yml`)
    await told
  }
}

export const GOOD = 'export class Module { now() {} }'
export const BROKEN = 'export class Module { constructor() { throw new Error("broken") } }'

export const begins = (m: Measured): Promise<void> => write(m, 'extra', GOOD)
export const breaks = (m: Measured): Promise<void> => write(m, 'ill', BROKEN)
export const clears = (m: Measured): Promise<void> => remove(m, 'extra', 'ill')

export const proposals =
  (...states: string[]) =>
  (m: Measured): Promise<void> =>
    m.says('rollouts', { list: { proposals: states.map((state) => ({ state, created_at: m.clock.now() })) } })

export const entries =
  (...origins: string[]) =>
  (m: Measured): Promise<void> =>
    m.says('ledger', { read: origins.map((origin) => ({ origin })), status: { checked: { valid: true } } })

export const task =
  (data: object, type = 'task_complete') =>
  (m: Measured): Promise<unknown> =>
    m.metrics.record({
      bot_id: 'default',
      type: type as 'task_complete',
      session_id: null,
      data: data as Record<string, unknown>,
    })
export const toolCall = (data: object): ((m: Measured) => Promise<unknown>) => task(data, 'tool_call')

const STORE = { describe: { embedder: 'lexical (words)' }, list_collections: ['notes'] }
export const documents =
  (count: number, ...found: string[]) =>
  (m: Measured): Promise<void> =>
    m.says('chromadb', {
      ...STORE,
      count,
      get: { documents: ['one', 'two'] },
      query: { documents: found.map((text) => [text]) },
    })

/** It fails, and answers again after so long. The kernel tells of failures of one service 100 ms apart. */
export async function recovers(m: Measured, ms: number): Promise<void> {
  await wait('memory', 150)(m)
  const told = m.system.event('call.failed')
  await fail(m)
  await told
  await wait('memory', ms)(m)
  await add(m)
}

export async function crash(m: Measured): Promise<void> {
  const again = m.system.event('service.restarting')
  await m.call('shaky', 'crash')
  await again
}

export const busy = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

export const BIG =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 200000) SELECT count(*) AS n FROM c'
