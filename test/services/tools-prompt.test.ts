/** The part of a prompt that shows the tools: made from what is live, the same bytes while nothing changed. */
import { afterEach, describe, expect, it } from 'vitest'
import { startTools, valueOf, withTools, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

const MANY = (count: number): string =>
  `Object.fromEntries(Array.from({ length: ${count} }, (_, i) => ['job_' + i, tool({
    description: 'Does job number ' + i + '. It takes a while, and then some more; ask before you use it.',
    params: z.object({ id: z.int().describe('which one of them') }), run: () => i })]))`

it('has one line a tool, under its service, with what its parameters mean', async () => {
  system = await startTools(
    `{ greet: tool({ description: 'Greet\\n  somebody.', params: z.object({ name: z.string().describe('who'), loud: z.boolean().optional() }), run: () => 1 }) }`,
    '',
    { 'configs/demo.yml': 'description: a demo\n' },
  )
  const { text, dropped } = await system.tools.prompt()
  expect(text).toContain(
    '### demo: a demo\n- demo_greet(name: string, loud?: boolean): Greet somebody.\n  name: who\n\n### kernel',
  )
  expect(text).toContain('- tools_find(text?: string)')
  expect(dropped).toEqual([])
})

it('is the same bytes over calls, reloads and another order of starts, and another hash when a tool changes', async () => {
  const files = { 'configs/zebra.yml': 'prog: demo\n', 'configs/ant.yml': 'prog: demo\n' }
  system = await startTools(MANY(5), '', files)
  const first = await system.tools.prompt()
  await system.tools.invoke('demo_job_1', { id: 1 })
  expect(await system.tools.prompt()).toEqual(first)
  for (const api of ['ant', 'demo', 'tools']) expect(await system.reload(api)).toMatchObject({ ok: true })
  expect(await system.tools.prompt()).toEqual(first)
  system.root.write('modules/demo.ts', withTools(MANY(6)))
  await Promise.all(['ant', 'demo', 'zebra'].map((api) => system.live(api, 2)))
  const changed = await system.tools.prompt()
  expect(changed.hash).not.toBe(first.hash)
  expect(changed.text).toContain('- zebra_job_5(')
})

describe('a budget', () => {
  it('shortens descriptions, all alike, before it drops a tool', async () => {
    system = await startTools(MANY(40))
    const whole = await system.tools.prompt()
    let last = whole.text.length - 1
    for (const share of [0.9, 0.7, 0.5]) {
      const limit = Math.floor(whole.text.length * share)
      const { text, dropped } = await system.tools.prompt({ chars_max: limit })
      expect(text.length).toBeLessThanOrEqual(limit)
      expect(text.length).toBeLessThanOrEqual(last)
      expect(dropped).toEqual([])
      for (let i = 0; i < 40; i++) expect(text).toContain(`- demo_job_${i}(id: integer)`)
      expect(text).toContain('tools_find shows them whole')
      last = text.length
    }
  })

  it('then drops from the largest services, says which, and keeps the way to find them', async () => {
    system = await startTools(MANY(300))
    const { text, dropped, hash } = await system.tools.prompt({ chars_max: 4_000 })
    expect(text.length).toBeLessThanOrEqual(4_000)
    expect(dropped.length).toBeGreaterThan(150)
    expect(dropped.every((name) => name.startsWith('demo_job_'))).toBe(true)
    expect(text).toContain(dropped[0])
    expect(text).toContain('- tools_find(')
    expect(text).toContain('- kernel_status(')
    const listed = [...text.matchAll(/^- (demo_job_\d+)/gm)].map(([, name]) => name)
    expect(new Set([...listed, ...dropped]).size).toBe(300)
    expect((await system.tools.prompt({ chars_max: 4_000 })).hash).toBe(hash)
    const found = valueOf(await system.tools.invoke('tools_find', { text: 'demo_job_299' })) as { tools: object[] }
    expect(found.tools[0]).toMatchObject({
      name: 'demo_job_299',
      signature: 'demo_job_299(id: integer)',
      schema: { required: ['id'] },
    })
  })
})

it('tools are found by words of their description', async () => {
  system = await startTools(
    `{ a: tool({ description: 'Sends a letter.', params: z.object({}), run: () => 1 }), letter: tool({ description: 'x', params: z.object({}), run: () => 1 }) }`,
  )
  const names = async (text: string): Promise<string[]> => {
    const { tools } = valueOf(await system.tools.invoke('tools_find', { text })) as { tools: { name: string }[] }
    return tools.map(({ name }) => name)
  }
  expect(await names('Letter')).toEqual(['demo_letter', 'demo_a'])
  expect(await names('zzzzz')).toEqual([])
  expect((await names('')).length).toBeGreaterThan(3)
})
