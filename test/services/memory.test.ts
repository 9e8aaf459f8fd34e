/** What was remembered is recalled by likeness, by tag, over reloads and restarts, and by tools. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { MemoryApi, ToolsApi } from '../../modules/contracts/services.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let root: TestRoot
let system: TestSystem
let memory: Handle<MemoryApi>

async function startOn(): Promise<void> {
  system = await startSystem(root)
  memory = system.getApi<MemoryApi>('memory')
}

beforeEach(async () => {
  root = createRoot({
    'configs/chromadb.yml': 'prog: services/chromadb\n',
    'configs/memory.yml': 'prog: services/memory\n',
    'configs/tools.yml': 'prog: services/tools\n',
  })
  await startOn()
})
afterEach(() => system.stop())

const BLUE = "Ada's favorite color is blue."
const FRIDAY = 'Deployments are forbidden on Fridays.'

it('recalls what is most like the question, with scores, and nothing that has nothing in common', async () => {
  const { id } = await memory.remember(BLUE, ['Ada', 'taste'])
  await memory.remember(FRIDAY, ['rules'])
  const { memories } = await memory.recall('which color does Ada like?')
  expect(memories[0]).toMatchObject({ id, text: BLUE, tags: ['ada', 'taste'] })
  expect(memories[0]?.score).toBeGreaterThan(0.2)
  expect(memories[0]?.remembered_at).toBeGreaterThan(1.7e12)
  expect((await memory.recall('deployment on a Friday')).memories[0]?.text).toBe(FRIDAY)
  expect((await memory.recall('zebra quux')).memories).toEqual([])
})

it('is asked for tags: only what has all of them is recalled', async () => {
  await memory.remember(BLUE, ['ada', 'taste'])
  await memory.remember('Ada was born in London.', ['ada'])
  const texts = async (tags: string[]): Promise<string[]> =>
    (await memory.recall('Ada', { tags })).memories.map((one) => one.text).sort()
  expect(await texts(['ada'])).toHaveLength(2)
  expect(await texts(['ADA ', 'taste'])).toEqual([BLUE])
  expect(await texts(['nobody'])).toEqual([])
})

it('keeps a text once, adds its tags, and forgets it', async () => {
  const { id, known } = await memory.remember(BLUE, ['ada'])
  expect(known).toBe(false)
  expect(await memory.remember(` ${BLUE} `, ['taste'])).toEqual({ id, known: true })
  const { memories } = await memory.recall(BLUE)
  expect(memories).toMatchObject([{ id, score: 1, tags: ['ada', 'taste'] }])
  expect(await memory.forget(id)).toEqual({ forgotten: true })
  expect(await memory.forget(id)).toEqual({ forgotten: false })
  expect((await memory.recall(BLUE)).memories).toEqual([])
})

it('still knows after a reload and after a restart', async () => {
  await memory.remember(BLUE)
  expect((await system.reload('memory')).ok).toBe(true)
  expect((await memory.recall('color')).memories).toHaveLength(1)
  await system.kernel.stop('test', 2_000)
  await startOn()
  expect((await memory.recall('favorite color')).memories).toMatchObject([{ text: BLUE }])
})

it('is used by models as tools', async () => {
  const tools = system.getApi<ToolsApi>('tools')
  const { tools: listed } = await tools.list()
  expect(listed.map((one) => one.name)).toEqual(
    expect.arrayContaining(['memory_remember', 'memory_recall', 'memory_forget', 'chromadb_search']) as string[],
  )
  const value = async (name: string, params: Record<string, unknown>): Promise<unknown> => {
    const result = await tools.invoke(name, params)
    return result.status === 'success' ? result.value : result.error
  }
  const made = (await value('memory_remember', { text: FRIDAY, tags: ['rules'] })) as { id: string }
  expect(await value('memory_recall', { text: 'deployments' })).toMatchObject({
    memories: [{ id: made.id, text: FRIDAY, tags: ['rules'] }],
  })
  expect(await value('memory_forget', { id: made.id })).toEqual({ forgotten: true })
  expect(await value('chromadb_add', { collection: 'notes', id: '1', document: 'a b c' })).toEqual({ added: '1' })
  expect(await value('chromadb_search', { collection: 'notes', text: 'a b c' })).toEqual({
    results: [{ id: '1', document: 'a b c', metadata: null, distance: 0 }],
  })
  expect(await value('chromadb_get', { collection: 'notes', ids: ['1'] })).toEqual({
    records: [{ id: '1', document: 'a b c', metadata: null }],
  })
  expect(await value('chromadb_collections', {})).toMatchObject({
    collections: [
      { name: 'memory', documents: 0 },
      { name: 'notes', documents: 1 },
    ],
  })
})

it('refuses what is empty or too long, with what is wrong', async () => {
  expect((await rejection(memory.remember('  '))).code).toBe('bad_arguments')
  expect((await rejection(memory.recall('a', { limit: 1_000 }))).code).toBe('bad_arguments')
  expect((await rejection(memory.remember('x'.repeat(9_000)))).code).toBe('vector_limit')
})
