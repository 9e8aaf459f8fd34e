/** Which sessions are kept: time is handed in, the transports are the SDK's own. */
import { expect, it } from 'vitest'
import { Sessions } from '../../modules/services/mcp/sessions.ts'

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const LIMITS = { sessions_max: 2, idle_ms: 600_000 }

const post = (message: object, id?: string): Request =>
  new Request('http://localhost/mcp', {
    method: 'POST',
    headers: { ...HEADERS, ...(id === undefined ? {} : { 'mcp-session-id': id }) },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  })

/** Opens a session and ends its first request. */
async function open(sessions: Sessions, now: number, holder = 'somebody'): Promise<string> {
  const transport = await sessions.open(holder, '1', () => now, LIMITS)
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a test', version: '1' } }
  const response = await transport.handleRequest(post({ id: 1, method: 'initialize', params }))
  await response.text()
  return response.headers.get('mcp-session-id') ?? ''
}

const none = (): Promise<unknown> => Promise.reject(new Error('nothing is called here'))

it('a client that is silent for too long is forgotten', async () => {
  const sessions = new Sessions(none)
  const id = await open(sessions, 0)
  sessions.sweep(LIMITS.idle_ms, LIMITS)
  expect(sessions.size).toBe(1)
  sessions.sweep(LIMITS.idle_ms + 1, LIMITS)
  expect([sessions.size, sessions.find(id, 'somebody', 0)]).toEqual([0, undefined])
})

it('a client that answers a sign of life is kept', async () => {
  const sessions = new Sessions(none)
  const id = await open(sessions, 0)
  const session = sessions.find(id, 'somebody', 0)
  const headers = { accept: 'text/event-stream', 'mcp-session-id': id }
  const stream = await session?.transport.handleRequest(new Request('http://localhost/mcp', { headers }))
  const reader = stream?.body?.pipeThrough(new TextDecoderStream()).getReader()
  sessions.sweep(40_000, LIMITS)
  const { value } = (await reader?.read()) ?? {}
  const ping = JSON.parse(/^data: (.*)$/m.exec(value ?? '')?.[1] ?? '{}') as { id: number; method: string }
  expect(ping.method).toBe('ping')
  await sessions.find(id, 'somebody', 50_000)?.transport.handleRequest(post({ id: ping.id, result: {} }, id))
  sessions.sweep(LIMITS.idle_ms + 40_000, LIMITS)
  expect(sessions.size).toBe(1)
  await reader?.cancel()
  await sessions.close()
  expect(sessions.size).toBe(0)
})

it('when all places are taken, the one silent for longest makes room, if it is silent for two minutes', async () => {
  const sessions = new Sessions(none)
  const first = await open(sessions, 0)
  const second = await open(sessions, 10_000)
  await expect(open(sessions, 120_000)).rejects.toMatchObject({ code: 'mcp_sessions_full' })
  await open(sessions, 125_000)
  expect([first, second].map((id) => sessions.find(id, 'somebody', 0) !== undefined)).toEqual([false, true])
  await sessions.close()
})

it('what never became a session takes no place', async () => {
  const sessions = new Sessions(none)
  for (let n = 0; n < 5; n++) {
    const transport = await sessions.open('somebody', '1', () => 0, LIMITS)
    expect((await transport.handleRequest(post({ id: 1, method: 'tools/list' }))).status).toBe(400)
  }
  expect(sessions.size).toBe(0)
})
