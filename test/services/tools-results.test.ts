/** Deadlines, and results that are too large for one answer. */
import { afterEach, expect, it } from 'vitest'
import { errorOf, startTools, valueOf, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

const GIVES = (value: string, more = ''): string =>
  `{ give: tool({ description: 'x', params: z.object({ n: z.int().default(1) }), ${more} run: ({ n }) => ${value} }) }`

interface Part {
  part: string | unknown[]
  next_offset: number | null
  kind: string
  total: number
}

/** Everything a reader gets who goes on until the end. */
async function readOn(first: { token: string; offset: number }): Promise<(string | unknown[])[]> {
  const parts: (string | unknown[])[] = []
  for (let offset: number | null = first.offset; offset !== null; ) {
    const one: Part = valueOf(await system.tools.invoke('tools_continue', { token: first.token, offset })) as Part
    parts.push(one.part)
    offset = one.next_offset
  }
  return parts
}

async function give(
  n = 1,
): Promise<{ value: unknown; more: { token: string; offset: number; kind: string; total: number; member?: string } }> {
  const result = await system.tools.invoke('demo_give', { n })
  if (result.status !== 'success' || result.more === undefined) throw new Error(JSON.stringify(result))
  return { value: result.value, more: result.more }
}

it("a tool's own deadline counts before that of the config, and the caller's before both", async () => {
  const hang = `tool({ description: 'x', params: z.object({}), deadline_ms: 30, run: () => new Promise(() => undefined) })`
  system = await startTools(`{ hang: ${hang} }`)
  expect(errorOf(await system.tools.invoke('demo_hang', {})).message).toContain('30 ms')
  expect(errorOf(await system.tools.invoke('demo_hang', {}, { deadline_ms: 20 })).message).toContain('20 ms')
  expect(await system.tools.describe('demo_hang')).toMatchObject({ deadline_ms: 30 })
})

it('a deadline that is no number keeps the version from going live', async () => {
  system = await startTools(GIVES('n', "deadline_ms: '5s',"))
  expect(await system.show('demo')).toMatchObject({ state: 'failed', last_error: { code: 'aspect_invalid' } })
})

it.each(['deadline', 'caller'])('the tool hears when its %s gives up', async (who) => {
  system = await startTools(`{ hang: tool({ description: 'x', params: z.object({}), run: (_, { signal }) => {
    this.kernel.events.emit('demo.entered')
    signal.addEventListener('abort', () => this.kernel.events.emit('demo.aborted', { code: signal.reason.code }))
    return new Promise(() => undefined)
  } }) }`)
  const aborted = system.event('demo.aborted')
  const entered = system.event('demo.entered')
  const stop = new AbortController()
  const call = system.tools.invoke('demo_hang', {}, who === 'caller' ? { signal: stop.signal } : { deadline_ms: 20 })
  await entered
  stop.abort()
  expect((await aborted).data).toMatchObject({ code: errorOf(await call).code })
})

it('text that is too large comes in parts that end with a line, and joined are the whole', async () => {
  system = await startTools(
    GIVES(`Array.from({ length: 2000 }, (_, i) => 'line ' + i + ' äöü').join('\\n')`),
    'result_bytes_max: 4000\n',
  )
  const { value, more } = await give()
  const parts = await readOn(more)
  expect(parts.length).toBeGreaterThan(5)
  for (const part of [value as string, ...(parts as string[]).slice(0, -1)]) expect(part.endsWith('\n')).toBe(true)
  expect([value, ...parts].join('')).toBe(Array.from({ length: 2000 }, (_, i) => `line ${i} äöü`).join('\n'))
  expect(more).toMatchObject({ kind: 'text', total: [value, ...parts].join('').length })
})

it('a list in a map comes in parts that end with an item; the other members stay', async () => {
  system = await startTools(
    GIVES(`({ table: 't', rows: Array.from({ length: 500 }, (_, id) => ({ id, big: 5n })) })`),
    'result_bytes_max: 2000\n',
  )
  const { value, more } = await give()
  expect(more).toMatchObject({ kind: 'list', member: 'rows', total: 500 })
  expect(value).toMatchObject({ table: 't' })
  const rows = [...(value as { rows: unknown[] }).rows, ...(await readOn(more)).flat()]
  expect(rows).toEqual(Array.from({ length: 500 }, (_, id) => ({ id, big: '5' })))
})

it('anything else comes as its JSON text in parts', async () => {
  system = await startTools(
    GIVES(`Object.fromEntries(Array.from({ length: 300 }, (_, i) => ['key' + i, { i }]))`),
    'result_bytes_max: 1000\n',
  )
  const { value, more } = await give()
  expect(more.kind).toBe('json')
  const text = [value, ...(await readOn(more))].join('')
  expect(JSON.parse(text)).toEqual(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, { i }])))
})

it('a part can be read again, a wrong place or token is told, and the rest outlives a reload of the service', async () => {
  system = await startTools(GIVES(`'x\\n'.repeat(1000)`), 'result_bytes_max: 1000\n')
  const { more } = await give()
  const again = await readOn(more)
  expect(await system.reload('tools')).toMatchObject({ ok: true })
  expect(await readOn(more)).toEqual(again)
  const wrong = { token: more.token, offset: more.total }
  expect(errorOf(await system.tools.invoke('tools_continue', wrong))).toMatchObject({ code: 'bad_params' })
  expect(errorOf(await system.tools.invoke('tools_continue', { token: 'x', offset: 0 })).code).toBe('continuation_gone')
})

it.each(['kept_results_max: 2', 'kept_bytes_max: 5000'])('with %s the oldest is forgotten first', async (limit) => {
  system = await startTools(GIVES(`'x\\n'.repeat(500) + n`), `result_bytes_max: 200\n${limit}\n`)
  const all = []
  for (let n = 0; n < 4; n++) all.push((await give(n)).more)
  const codes = await Promise.all(
    all.map(async ({ token, offset }) => {
      const result = await system.tools.invoke('tools_continue', { token, offset })
      return result.status === 'error' ? result.error.code : 'kept'
    }),
  )
  expect(codes[0]).toBe('continuation_gone')
  expect(codes.slice(2)).toEqual(['kept', 'kept'])
})

it('what was kept is forgotten in time', async () => {
  system = await startTools(GIVES(`'x\\n'.repeat(500)`), 'result_bytes_max: 200\nkept_ms: 1\n')
  const { token, offset } = (await give()).more
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(errorOf(await system.tools.invoke('tools_continue', { token, offset })).code).toBe('continuation_gone')
})
