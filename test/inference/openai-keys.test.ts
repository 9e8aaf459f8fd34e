/** The key of a provider: where it may come from, and that it is found nowhere else, whatever the provider says. */
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { InferenceApi } from '../../modules/contracts/services.ts'
import { redact } from '../../modules/inference/openai/key.ts'
import { mm, startProcess } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { startProvider, type Provider } from './provider.ts'

const KEY = 'planted-4711-key-that-nobody-may-see'
const VARIABLE = 'MM_TEST_PLANTED_KEY'
const ASK = { messages: [{ role: 'user' as const, content: 'Hello' }] }

let provider: Provider
let system: TestSystem

/** A provider that says the key back in every way it can. */
beforeAll(async () => {
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
beforeEach(() => {
  provider.asked.length = 0
})
afterAll(async () => {
  await system.stop()
  await provider.stop()
  delete process.env[VARIABLE]
  if (before === undefined) delete process.env['OPENAI_API_KEY']
  else process.env['OPENAI_API_KEY'] = before
})

const before = process.env['OPENAI_API_KEY']
const config = (more: string): string =>
  `prog: inference/openai\nbase_url: ${provider.url}\nmodel: m\nretries: 1\nretry_ms: 1\n${more}`
const say = (content: string) => ({ messages: [{ role: 'user' as const, content }] })
const secret = (root: TestRoot, name: string, text: string, mode: number): void => {
  root.write(`runtime/secrets/${name}`, text)
  chmodSync(join(root.path, 'runtime/secrets', name), mode)
}

/** One system with a service for each way a key may come, or may not. */
beforeAll(async () => {
  process.env[VARIABLE] = KEY
  process.env['OPENAI_API_KEY'] = KEY
  const root = createRoot({
    'configs/by-variable.yml': config(`api_key_env: ${VARIABLE}\n`),
    'configs/by-file.yml': config('api_key: secret:my-key\n'),
    'configs/by-open-file.yml': config('api_key: secret:open\n'),
    'configs/plain.yml': config(`api_key: ${KEY}\n`),
    'configs/plain-variable.yml': config(`api_key_env: ${KEY}\n`),
    'configs/none.yml': config(''),
  })
  secret(root, 'my-key', `${KEY}\n`, 0o600)
  secret(root, 'open', KEY, 0o644)
  system = await startSystem(root)
})

const model = (api: string): Handle<InferenceApi> => system.getApi<InferenceApi>(api)

describe('comes from', () => {
  it('an environment variable', async () => {
    await model('by-variable').complete(ASK)
    expect(provider.asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
  })

  it('a file that only its owner can read, without its line end', async () => {
    await model('by-file').complete(ASK)
    expect(provider.asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
  })

  it('no file that others can read', async () => {
    expect((await system.show('by-open-file')).last_error?.code).toBe('secret_open')
  })

  it('no config: the value is refused and not repeated', async () => {
    const shown = await system.show('plain')
    expect(shown.last_error).toMatchObject({ code: 'secret_plain', file: 'configs/plain.yml', line: 6 })
    expect(JSON.stringify([shown, system.log])).not.toContain(KEY)
  })

  it('no config in the place of a variable either', async () => {
    const shown = await system.show('plain-variable')
    expect(shown.last_error).toMatchObject({ code: 'config_invalid', line: 6 })
    expect(JSON.stringify([shown, system.log])).not.toContain(KEY)
  })
})

it('a server on this machine that names no variable is not given the key of OpenAI', async () => {
  await model('none').complete(ASK)
  expect(provider.asked).toHaveLength(1)
  expect(JSON.stringify(provider.asked[0]?.headers)).not.toContain(KEY)
})

it('is in no error, log or event, whatever the provider answers', async () => {
  for (const what of ['401', '400', '429', '500', 'midst']) {
    const error = await rejection(model('by-variable').complete(say(what)))
    expect([what, error.code]).toEqual([what, 'provider_failed'])
    const everything: unknown[] = [system.log, await system.show('by-variable'), system.kernel.events.since(0)]
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
  secret(root, 'my-key', KEY, 0o600)
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
      printed.push(JSON.stringify((await running.api('GET', `/api/services/${api}`)).body))
      printed.push(JSON.stringify((await running.api('GET', `/api/configs?api=${api}`)).body))
    }
    const commands = [['show', 'openai'], ['show', 'by-variable'], ['config', 'dump'], ['logs'], ['ls'], ['validate']]
    for (const { stdout, stderr } of await Promise.all(commands.map((args) => mm(root.path, ...args))))
      printed.push(stdout, stderr)
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
