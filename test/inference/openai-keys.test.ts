/** The key of a provider: where it may come from, and that it is found nowhere else, whatever the provider says. */
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { InferenceApi } from '../../modules/contracts/services.ts'
import { redact } from '../../modules/inference/openai/key.ts'
import { mm, startProcess } from '../support/process.ts'
import { createRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { startProvider, type Provider } from './provider.ts'

const KEY = 'planted-4711-key-that-nobody-may-see'
const VARIABLE = 'MM_TEST_PLANTED_KEY'
const ASK = { messages: [{ role: 'user' as const, content: 'Hello' }] }

let provider: Provider
let system: TestSystem | undefined

/** A provider that says the key back in every way it can. */
beforeEach(async () => {
  provider = await startProvider((reply, { headers, body }) => {
    const { authorization } = headers
    const [{ content = '' } = {}] = (body['messages'] ?? []) as { content?: string }[]
    if (content === 'Hello') {
      reply.say('Hello.')
      return reply.finish()
    }
    if (content === 'midst') {
      reply.say('So ')
      return reply.send({ error: { message: `stopped: ${authorization}` } })
    }
    const message = `wrong key ${KEY}, sent as ${authorization}`
    return reply.json(Number(content) || 401, { error: { message, key: KEY } }, { 'x-request-id': KEY })
  })
})
afterEach(async () => {
  await system?.stop()
  system = undefined
  await provider.stop()
  delete process.env[VARIABLE]
})

const config = (more: string): string =>
  `prog: inference/openai\nbase_url: ${provider.url}\nmodel: m\nretries: 1\nretry_ms: 1\n${more}`
const say = (content: string) => ({ messages: [{ role: 'user' as const, content }] })

async function start(more: string, secret?: { text: string; mode: number }): Promise<Handle<InferenceApi>> {
  const root = createRoot({ 'configs/openai.yml': config(more) })
  if (secret !== undefined) {
    root.write('runtime/secrets/my-key', secret.text)
    chmodSync(join(root.path, 'runtime/secrets/my-key'), secret.mode)
  }
  system = await startSystem(root)
  return system.getApi<InferenceApi>('openai')
}

describe('comes from', () => {
  it('an environment variable', async () => {
    process.env[VARIABLE] = KEY
    await (await start(`api_key_env: ${VARIABLE}\n`)).complete(ASK)
    expect(provider.asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
  })

  it('a file that only its owner can read, without its line end', async () => {
    await (await start('api_key: secret:my-key\n', { text: `${KEY}\n`, mode: 0o600 })).complete(ASK)
    expect(provider.asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
  })

  it('no file that others can read', async () => {
    await start('api_key: secret:my-key\n', { text: KEY, mode: 0o644 })
    expect((await system?.show('openai'))?.last_error?.code).toBe('secret_open')
  })

  it('no config: the value is refused and not repeated', async () => {
    await start(`api_key: ${KEY}\n`)
    const shown = await system?.show('openai')
    expect(shown?.last_error).toMatchObject({ code: 'secret_plain', file: 'configs/openai.yml', line: 6 })
    expect(JSON.stringify([shown, system?.log])).not.toContain(KEY)
  })

  it('no config in the place of a variable either', async () => {
    await start(`api_key_env: ${KEY}\n`)
    const shown = await system?.show('openai')
    expect(shown?.last_error).toMatchObject({ code: 'config_invalid', line: 6 })
    expect(JSON.stringify([shown, system?.log])).not.toContain(KEY)
  })
})

it('a server on this machine that names no variable is not given the key of OpenAI', async () => {
  const before = process.env['OPENAI_API_KEY']
  process.env['OPENAI_API_KEY'] = KEY
  try {
    await (await start('')).complete(ASK)
    expect(JSON.stringify(provider.asked[0]?.headers)).not.toContain(KEY)
  } finally {
    if (before === undefined) delete process.env['OPENAI_API_KEY']
    else process.env['OPENAI_API_KEY'] = before
  }
})

it('is in no error, log or event, whatever the provider answers', async () => {
  process.env[VARIABLE] = KEY
  const model = await start(`api_key_env: ${VARIABLE}\n`)
  for (const what of ['401', '400', '429', '500', 'midst']) {
    const error = await rejection(model.complete(say(what)))
    expect([what, error.code]).toEqual([what, 'provider_failed'])
    const everything: unknown[] = [system?.log, await system?.show('openai'), system?.kernel.events.since(0)]
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      everything.push(
        at.message,
        at.stack,
        Object.getOwnPropertyNames(at).map((name) => Reflect.get(at as object, name)),
      )
    }
    expect(JSON.stringify(everything)).not.toContain(KEY)
    expect(error.message).toContain('[key]')
  }
})

/** Every text below a folder, but for the file that holds the key by right. */
function textsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && !path.endsWith('secrets/my-key'))
    .map((path) => readFileSync(path, 'latin1'))
}

it('is in nothing that is served, printed or written, in a system that runs as a user runs it', async () => {
  const root = createRoot({
    'configs/openai.yml': config('api_key: secret:my-key\n'),
    'configs/by-variable.yml': config(`api_key_env: ${VARIABLE}\n`),
    'configs/services/http.yml': 'api: http\nport: 0\n',
    'configs/services/tools.yml': 'api: tools\n',
  })
  root.write('runtime/secrets/my-key', KEY)
  chmodSync(join(root.path, 'runtime/secrets/my-key'), 0o600)
  const running = await startProcess(root, { env: { [VARIABLE]: KEY, LOG_LEVEL: 'debug' } })
  const printed: string[] = []
  try {
    for (const api of ['openai', 'by-variable']) {
      for (const content of ['Hello', '401', '500', 'midst']) {
        const path = `/api/services/${api}/call`
        const { status, body } = await running.api('POST', path, { method: 'complete', args: [say(content)] })
        expect(status === 200).toBe(content === 'Hello')
        printed.push(JSON.stringify(body))
      }
      for (const args of [['show', api], ['config', 'dump'], ['logs'], ['ls'], ['validate']]) {
        const { stdout, stderr } = await mm(root.path, ...args)
        printed.push(stdout, stderr)
      }
      printed.push(JSON.stringify((await running.api('GET', `/api/services/${api}`)).body))
      printed.push(JSON.stringify((await running.api('GET', `/api/configs?api=${api}`)).body))
    }
    expect(provider.asked.some(({ headers }) => headers.authorization === `Bearer ${KEY}`)).toBe(true)
    expect(printed.join('\n')).toContain('secret:my-key')
  } finally {
    await running.stop()
  }
  const everything = [...printed, ...running.output, ...textsBelow(root.path)]
  expect(everything.filter((text) => text.includes(KEY))).toEqual([])
  root.dispose()
})

it.each([
  [`Incorrect API key provided: ${KEY}.`, 'Incorrect API key provided: [key].'],
  ['authorization: Bearer abcdefgh12345678', 'authorization: Bearer [key]'],
  ['key sk-abc123DEF456_ghi is off', 'key [key] is off'],
  ['the risk-free rate', 'the risk-free rate'],
])('%j is told as %j', (text, told) => {
  expect(redact(text, KEY)).toBe(told)
})
