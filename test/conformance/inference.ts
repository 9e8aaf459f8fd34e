/**
 * What every inference service promises to those who call it, whatever stands behind it. Run for each by a test file
 * that says how one is started; everything is seen through its handle.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { ChatMessage, CompletionChunk, InferenceApi } from '../../modules/contracts/services.ts'
import { rejection, type TestSystem } from '../support/system.ts'

export interface InferenceBench {
  system: TestSystem
  /** the service under test, ready */
  api: string
  stop(): Promise<unknown>
}

const MESSAGES: ChatMessage[] = [
  { role: 'system', content: 'You are here.\nTools:\n- clock_now(): Tells the time.' },
  { role: 'user', content: 'Tell me about "hedgehogs", please.' },
  { role: 'assistant', content: 'Later.' },
  { role: 'user', content: 'Now, please. Ünïcode ✓ and\nlines.' },
]

export function inferenceConformance(name: string, start: () => Promise<InferenceBench>): void {
  describe(name, () => {
    let bench: InferenceBench
    let model: Handle<InferenceApi>

    beforeEach(async () => {
      bench = await start()
      model = bench.system.getApi<InferenceApi>(bench.api)
    })
    afterEach(async () => {
      await bench.system.stop()
      await bench.stop()
    })

    const readAll = async (): Promise<CompletionChunk[]> => {
      const chunks: CompletionChunk[] = []
      for await (const chunk of model.stream({ messages: MESSAGES })) chunks.push(chunk)
      return chunks
    }

    it('says what it is', async () => {
      const { model: named, ready, note } = await model.describe()
      expect([named === '', ready, typeof note]).toEqual([false, true, 'string'])
    })

    it('answers with text, a model, why it stopped and what it took', async () => {
      const { text, model: named, finish, usage } = await model.complete({ messages: MESSAGES })
      expect([text.trim() === '', named === '', finish]).toEqual([false, false, 'stop'])
      for (const key of ['input_tokens', 'output_tokens', 'cached_tokens'] as const) {
        if (usage !== null) expect(usage[key]).toBeGreaterThanOrEqual(0)
      }
    })

    it('streams the same: pieces of text, then the whole, once and last', async () => {
      const chunks = await readAll()
      const texts = chunks.flatMap((chunk) => (chunk.type === 'text' ? [chunk.text] : []))
      expect(chunks.map(({ type }) => type)).toEqual([...texts.map(() => 'text'), 'end'])
      const end = chunks.at(-1)
      expect(end?.type === 'end' && end.completion.text).toBe(texts.join(''))
      expect(texts).not.toContain('')
    })

    it('answers many at once, each for itself', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, readAll))
      expect(answers.map((chunks) => chunks.filter(({ type }) => type === 'end').length)).toEqual(Array(8).fill(1))
    })

    it('changes nothing it is given', async () => {
      const messages = structuredClone(MESSAGES).map((message) => Object.freeze(message))
      await model.complete({ messages: Object.freeze(messages) as ChatMessage[], tools: [] })
      expect(messages).toEqual(MESSAGES)
    })

    it('ends with the reason of a signal that has aborted', async () => {
      const signal = AbortSignal.abort(new Error('changed my mind'))
      expect((await rejection(model.complete({ messages: MESSAGES, signal }))).message).toBe('changed my mind')
      expect((await rejection(model.stream({ messages: MESSAGES, signal }).next())).message).toBe('changed my mind')
    })

    it('ends with the reason of a signal that aborts between two pieces', async () => {
      const stop = new AbortController()
      const stream = model.stream({ messages: MESSAGES, signal: stop.signal })
      expect((await stream.next()).value).toMatchObject({ type: 'text' })
      stop.abort(new Error('that will do'))
      const rest = async (): Promise<void> => {
        while ((await stream.next()).done !== true);
      }
      expect((await rejection(rest())).message).toBe('that will do')
    })

    it('holds nothing for a reader who leaves', async () => {
      for await (const chunk of model.stream({ messages: MESSAGES })) {
        expect(chunk.type).toBe('text')
        break
      }
      expect(await bench.system.show(bench.api)).toMatchObject({ in_flight: 0 })
    })

    it('refuses a request without messages', async () => {
      expect((await rejection(model.complete({ messages: [] }))).code).toBe('bad_arguments')
      expect((await rejection(model.complete({} as never))).code).toBe('bad_arguments')
    })

    it('serves on after all of that, in the version it began with', async () => {
      await rejection(model.complete({ messages: [] }))
      await readAll()
      expect(await bench.system.show(bench.api)).toMatchObject({ state: 'live', generation: 1 })
    })
  })
}
