/** Files that change together are looked at together: a checkout, a provider and its consumer, a shared helper. */
import { spawn } from 'node:child_process'
import { afterEach, expect, it } from 'vitest'
import type { MachineEvent } from '../../modules/contracts/module.ts'
import { underCalls } from '../support/load.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

const SERVICES = 250

interface Pair {
  both(): string
}

const moduleSource = (version: number): string =>
  `export class Module { constructor(_k: unknown, private config: { size: number }) {} both() { return 'source ${version} size ' + this.config.size } }`

function checkoutFiles(version: number): Record<string, string> {
  const files: Record<string, string> = {}
  for (let n = 0; n < SERVICES; n++) {
    files[`configs/s${n}.yml`] = `size: ${version}\n`
    files[`modules/s${n}.ts`] = moduleSource(version)
  }
  return files
}

const git = (root: string, ...args: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], {
      cwd: root,
      stdio: 'ignore',
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`git ${args.join(' ')}: ${code}`))))
  })

/** Two branches, `one` and `two`, which differ in every file; `one` is checked out. */
async function createBranches(root: TestRoot): Promise<void> {
  await git(root.path, 'init', '--initial-branch', 'one')
  root.write('.gitignore', 'runtime/\n')
  for (const [branch, version] of [
    ['one', 1],
    ['two', 2],
  ] as const) {
    if (branch === 'two') await git(root.path, 'checkout', '-b', 'two')
    for (const [file, text] of Object.entries(checkoutFiles(version))) root.write(file, text)
    await git(root.path, 'add', '.')
    await git(root.path, 'commit', '-m', branch)
  }
  await git(root.path, 'checkout', 'one')
}

/** Resolves when `count` services have gone live since it was called. */
function livesOf(running: TestSystem, count: number): Promise<void> {
  return new Promise((resolve) => {
    const leave = running.kernel.events.on('service.live', () => {
      if (--count > 0) return
      leave()
      resolve()
    })
  })
}

it(`a git checkout of ${SERVICES * 2} files is one batch, and no call fails`, { timeout: 60_000 }, async () => {
  const root = createRoot({})
  await createBranches(root)
  system = await startSystem(root)
  const running = system
  const batches: MachineEvent[] = []
  running.kernel.events.on('kernel.batch', (event) => batches.push(event))
  const call = async (n: number): Promise<string> => running.getApi<Pair>(`s${n % SERVICES}`).both()
  const check = async (n: number): Promise<void> => {
    const answer = await call(n)
    if (!/^source (1 size 1|2 size 2)$/.test(answer)) throw new Error(`a mixed answer: ${answer}`)
  }
  const { failed, calls } = await underCalls(
    8,
    (caller, n) => Promise.all(Array.from({ length: 50 }, (_, k) => check((caller * 31 + n) * 50 + k))),
    async () => {
      const live = livesOf(running, SERVICES)
      await git(root.path, 'checkout', 'two')
      await live
      await running.kernel.settled()
    },
  )
  expect(failed.slice(0, 5)).toEqual([])
  expect(calls).toBeGreaterThan(16)
  expect(batches.map((event) => (event.data['services'] as string[]).length)).toEqual([SERVICES])
  for (let n = 0; n < SERVICES; n++) {
    expect(await call(n)).toBe('source 2 size 2')
    expect(running.kernel.status().services[`s${n}`]).toEqual({ state: 'live', generation: 2 })
  }
})

const provider = (methods: string): string => `export class Module { ${methods} }`
const consumer = (method: string): string => `
export class Module {
  constructor(private readonly kernel: any) {}
  private seen = ''
  async init() { this.seen = await this.kernel.getApi('provider').${method}() }
  answer() { return this.seen }
}`

it.each([
  ['consumer', 'provider'],
  ['provider', 'consumer'],
] as const)('a provider and a consumer that needs its new method, saved %s first: both end live', async (...order) => {
  system = await startSystem({
    'configs/provider.yml': '',
    'configs/consumer.yml': 'needs: [provider]',
    'modules/provider.ts': provider(`one() { return 'one' }`),
    'modules/consumer.ts': consumer('one'),
  })
  const running = system
  const next = { provider: provider(`two() { return 'two' }`), consumer: consumer('two') }
  const answer = running.getApi<{ answer(): string }>('consumer')
  const { failed } = await underCalls(
    4,
    () => answer.answer(),
    async () => {
      for (const name of order) running.root.writeByRename(`modules/${name}.ts`, next[name])
      await Promise.all([running.live('provider', 2), running.live('consumer', 2)])
    },
  )
  expect(failed).toEqual([])
  expect(await answer.answer()).toBe('two')
  for (const api of order) expect(await running.show(api)).toMatchObject({ stale: false, last_error: null })
})

it('a consumer saved well before its provider is tried again when the provider has it', async () => {
  system = await startSystem({
    'configs/provider.yml': '',
    'configs/consumer.yml': 'needs: [provider]',
    'modules/provider.ts': provider(`one() { return 'one' }`),
    'modules/consumer.ts': consumer('one'),
  })
  const running = system
  const refused = running.event('service.refused', (data) => data['api'] === 'consumer')
  running.root.writeByRename('modules/consumer.ts', consumer('two'))
  await refused
  expect(await running.getApi<{ answer(): string }>('consumer').answer()).toBe('one')
  running.root.writeByRename('modules/provider.ts', provider(`one() { return 'one' } two() { return 'two' }`))
  await running.live('consumer', 2)
  expect(await running.getApi<{ answer(): string }>('consumer').answer()).toBe('two')
})

const sharing = (name: string, more = ''): string =>
  `import { helper } from './helper.ts'\nexport class Module { ${more} answer() { return '${name} ' + helper } }`

it('of services that share a helper, one cannot start: none is switched, until all can', async () => {
  const picky = `async init() { if (helper === 2) throw new Error('two is not for me') }`
  system = await startSystem({
    'configs/x.yml': '',
    'configs/y.yml': '',
    'configs/z.yml': '',
    'modules/helper.ts': 'export const helper = 1',
    'modules/x.ts': sharing('x'),
    'modules/y.ts': sharing('y', picky),
    'modules/z.ts': 'export class Module { answer() { return "z" } }',
  })
  const running = system
  const ask = async (api: string): Promise<string> => running.getApi<{ answer(): string }>(api).answer()
  const { failed } = await underCalls(
    4,
    (caller) => ask(caller % 2 === 0 ? 'x' : 'y'),
    async () => {
      const refused = ['x', 'y'].map((api) => running.event('service.refused', (data) => data['api'] === api))
      running.root.write('modules/helper.ts', 'export const helper = 2')
      await Promise.all(refused)
      expect([await ask('x'), await ask('y')]).toEqual(['x 1', 'y 1'])
      expect((await running.show('x')).last_error?.message).toContain('y, which shares a changed file, failed')
      // Unrelated ones go their own way meanwhile.
      running.root.write('modules/z.ts', 'export class Module { answer() { return "z again" } }')
      await running.live('z', 2)
      running.root.write('modules/helper.ts', 'export const helper = 3')
      await Promise.all([running.live('x', 2), running.live('y', 2)])
    },
  )
  expect(failed).toEqual([])
  expect([await ask('x'), await ask('y'), await ask('z')]).toEqual(['x 3', 'y 3', 'z again'])
})
