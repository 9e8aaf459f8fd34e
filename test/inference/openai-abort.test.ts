/** Streams that are not read to their end: aborted, left, or overtaken by a reload. Real HTTP. */
import { afterEach, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { InferenceApi } from '../../modules/contracts/services.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { gate, read, startProvider, type Provider, type Reply } from './provider.ts'

const ASK = { messages: [{ role: 'user' as const, content: 'Tell me' }] }

let system: TestSystem
let model: Handle<InferenceApi>
let provider: Provider

const config = (url: string): string => `prog: inference/openai\nbase_url: ${url}\nmodel: test-model\n`

async function handmade(answer: (reply: Reply) => unknown): Promise<void> {
  provider = await startProvider(answer)
  system = await startSystem({ 'configs/openai.yml': config(provider.url) })
  model = system.getApi<InferenceApi>('openai')
}

afterEach(async () => {
  await system.stop()
  await provider.stop()
})

it('an abort ends the stream with its reason, and the connection with it', async () => {
  const gone = gate()
  await handmade((reply) => {
    reply.say('Never ')
    void reply.closed.then(gone.open)
  })
  const stop = new AbortController()
  const { texts, end, error } = await read(model.stream({ ...ASK, signal: stop.signal }), () =>
    stop.abort(new Error('changed my mind')),
  )
  expect([texts, end, error?.message]).toEqual([['Never '], undefined, 'changed my mind'])
  await gone.opened
})

it('an abort ends a call for the whole answer too, and the connection with it', async () => {
  const gone = gate()
  const stop = new AbortController()
  await handmade((reply) => {
    void reply.closed.then(gone.open)
    stop.abort(new Error('enough'))
  })
  expect((await rejection(model.complete({ ...ASK, signal: stop.signal }))).message).toBe('enough')
  await gone.opened
})

it('an abort before the call asks nobody', async () => {
  await handmade((reply) => reply.finish())
  const signal = AbortSignal.abort(new Error('too late'))
  expect((await read(model.stream({ ...ASK, signal }))).error?.message).toBe('too late')
  expect((await rejection(model.complete({ ...ASK, signal }))).message).toBe('too late')
  expect(provider.asked).toEqual([])
})

it('a reader that leaves ends the connection, and nothing stays in flight', async () => {
  const gone = gate()
  await handmade((reply) => {
    reply.say('Chapter one')
    void reply.closed.then(gone.open)
  })
  for await (const chunk of model.stream(ASK)) {
    expect(chunk).toEqual({ type: 'text', text: 'Chapter one' })
    break
  }
  await gone.opened
  expect(await system.show('openai')).toMatchObject({ in_flight: 0 })
})

it('a reload under open streams cuts none of them', async () => {
  const COUNT = 20
  const go = gate()
  await handmade(async (reply) => {
    reply.say('First half, ')
    await go.opened
    reply.say('second half.')
    reply.finish({ prompt_tokens: 1, completion_tokens: 1 })
  })
  let begun = 0
  const all = gate()
  const streams = Array.from({ length: COUNT }, () =>
    read(model.stream(ASK), () => {
      if (++begun === COUNT) all.open()
    }),
  )
  await all.opened
  system.root.write('configs/openai.yml', config(provider.url).replace('test-model', 'other-model'))
  await system.live('openai', 2)
  go.open()
  for (const { texts, end, error } of await Promise.all(streams)) {
    expect([error, texts.join('')]).toEqual([undefined, 'First half, second half.'])
    expect(end).toMatchObject({ completion: { text: 'First half, second half.' } })
  }
  expect(await model.describe()).toMatchObject({ model: 'other-model' })
})
