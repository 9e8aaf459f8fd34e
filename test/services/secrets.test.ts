/**
 * Secrets planted where they come from (environment, secret files, configs, arguments, prompts, errors), and looked for
 * wherever something is kept or leaves: traces, recordings, metrics, the API's description, answers about the system.
 */
import { readFileSync, readdirSync, statSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { RecordingsApi } from '../../modules/contracts/recordings.ts'
import type { TraceSummary } from '../../modules/contracts/traces.ts'
import { CHAT_FILES } from '../agents/chat-system.ts'
import { startServed, type ServedSystem } from '../support/served.ts'

const PLANTED = {
  env: 'planted-of-the-environment-8417',
  file: 'planted-of-a-secret-file-2963',
  config: 'planted-under-a-secret-name-5520',
  argument: 'planted-as-an-argument-7731',
  shaped: 'sk-live-Zq81kdJs02mQp55xN7cVb3',
  bearer: 'pl4ntedBearerTokenValue99',
  prompt: 'ghp_pl4ntedInAPromptAbc123456789',
  url: 'pl4nted-pass',
}

const VAULT = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  constructor(kernel, config) { this.config = config; this.kernel = kernel }
  async login({ user, password }) { return { user, password, token: this.config.file_secret } }
  async ask(text) { return 'heard ' + text }
  async fail() { throw new Error('refused: ' + this.config.env_secret + ' and ' + this.config.api_key) }
  async late() { setTimeout(() => { throw new Error('late: ' + this.config.file_secret) }, 1) }
  async talk(request) { return { messages: request.messages } }
  getAspect(name) {
    return name !== 'tool' ? undefined : { open: tool({ description: 'Opens.', params: z.object({ api_key: z.string(), text: z.string() }), run: (given) => ({ ...given }) }) }
  }
}
`

const running: ServedSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function start(): Promise<ServedSystem> {
  process.env['MM_TEST_VAULT'] = PLANTED.env
  const system = await startServed({
    ...CHAT_FILES,
    'configs/traces.yml': 'prog: services/traces\nfull: true\n',
    'configs/metrics.yml': 'prog: services/metrics\n',
    'configs/recordings.yml': 'prog: services/recordings\nwrite_ms: 20\n',
    'configs/services/database.yml': 'api: database\nrecord: false\n',
  })
  running.push(system)
  mkdirSync(join(system.root.path, 'runtime/secrets'), { recursive: true })
  writeFileSync(join(system.root.path, 'runtime/secrets/vault'), `${PLANTED.file}\n`, { mode: 0o600 })
  system.root.write('modules/vault.ts', VAULT)
  system.root.write(
    'configs/vault.yml',
    `record: {calls: all}\nenv_secret: \${MM_TEST_VAULT}\nfile_secret: secret:vault\napi_key: ${PLANTED.config}\n`,
  )
  await system.live('vault')
  return system
}

/** All that stands in runtime/ but the secrets themselves. */
function filesOf(folder: string, skip: (path: string) => boolean): [string, string][] {
  return readdirSync(folder).flatMap((name): [string, string][] => {
    const path = join(folder, name)
    if (skip(path)) return []
    return statSync(path).isDirectory() ? filesOf(path, skip) : [[path, readFileSync(path, 'latin1')]]
  })
}

it('none of them appears in what is kept, and none in what says something of the system', async () => {
  const system = await start()
  const call = (method: string, ...args: unknown[]): Promise<Response> =>
    system.fetch('/api/services/vault/call', { method, args })
  for (let n = 0; n < 3; n++) {
    await call('login', { user: 'ann', password: PLANTED.argument })
    await call(
      'ask',
      `use ${PLANTED.shaped} or Bearer ${PLANTED.bearer} at http://ann:${PLANTED.url}@host/${PLANTED.env}`,
    )
    await call('talk', { messages: [{ role: 'user', content: PLANTED.prompt }] })
    await system.fetch('/api/tools/vault_open', {
      api_key: PLANTED.argument,
      text: `${PLANTED.file} ${PLANTED.shaped}`,
    })
    await call('fail')
  }
  const late = system.event('service.fault', ({ api }) => api === 'vault')
  await call('late')
  await late
  await system.fetch('/api/chat', { message: `My key is ${PLANTED.prompt}, keep it.` })
  const recordings = system.getApi<RecordingsApi>('recordings')
  expect((await recordings.list('vault')).total).toBe(16)
  const report = await recordings.replay('vault')
  const { traces } = await system.json<{ traces: TraceSummary[] }>('/api/traces?limit=1000')
  const shown = await Promise.all(traces.map(({ trace }) => system.json<object>(`/api/traces/${trace}`)))
  const told: [string, string][] = [
    ['replay', JSON.stringify(report)],
    ['traces', JSON.stringify(shown)],
    ['metrics', await (await system.fetch('/metrics')).text()],
    ['openapi', await (await system.fetch('/api/openapi.json')).text()],
    ['log', JSON.stringify(system.log)],
    ['errors', JSON.stringify([await system.show('vault'), await system.json<object>('/api/services/vault')])],
    ['events', JSON.stringify(await system.getApi('kernel')['eventsSince']?.(0))],
  ]
  const own = (path: string): boolean => /secrets$|last-good$|token$|data\.db/.test(path)
  const found = [...filesOf(join(system.root.path, 'runtime'), own), ...told].flatMap(([where, text]) =>
    Object.entries(PLANTED)
      .filter(([, secret]) => text.includes(secret))
      .map(([name]) => `${name} in ${where}`),
  )
  expect(found).toEqual([])
  // What was looked through holds the calls themselves.
  expect(shown.length).toBeGreaterThan(15)
  expect(JSON.stringify(shown)).toContain('refused: [redacted] and [redacted]')
  expect(filesOf(join(system.root.path, 'runtime'), own).map(([path]) => path.split('/').at(-1))).toContain(
    'recordings.db',
  )
})
