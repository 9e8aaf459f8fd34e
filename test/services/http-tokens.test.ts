/** What further tokens may do: scopes, capabilities, and what stays with the system's own. */
import { afterEach, expect, it } from 'vitest'
import { outcome, secretOf, serveHttp, type HttpSystem } from '../support/http.ts'

const FILES = {
  'configs/tools.yml': 'prog: services/tools\n',
  'configs/calc.yml': 'prog: calc\n',
  'modules/calc.ts': `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  add(a, b) { return a + b }
  wipe() { return 'wiped' }
  getAspect(name) {
    return name === 'tool' ? { sum: tool({ description: 'Sum.', params: z.object({}), run: () => 3 }) } : undefined
  }
}
`,
}

const TOKENS = `tokens:
  viewer: {token: 'secret:viewer'}
  worker: {token: 'secret:worker', scope: operate}
  adder: {token: 'secret:adder', scope: operate, capabilities: ['calc:add']}
  chief: {token: 'secret:chief', scope: admin}
`
const SECRETS = ['viewer', 'worker', 'adder', 'chief']

const running: HttpSystem[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
})

async function serve(config = TOKENS): Promise<HttpSystem> {
  const served = await serveHttp(FILES, { config, secrets: SECRETS })
  running.push(served)
  return served
}

const as = (name: string): { token: string } => ({ token: secretOf(name) })

it('each scope holds those before it, and no other', async () => {
  const { ask, call } = await serve()
  const allowed: Record<string, string[]> = {}
  for (const name of SECRETS) {
    const answers = {
      read: await ask('GET', '/api/services', as(name)),
      operate: await call('calc', 'add', [1, 2], as(name)),
      tool: await ask('POST', '/api/tools/calc_sum', { ...as(name), body: {} }),
      admin: await ask('POST', '/api/kernel/swap', as(name)),
    }
    allowed[name] = Object.entries(answers).flatMap(([what, { status }]) => (status === 200 ? [what] : []))
    for (const answer of Object.values(answers)) {
      if (answer.status !== 200) expect([name, ...outcome(answer)]).toEqual([name, 403, 'token_scope'])
    }
  }
  expect(allowed).toEqual({
    viewer: ['read'],
    worker: ['read', 'operate', 'tool'],
    adder: ['read', 'operate'],
    chief: ['read', 'operate', 'tool', 'admin'],
  })
})

it('capabilities say which methods and tools; a refusal names the token and the call', async () => {
  const { call } = await serve()
  expect((await call('calc', 'add', [1, 2], as('adder'))).body['result']).toBe(3)
  const refused = await call('calc', 'wipe', [], as('adder'))
  expect(outcome(refused)).toEqual([403, 'token_scope'])
  expect(refused.body.error?.message).toMatch(/`adder`.*`calc:wipe`/)
})

it('what needs admin cannot be reached by way of a call', async () => {
  const { call, ask } = await serve()
  expect(outcome(await call('kernel', 'swap', [], as('worker')))).toEqual([403, 'token_scope'])
  expect((await call('kernel', 'status', [], as('worker'))).status).toBe(200)
  expect((await call('kernel', 'swap', [], as('chief'))).status).toBe(200)
  const { body } = await ask('GET', '/api/tools', as('viewer'))
  const names = (body['tools'] as { name: string }[]).map((one) => one.name)
  for (const name of names.filter((one) => /^kernel_(swap|freeze|thaw)/.test(one)))
    expect([name, ...outcome(await ask('POST', `/api/tools/${name}`, { ...as('worker'), body: {} }))]).toEqual([
      name,
      403,
      'token_scope',
    ])
})

it('a token that leaves the config is nobody at once, on open connections too', async () => {
  const { ask, system } = await serve()
  expect((await ask('GET', '/api/services', as('viewer'))).status).toBe(200)
  const live = system.event('service.live', (data) => data['api'] === 'http')
  system.root.write('configs/http.yml', 'prog: services/http\nport: 0\n')
  await live
  expect(outcome(await ask('GET', '/api/services', as('viewer')))).toEqual([401, 'unauthorized'])
  expect((await ask('GET', '/api/services')).status).toBe(200)
})

it('a token that is short, too long or stands in the config is refused, and the version before serves on', async () => {
  const { ask, system } = await serve()
  for (const token of ['short', 'x'.repeat(257), secretOf('plain')]) {
    const refused = system.event('service.refused', (data) => data['api'] === 'http')
    system.root.write('configs/http.yml', `prog: services/http\nport: 0\ntokens: {plain: {token: '${token}'}}\n`)
    await refused
    expect((await system.show('http')).last_error?.message).toMatch(/The token `plain` is refused/)
    expect((await ask('GET', '/api/services', as('viewer'))).status).toBe(200)
  }
})

it('a token counts whole: not its beginning, not with more behind it', async () => {
  const { ask } = await serve()
  const token = secretOf('viewer')
  expect((await ask('GET', '/api/services', { token })).status).toBe(200)
  for (const wrong of [token.slice(0, -1), `${token}0`, token.padEnd(256, '0'), token.padEnd(300, '0'), ''])
    expect(outcome(await ask('GET', '/api/services', { token: wrong }))).toEqual([401, 'unauthorized'])
})

it('no answer shows a token', async () => {
  const { ask, token } = await serve()
  for (const path of ['/api/configs', '/api/services/http', '/api/tree', '/api/openapi.json', '/api/kernel']) {
    const { text, status } = await ask('GET', path)
    expect([path, status]).toEqual([path, 200])
    for (const secret of [token, ...SECRETS.map(secretOf)]) expect(text).not.toContain(secret)
  }
})
