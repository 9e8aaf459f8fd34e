/** Who makes the vectors: the lexical one, or a service; and what happens when it changes, errs or is not there. */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { MemoryApi, VectorStoreApi } from '../../modules/contracts/services.ts'
import { lexicalVector } from '../../modules/services/chromadb/lexical.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const CONFIG = 'prog: services/chromadb\n'
/** A model that knows two things, and answers as its config says. */
const MAKER = `export class Module {
  asked = []
  constructor(kernel, config) { this.config = config }
  embed(texts) {
    this.asked.push(texts.length)
    const { model, answer } = this.config
    if (answer === 'fail') throw Object.assign(new Error('no quota'), { code: 'provider_failed', hint: 'pay' })
    const vectors = texts.map((text) => [/cat|feline/.test(text) ? 1 : 0, /ship|boat/.test(text) ? 1 : 0, 0.1])
    if (answer === 'few') vectors.pop()
    if (answer === 'ragged') vectors[0].push(1)
    if (answer === 'nothing') return {}
    return { vectors, model }
  }
  sizes() { return this.asked }
}`

let system: TestSystem
let store: Handle<VectorStoreApi>

async function start(maker: string, config = 'embedder: maker\nembed_batch: 4\n'): Promise<void> {
  system = await startSystem({
    'configs/chromadb.yml': CONFIG + config,
    'configs/maker.yml': maker,
    'modules/maker.js': MAKER,
  })
  store = system.getApi<VectorStoreApi>('chromadb')
}

const setMaker = async (text: string, generation: number): Promise<void> => {
  system.root.write('configs/maker.yml', text)
  await system.live('maker', generation)
}

afterEach(() => system.stop())

describe('an inference service', () => {
  it('makes the vectors, a few texts at a time, and finds by meaning what shares no word', async () => {
    await start('model: tiny-1\n')
    await store.get_or_create_collection('animals')
    const documents = ['a cat', 'a ship', 'a stone', 'another cat', 'b', 'c']
    await store.add('animals', { ids: documents, documents })
    const found = await store.query('animals', { query_texts: ['felines', 'boats'], n_results: 1 })
    expect(found.ids).toEqual([['a cat'], ['a ship']])
    expect(await system.getApi<{ sizes(): number[] }>('maker').sizes()).toEqual([4, 2, 2])
    expect((await store.describe()).embedder).toContain('maker')
  })

  it('with another model is refused for what an earlier one made, in every method; the earlier one may come back', async () => {
    await start('model: tiny-1\n')
    await store.get_or_create_collection('animals')
    await store.add('animals', { ids: ['a', 'b'], documents: ['a cat', 'a ship'] })
    await setMaker('model: tiny-2\n', 2)
    const one = { ids: ['b'], documents: ['boat'] }
    for (const work of [
      store.add('animals', { ...one, ids: ['c'] }),
      store.update('animals', one),
      store.query('animals', { query_texts: ['boat'] }),
    ]) {
      const { code, message } = await rejection(work)
      expect(code).toBe('embedder_mismatch')
      expect(message).toContain('maker tiny-1')
      expect(message).toContain('maker tiny-2')
    }
    // What needs no vectors goes on.
    await store.update('animals', { ids: ['a'], metadatas: [{ seen: true }] })
    await setMaker('model: tiny-1\n# again\n', 2)
    await setMaker('model: tiny-1\nanswer: well\n', 3)
    expect((await store.query('animals', { query_texts: ['boat'], n_results: 1 })).ids).toEqual([['b']])
  })

  it('that answers with anything but vectors is told so, and nothing is added', async () => {
    await start('model: tiny-1\n')
    await store.get_or_create_collection('animals')
    for (const [at, answer] of ['few', 'ragged', 'nothing'].entries()) {
      await setMaker(`model: tiny-1\nanswer: ${answer}\n`, at + 2)
      const work = store.add('animals', { ids: ['a', 'b'], documents: ['a', 'b'] })
      expect(await rejection(work)).toMatchObject({ code: 'embedder_failed' })
    }
    await setMaker('model: tiny-1\nanswer: fail\n', 5)
    expect((await rejection(store.add('animals', { ids: ['a'], documents: ['a'] }))).code).toBe('provider_failed')
    expect(await store.count('animals')).toBe(0)
    system.root.remove('configs/maker.yml')
    await system.happened('service.stopped', (data) => data['api'] === 'maker')
    expect((await rejection(store.add('animals', { ids: ['a'], documents: ['a'] }))).code).toMatch(/^service_/)
    // A caller's own vectors need nobody.
    await store.add('animals', { ids: ['a'], documents: ['a'], embeddings: [[1, 2]] })
  })
})

describe('an OpenAI-compatible endpoint', () => {
  it('makes the vectors over HTTP: memories are found by meaning, and a change of the model is told', async () => {
    const server = new LLMock({ port: 0, host: '127.0.0.1' })
    server.onEmbedding(/cat|feline/, { embedding: [1, 0, 0.1, 0] })
    server.onEmbedding(/ship|boat/, { embedding: [0, 1, 0.1, 0] })
    await server.start()
    let runs = true
    const endpoint = (model: string): string =>
      `prog: inference/openai\nbase_url: ${server.url}/v1\nmodel: chat\nembedding_model: ${model}\nretry_ms: 1\n`
    system = await startSystem({
      'configs/openai.yml': endpoint('small'),
      'configs/chromadb.yml': `${CONFIG}embedder: openai\n`,
      'configs/memory.yml': 'prog: services/memory\n',
    })
    try {
      const memory = system.getApi<MemoryApi>('memory')
      await memory.remember('Ada has a cat.')
      await memory.remember('The ship leaves at noon.')
      const { memories } = await memory.recall('what about felines?')
      expect(memories.map(({ text, score }) => [text, score > 0.9])).toEqual([['Ada has a cat.', true]])
      system.root.write('configs/openai.yml', endpoint('large'))
      await system.live('openai', 2)
      const { code, message } = await rejection(memory.recall('boats'))
      expect([code, /openai small.*openai large/.test(message)]).toEqual(['embedder_mismatch', true])
      runs = false
      await stopAtOnce(server)
      expect((await rejection(memory.remember('nobody makes its vector'))).code).toMatch(/^provider_/)
    } finally {
      if (runs) await stopAtOnce(server)
    }
  })
})

describe('the lexical embedder', () => {
  const cosine = (a: string, b: string): number => {
    const other = lexicalVector(b)
    return lexicalVector(a).reduce((sum, one, at) => sum + one * (other[at] as number), 0)
  }

  it('gives equal texts equal vectors of length 1, whatever their case and form', async () => {
    await start('model: x\n', '')
    for (const text of ['Kernel reload', '', '!!!', 'Ünïcode ﬁne', '東京の猫', 'a'.repeat(50_000)]) {
      expect(Math.hypot(...lexicalVector(text))).toBeCloseTo(1, 10)
      expect(cosine(text, text.toUpperCase().toLowerCase())).toBeCloseTo(1, 10)
    }
    expect(
      lexicalVector('stable')
        .slice(0, 64)
        .some((one) => one !== 0),
    ).toBe(true)
  })

  it('puts texts that share words, or parts of words, nearer than texts that share none', async () => {
    await start('model: x\n', '')
    expect(cosine('reload the module', 'modules are reloaded')).toBeGreaterThan(0.3)
    expect(cosine('reload the module', 'a cat sleeps')).toBeLessThan(0.2)
  })
})
