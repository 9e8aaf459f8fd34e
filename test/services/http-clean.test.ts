/** What no error over HTTP shows: secrets, paths of the machine, stacks. */
import { tmpdir } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import { withoutPaths } from '../../modules/lib/machine-paths.ts'
import { outcome, secretOf, serveHttp, type HttpSystem } from '../support/http.ts'

const LEAKY = {
  'configs/leaky.yml': 'prog: leaky\nkey: secret:vault\n',
  'modules/leaky.ts': `import { readFileSync } from 'node:fs'
import { join } from 'node:path'
export class Module {
  constructor(kernel, config) { this.kernel = kernel; this.config = config }
  missing() { return readFileSync(join(this.kernel.paths.root, 'data', 'none.txt')) }
  outside() { return readFileSync('/usr/share/none-of-it/secret-plan.txt') }
  key() { throw Object.assign(new Error('the key ' + this.config.key + ' was refused'), { code: 'BAD_KEY', hint: 'Not ' + this.config.key }) }
  async *chatStream() { yield { type: 'text', text: 'so far' }; throw new Error('the key ' + this.config.key + ' is not in /usr/share/keys/plan.txt') }
  stack() { const error = new Error('deep'); throw Object.assign(new Error(error.stack), { code: 'STACK' }) }
}
`,
}

const running: HttpSystem[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
})

async function serve(): Promise<HttpSystem> {
  const served = await serveHttp(LEAKY, { secrets: ['vault'], config: 'assistant: leaky\n' })
  running.push(served)
  return served
}

it('the error of a service goes out without secrets and without paths of the machine', async () => {
  const { call, system } = await serve()
  const missing = await call('leaky', 'missing')
  expect(outcome(missing)).toEqual([500, 'ENOENT'])
  expect(missing.body.error?.message).toContain("'data/none.txt'")
  const outside = await call('leaky', 'outside')
  expect(outside.body.error?.message).toContain("'…/secret-plan.txt'")
  const key = await call('leaky', 'key')
  expect(key.body.error).toMatchObject({ message: 'the key [redacted] was refused', hint: 'Not [redacted]' })
  const stack = await call('leaky', 'stack')
  for (const { text } of [missing, outside, key, stack]) {
    for (const hidden of [system.root.path, tmpdir(), '/usr/share', secretOf('vault')])
      expect(text).not.toContain(hidden)
  }
})

it('nor does the error in which a streamed chat ends', async () => {
  const { ask } = await serve()
  const { text, headers } = await ask('POST', '/api/chat', { body: { message: 'go on', stream: true } })
  expect(headers['content-type']).toBe('text/event-stream')
  const [told, error] = text.split('\n\n').map((frame) => frame.split('\ndata: '))
  expect(told?.[0]).toBe('event: text')
  expect(error?.[0]).toBe('event: error')
  expect(JSON.parse(error?.[1] ?? '')).toMatchObject({
    error: { code: 'callee_error', message: 'the key [redacted] is not in …/plan.txt' },
  })
})

it('nor do the errors that stand in answers: of services, reloads and configs', async () => {
  const { call, ask, system } = await serve()
  await call('leaky', 'key')
  const shown = await ask('GET', '/api/services/leaky')
  expect(shown.body['last_error']).toMatchObject({ code: 'BAD_KEY', message: 'the key [redacted] was refused' })
  system.root.write(
    'modules/leaky.ts',
    `throw new Error('no ${system.root.path}/x/y.txt and no ${secretOf('vault')}')\n`,
  )
  const reload = await ask('POST', '/api/services/leaky/reload')
  expect(reload.body).toMatchObject({ ok: false })
  for (const { text } of [shown, reload, await ask('GET', '/api/services'), await ask('GET', '/api/configs')])
    for (const hidden of [system.root.path, secretOf('vault')]) expect(text).not.toContain(hidden)
})

it('a path of the API is none of the machine, and a path inside the root is shown from it', () => {
  const clean = (text: string): string => withoutPaths(text, '/srv/machine', ['srv', 'usr', 'home'])
  expect(clean('There is nothing at /api/services/x')).toBe('There is nothing at /api/services/x')
  expect(clean("open '/srv/machine/modules/a.ts' in /srv/machine")).toBe("open 'modules/a.ts' in .")
  expect(clean('file:///srv/machine/modules/a.ts:3:4')).toBe('modules/a.ts:3:4')
  expect(clean('at f (/home/me/x.js:1:2), /usr/lib/node')).toBe('at f (…/x.js:1:2), …/node')
  expect(clean('http://127.0.0.1/usr/x and a/usr/b')).toBe('http://127.0.0.1/usr/x and a/usr/b')
})
