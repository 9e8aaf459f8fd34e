/** Improvements as they are asked for from outside: over HTTP and from the command line. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Improvement } from '../../../modules/contracts/proposals.ts'
import { shortHash } from '../../../modules/lib/hash.ts'
import { mmHere } from '../../support/cli.ts'
import { createRoot } from '../../support/root.ts'
import { startServed, type ServedSystem } from '../../support/served.ts'

/** Answers when it is told to. */
const MODEL = `export class Module {
  constructor() { this.gate = Promise.withResolvers?.() ?? (() => { const one = {}; one.promise = new Promise((resolve) => { one.resolve = resolve }); return one })() }
  describe() { return { model: 'script', ready: true, note: '' } }
  async complete() {
    await this.gate.promise
    return { text: 'I cannot.', model: 'script', finish: 'stop', usage: null }
  }
  open() { this.gate.resolve(); return true }
}
`
interface Refusal {
  error: { code: string; message: string }
}
const VIEWER = 'a-token-that-only-reads-0123456789'
let system: ServedSystem

beforeAll(async () => {
  const root = createRoot({
    'runtime/secrets/viewer': VIEWER,
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/policy.yml': 'prog: control/policy\n',
    'configs/recordings.yml': 'prog: services/recordings\n',
    'configs/self-improver.yml': 'prog: control/self-improver\nproviders: [model]\ntries: 2\n',
    'prompts/self-improver.txt': '{{goal}} {{tests}}',
    'configs/model.yml': 'record: false\n',
    'modules/model.ts': MODEL,
    'configs/sums.yml': '',
    'modules/sums.ts': 'export class Module { sum(list) { return list.length } }\n',
  })
  chmodSync(join(root.path, 'runtime/secrets/viewer'), 0o600)
  system = await startServed(root)
  root.write('configs/http.yml', `prog: services/http\nport: 0\ntokens: {viewer: {token: 'secret:viewer'}}\n`)
  await system.live('http', 2)
})
afterAll(() => system.stop())

const post = async <T>(path: string, body: object, headers: Record<string, string> = {}) => {
  const response = await system.fetch(path, body, headers)
  return { status: response.status, body: (await response.json()) as T }
}

it('a goal is begun once however often it is asked with one key, followed by its id, and listed', async () => {
  const ask = { service: 'sums', goal: 'be quicker' }
  const key = { 'idempotency-key': 'first' }
  const begun = await post<Improvement>('/api/improve', ask, key)
  expect(begun).toMatchObject({ status: 200, body: { id: 'i1', state: 'running', service: 'sums', attempts: [] } })
  expect(await post('/api/improve', ask, key)).toMatchObject({ status: 200, body: { id: 'i1' } })
  expect(await post<Refusal>('/api/improve', ask)).toMatchObject({
    status: 409,
    body: { error: { code: 'improvement_running' } },
  })
  const attempted = system.event('improvement.attempt', ({ number }) => number === 2)
  await system.getApi<{ open(): boolean }>('model').open()
  await attempted
  await expect
    .poll(async () => (await system.json<Improvement>('/api/improve/i1')).state, { timeout: 10_000 })
    .toBe('given_up')
  const done = await system.json<Improvement>('/api/improve/i1')
  expect(done.attempts.map(({ outcome }) => outcome)).toEqual(['unusable', 'unusable'])
  expect(await system.json('/api/improve?service=sums')).toMatchObject({ improvements: [{ id: 'i1' }] })
  expect(await system.json('/api/improve?service=other')).toEqual({ improvements: [] })
  const told = await mmHere(system.root.path, 'improve', '--show', 'i1')
  expect(told.stdout).toMatch(/1\. unusable[\s\S]*i1 {2}sums {2}given_up/)
  const asked = await mmHere(system.root.path, 'improve', 'sums', '--goal', 'x', '--tries', '1')
  expect([asked.code, asked.stdout]).toEqual([1, expect.stringContaining('i2  sums  given_up')])
})

it('what cannot be begun is told, and a token that only reads begins nothing', async () => {
  const viewer = { authorization: `Bearer ${VIEWER}` }
  const reading = await system.fetch('/api/improve', undefined, viewer)
  expect(reading.status).toBe(200)
  expect((await post('/api/improve', { service: 'sums', goal: 'x' }, viewer)).status).toBe(403)
  expect(await post('/api/improve', { service: 'nobody', goal: 'x' })).toMatchObject({
    status: 404,
    body: { error: { code: 'service_not_found' } },
  })
  expect((await post('/api/improve', { service: 'sums' })).status).toBe(400)
  expect((await post('/api/improve', { service: 'sums', goal: 'x', tries: 99 })).status).toBe(400)
  expect((await system.fetch('/api/improve/i99')).status).toBe(404)
})

it('the checks can be asked alone', async () => {
  const base_hash = shortHash(system.root.read('modules/sums.ts'))
  const edits = [{ path: 'modules/sums.ts', base_hash, text: "import 'node:net'\nexport class Module {}\n" }]
  const { status, body } = await post<{ passed: boolean }>('/api/improve/check', { edits, service: 'sums' })
  expect([status, body.passed]).toEqual([200, false])
  expect(system.root.read('modules/sums.ts')).toContain('sum(list)')
})
