/** A package that a module is missing: asked for, confirmed by an operator, installed without scripts, and then it starts. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { PackagesApi, ToolsApi } from '../../modules/contracts/services.ts'
import type { PackageRequest } from '../../modules/contracts/stores.ts'
import { Registry } from '../support/registry.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const ID = 'mm-test-greeter@1.0.0'
const TOKEN = 'the token of an operator'
const GREETS = `import { needPackage } from 'meta-machine'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  async init() {
    const greeter = await needPackage(this.kernel, () => import('mm-test-greeter'), '${ID}', 'to greet people')
    this.greet = greeter.greet
  }
  hello(name) { return this.greet(name) }
}`

let registry: Registry
let published: TestRoot
let root: TestRoot
let system: TestSystem
let packages: Handle<PackagesApi>

async function startOn(at: TestRoot): Promise<void> {
  root = at
  system = await startSystem(root)
  packages = system.getApi<PackagesApi>('packages')
}

/** A system with a service that misses the package. */
const startFresh = (): Promise<void> =>
  startOn(
    createRoot({
      'configs/packages.yml': `prog: services/packages\nregistry: ${registry.url}\n`,
      'configs/tools.yml': 'prog: services/tools\n',
      'configs/greets.yml': '',
      'modules/greets.js': GREETS,
      'runtime/token': `${TOKEN}\n`,
    }),
  )

async function restart(): Promise<void> {
  await system.kernel.stop('test', 2_000)
  await startOn(root)
}

beforeAll(async () => {
  registry = await Registry.start()
  published = createRoot({
    'greeter/package.json': JSON.stringify({
      name: 'mm-test-greeter',
      version: '1.0.0',
      type: 'module',
      main: 'index.js',
      scripts: { install: "node -e \"require('fs').writeFileSync('ran', '')\"" },
    }),
    'greeter/index.js': "export const greet = (name) => 'hello ' + name\n",
    'second/package.json': JSON.stringify({ name: 'mm-test-second', version: '2.1.0', main: 'index.js' }),
    'second/index.js': '',
  })
  for (const name of ['greeter', 'second']) registry.publish(join(published.path, name))
})
beforeEach(() => {
  registry.requests.length = 0
})
afterAll(() => {
  published.dispose()
  registry.dispose()
})

const stateOf = async (id: string): Promise<string | undefined> =>
  (await packages.list()).packages.find((one) => one.id === id)?.state

describe('a package that a service waited for and an operator confirmed', () => {
  // One system for all: the package is there before and after each of them.
  let asked: PackageRequest[]
  beforeAll(async () => {
    await startFresh()
    expect(await system.show('greets')).toMatchObject({ state: 'waiting', waiting_for: [`package:${ID}`] })
    asked = (await packages.list()).packages
    expect(registry.requests).toEqual([])
    expect(await packages.confirm(ID, TOKEN)).toMatchObject({ state: 'confirmed' })
    await system.live('greets')
  })
  afterAll(() => system.stop())

  it('was asked for by name; the service starts by itself when it is there', async () => {
    expect(asked).toMatchObject([
      { id: ID, state: 'pending', requested_by: ['greets'], reason: 'to greet people', integrity: null },
    ])
    expect(await system.getApi<{ hello(name: string): string }>('greets').hello('Ada')).toBe('hello Ada')
    const request = (await packages.list()).packages.find(({ id }) => id === ID)
    expect(request).toMatchObject({ state: 'installed', integrity: expect.stringMatching(/^sha512-/) as string })
    expect(root.read('runtime/packages/package-lock.json')).toContain(request?.integrity)
  })

  it('has run none of its scripts', () => {
    expect(existsSync(join(root.path, 'runtime/packages/node_modules/mm-test-greeter/index.js'))).toBe(true)
    expect(existsSync(join(root.path, 'runtime/packages/node_modules/mm-test-greeter/ran'))).toBe(false)
  })

  it('is found again after a restart, without asking', async () => {
    await restart()
    await system.live('greets')
    expect(registry.requests).toEqual([])
    expect(await stateOf(ID)).toBe('installed')
  })

  it('stays when another comes, and a removed one is gone', async () => {
    const there = (name: string): boolean => existsSync(join(root.path, 'runtime/packages/node_modules', name))
    const installed = system.event('package.installed', (data) => data['id'] === 'mm-test-second@2.1.0')
    await packages.request('mm-test-second', '2.1.0', 'a test')
    await packages.confirm('mm-test-second@2.1.0', TOKEN)
    await installed
    expect([there('mm-test-greeter'), there('mm-test-second')]).toEqual([true, true])
    expect(await packages.remove('mm-test-second@2.1.0', TOKEN)).toMatchObject({ state: 'removed' })
    expect([there('mm-test-greeter'), there('mm-test-second')]).toEqual([true, false])
  })

  it('is not touched by one that the registry does not have: that one fails and says so', async () => {
    const failed = system.event('package.failed')
    await packages.request('mm-test-nothing', '1.0.0', 'a test')
    await packages.confirm('mm-test-nothing@1.0.0', TOKEN)
    expect(String((await failed).data['reason'])).toContain('404')
    expect([await stateOf('mm-test-nothing@1.0.0'), await stateOf(ID)]).toEqual(['failed', 'installed'])
  })
})

describe('an install', () => {
  // npm keeps what it has fetched by its bytes: others each time, so that it asks.
  let times = 0
  beforeEach(() => {
    published.write('greeter/times.txt', String(++times))
    registry.publish(join(published.path, 'greeter'))
    return startFresh()
  })
  afterEach(() => system.stop())

  it('that is denied fails the service with the reason, and is done when an operator thinks again', async () => {
    await packages.deny(ID, TOKEN)
    expect((await system.reload('greets')).error?.message).toContain('an operator denied it')
    expect((await system.show('greets')).state).toBe('failed')
    await packages.confirm(ID, TOKEN)
    await system.live('greets')
  })

  it('that a restart cut off is done then', async () => {
    const text = root.read('runtime/packages/requests.json')
    await system.kernel.stop('test', 2_000)
    root.write('runtime/packages/requests.json', text.replace('"pending"', '"confirmed"'))
    await startOn(root)
    await system.live('greets')
    expect(await stateOf(ID)).toBe('installed')
  })

  it('of something else than was announced is refused, harms nothing, and may be tried again', async () => {
    registry.tamper(ID, true)
    const failed = system.event('package.failed')
    await packages.confirm(ID, TOKEN)
    expect(String((await failed).data['reason'])).toMatch(/integrity|EINTEGRITY/i)
    expect((await packages.list()).packages[0]).toMatchObject({ state: 'failed' })
    expect(existsSync(join(root.path, 'runtime/packages/node_modules'))).toBe(false)
    registry.tamper(ID, false)
    await packages.confirm(ID, TOKEN)
    await system.live('greets')
  })

  it('that a reload of the service cuts off is done by the next version', async () => {
    const letGo = registry.holdBack()
    await packages.confirm(ID, TOKEN)
    await registry.asked((path) => path.endsWith('.tgz'))
    root.write('configs/packages.yml', `prog: services/packages\nregistry: ${registry.url}\ntimeout_ms: 100000\n`)
    await system.live('packages', 2)
    expect(await stateOf(ID)).toBe('confirmed')
    letGo()
    await system.live('greets')
    expect(await stateOf(ID)).toBe('installed')
  })
})

describe('whoever is no operator', () => {
  beforeAll(startFresh)
  afterAll(() => system.stop())

  it('may ask, and neither confirm nor deny nor remove', async () => {
    for (const token of ['', 'guess', undefined as unknown as string]) {
      for (const work of [packages.confirm(ID, token), packages.deny(ID, token), packages.remove(ID, token)])
        expect((await rejection(work)).code).toBe('operator_only')
    }
    root.remove('runtime/token')
    expect((await rejection(packages.confirm(ID, ''))).code).toBe('operator_only')
    root.write('runtime/token', `${TOKEN}\n`)
    expect(await stateOf(ID)).toBe('pending')
    const tools = system.getApi<ToolsApi>('tools')
    const names = (await tools.list()).tools.map((one) => one.name).filter((name) => name.startsWith('packages_'))
    expect(names).toEqual(['packages_list', 'packages_request'])
    const params = { name: 'left-pad', version: '1.3.0', reason: 'a model wants it' }
    expect(await tools.invoke('packages_request', params)).toMatchObject({
      status: 'success',
      value: { id: 'left-pad@1.3.0', state: 'pending' },
    })
    expect(registry.requests).toEqual([])
  })

  it('may ask for one exact version only, and has to say why', async () => {
    for (const [name, version] of [
      ['left-pad', '^1.0.0'],
      ['left-pad', 'latest'],
      ['left-pad', ''],
      ['left-pad', '1.0'],
      ['--registry=http://x', '1.0.0'],
      ['../up', '1.0.0'],
      ['https://example.com/a.tgz', '1.0.0'],
      ['a b', '1.0.0'],
    ] as const)
      expect((await rejection(packages.request(name, version, 'why'))).code).toBe('package_name')
    expect((await rejection(packages.request('left-pad', '1.3.0', ' '))).code).toBe('bad_arguments')
    expect((await rejection(packages.confirm('never@1.0.0', TOKEN))).code).toBe('package_unknown')
    for (let at = 0; at < 49; at++) await packages.request('left-pad', `1.${at}.0`, 'why')
    expect((await rejection(packages.request('left-pad', '9.0.0', 'why'))).code).toBe('package_refused')
  })
})
