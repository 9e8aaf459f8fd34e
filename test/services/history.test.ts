/** What happened is recorded in plain words, versions can be compared, and why something is as it is can be asked. */
import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Happening, HistoryApi } from '../../modules/contracts/history.ts'
import type { Handle } from '../../modules/contracts/module.ts'
import { createRoot, packageRoot, rootAt, type TestRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const systems: TestSystem[] = []
afterEach(async () => {
  for (const system of systems.splice(0)) await system.stop()
})

const shop = (price: number): string => `export class Module {
  price() { return ${price} }
  fail() { throw new Error('the till is stuck') }
}
`

const FILES = {
  'configs/history.yml': 'prog: services/history\n',
  'configs/shop.yml': 'size: 1\n',
  'modules/shop.js': shop(1),
}

async function start(
  root: Record<string, string> | TestRoot = FILES,
): Promise<TestSystem & { history: Handle<HistoryApi> }> {
  const system = await startSystem(root)
  systems.push(system)
  return Object.assign(system, { history: system.getApi<HistoryApi>('history') })
}

/** Asked until it is there: it is recorded beside everything else. */
async function recorded(history: Handle<HistoryApi>, fits: (one: Happening) => boolean): Promise<Happening> {
  let found: Happening | undefined
  await expect
    .poll(async () => {
      found = (await history.changes({ all: true })).changes.findLast(fits)
      return found
    })
    .toBeDefined()
  return found as unknown as Happening
}

const wentLive =
  (api: string, generation: number) =>
  ({ type, data }: Happening): boolean =>
    type === 'service.live' && data['api'] === api && data['generation'] === generation

it('a change is told with its files; the first start of everything is none', async () => {
  const system = await start()
  await recorded(system.history, wentLive('shop', 1))
  expect((await system.history.changes()).changes).toEqual([])
  system.root.write('modules/shop.js', shop(2))
  const change = await recorded(system.history, wentLive('shop', 2))
  expect(change).toMatchObject({ api: 'shop', change: true, files: ['modules/shop.js'] })
  expect(change.text).toBe('shop g1 → g2: modules/shop.js; state lost')
  system.root.write('configs/tea.yml', 'prog: shop\n')
  expect(await recorded(system.history, wentLive('tea', 1))).toMatchObject({
    change: true,
    text: 'tea started as g1, which is new',
  })
  system.root.remove('configs/tea.yml')
  expect((await recorded(system.history, ({ type }) => type === 'service.stopped')).text).toBe('tea was stopped')
  system.root.write('configs/tea.yml', 'prog: shop\n')
  expect(await recorded(system.history, wentLive('tea', 2))).toMatchObject({
    change: true,
    text: 'tea started as g2 again',
  })
  const { changes } = await system.history.changes({ service: 'shop' })
  expect(changes.map((one) => one.id)).toEqual([change.id])
  expect((await system.history.changes({ since: change.time + 60_000 })).changes).toEqual([])
})

it('any two versions can be compared, and what runs with what stands on disk', async () => {
  const system = await start()
  await recorded(system.history, wentLive('shop', 1))
  system.root.write('modules/shop.js', shop(2))
  const second = await recorded(system.history, wentLive('shop', 2))
  system.root.write('configs/shop.yml', 'size: 2\n')
  await recorded(system.history, wentLive('shop', 3))
  const diff = await system.history.diff('shop', 'g1', second.id)
  expect(diff.files).toEqual([
    {
      path: 'modules/shop.js',
      change: 'changed',
      lines_added: 1,
      lines_removed: 1,
      patch: expect.stringContaining('-  price() { return 1 }\n+  price() { return 2 }') as string,
    },
  ])
  expect(diff.from).toMatchObject({ label: 'g1', generation: 1 })
  expect((await system.history.diff('shop', '2')).files.map((one) => one.path)).toEqual(['configs/shop.yml'])
  expect((await system.history.diff('shop')).files).toEqual([])
  const refused = system.event('service.refused')
  system.root.write('modules/shop.js', 'export class Module {')
  await refused
  expect((await system.history.diff('shop')).files).toMatchObject([{ path: 'modules/shop.js', change: 'changed' }])
  expect((await rejection(system.history.diff('shop', 'g9'))).code).toBe('version_missing')
  expect((await rejection(system.history.diff('shop', 'nonsense'))).code).toBe('version_missing')
  expect((await rejection(system.history.diff('nobody'))).code).toBe('service_not_found')
})

it('a comparison shows no secret, in use or not: neither of a config nor of a source', async () => {
  const system = await start({ ...FILES, 'configs/shop.yml': "size: 1\npassword: 'first-of-all'\n" })
  await recorded(system.history, wentLive('shop', 1))
  system.root.write('configs/shop.yml', 'size: 2\npassword: second-of-all\n')
  system.root.write('modules/shop.js', `${shop(2)}// not second-of-all\n`)
  await recorded(system.history, wentLive('shop', 2))
  const { files } = await system.history.diff('shop', 'g1')
  const patches = files.map(({ patch }) => patch).join('')
  expect(patches).toContain('-password: [redacted]\n+size: 2\n+password: [redacted]')
  expect(patches).toContain('+// not [redacted]')
  expect(patches).not.toMatch(/first-of|second-of/)
})

it('why a service is as it is: what runs, what brought it, what was refused, what failed, and what to do', async () => {
  const system = await start()
  await recorded(system.history, wentLive('shop', 1))
  system.root.write('modules/shop.js', shop(2))
  const second = await recorded(system.history, wentLive('shop', 2))
  await rejection((system.getApi('shop')['fail'] as () => Promise<unknown>)())
  const failed = await recorded(system.history, ({ type }) => type === 'call.failed')
  const refused = system.event('service.refused')
  system.root.write('modules/shop.js', 'export class Module {')
  await refused
  await recorded(system.history, ({ type }) => type === 'service.refused')
  const why = await system.history.why('shop')
  const texts = why.lines.map((line) => line.text)
  expect(texts[0]).toBe('shop is live, and what stands on disk is not what runs (g2 serves; 1 calls, 1 failed, 0 open)')
  expect(why.lines).toContainEqual({ time: second.time, id: second.id, text: second.text })
  expect(
    texts.some((text) => /^not live: modules\/shop\.js: The source does not parse: .*modules\/shop\.js:\d+/.test(text)),
  ).toBe(true)
  expect(why.lines).toContainEqual({ time: failed.time, id: failed.id, text: failed.text })
  expect(failed.text).toMatch(/^a call to shop failed: the till is stuck/)
  expect(texts.at(-1)).toBe('called by, or needed by, test')
  expect(why.next.map((one) => one.command)).toEqual(['mm diff shop', 'mm undo shop', 'mm logs --service shop'])
  expect(await system.history.why(second.id)).toMatchObject({
    kind: 'change',
    next: [{ command: `mm diff shop g1 ${second.id}` }, { command: 'mm why shop' }],
  })
  expect((await rejection(system.history.why('nobody'))).code).toBe('subject_unknown')
  expect((await rejection(system.history.why('h99999'))).code).toBe('subject_unknown')
})

it('a failure in what is shipped names its file from the package, and no folder of the machine', async () => {
  const system = await start()
  await rejection((system.getApi('history')['diff'] as (api: string) => Promise<unknown>)('nobody'))
  const failed = await recorded(system.history, ({ type, api }) => type === 'call.failed' && api === 'history')
  expect(failed.text).toMatch(/\(modules\/services\/history\/[\w-]+\.ts:\d+:\d+\)/)
  expect(failed.text).not.toContain(packageRoot)
})

it('the record outlives the system; what changed meanwhile is told, what did not is none', async () => {
  const root = createRoot(FILES)
  const kept = { ...root, dispose: () => undefined }
  const first = await start(kept)
  await recorded(first.history, wentLive('shop', 1))
  await recorded(first.history, wentLive('history', 1))
  await first.stop()
  systems.splice(0)
  const log = join(root.path, 'runtime/history/history.jsonl')
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  // Another process, that was killed in the midst of a line.
  root.write(
    'runtime/history/history.jsonl',
    `${lines.map((line) => line.replace(/"boot":"[^"]+"/, '"boot":"1.1"')).join('\n')}\n`,
  )
  appendFileSync(log, '{"id": 4, "ti')
  root.write('modules/shop.js', shop(2))
  const second = await start(rootAt(root.path))
  const change = await recorded(second.history, ({ type, files }) => type === 'service.live' && files.length > 0)
  expect(change).toMatchObject({ api: 'shop', text: 'shop started as g1: modules/shop.js' })
  expect((await second.history.changes()).changes).toEqual([change])
  const before = lines.map((line) => JSON.parse(line) as { id: number; data: { api?: string } })
  const shopBefore = before.find((one) => one.data.api === 'shop')?.id ?? 0
  expect((await second.history.diff('shop', `h${shopBefore}`)).files).toMatchObject([{ path: 'modules/shop.js' }])
  expect(statSync(log).mode & 0o777).toBe(0o600)
  for (const name of readdirSync(join(root.path, 'runtime/history/texts')))
    expect(statSync(join(root.path, 'runtime/history/texts', name)).mode & 0o777).toBe(0o600)
})

it('a reload of the history loses nothing and records nothing twice', async () => {
  const system = await start()
  await recorded(system.history, wentLive('shop', 1))
  for (let generation = 2; generation <= 6; generation++) {
    system.root.write('modules/shop.js', shop(generation))
    const [reloaded] = await Promise.all([system.reload('history'), system.live('shop', generation)])
    expect(reloaded.ok).toBe(true)
  }
  await recorded(system.history, wentLive('shop', 6))
  const { changes } = await system.history.changes({ service: 'shop', all: true })
  expect(changes.map((one) => one.data['generation'])).toEqual([1, 2, 3, 4, 5, 6])
  expect(new Set(changes.map((one) => one.id)).size).toBe(6)
})

it('the record is bounded: failures go before changes, and texts go with the versions that named them', async () => {
  const system = await start({
    ...FILES,
    'configs/history.yml': 'prog: services/history\nentries_max: 10\nversions_kept: 2\n',
  })
  await recorded(system.history, wentLive('shop', 1))
  for (let generation = 2; generation <= 16; generation++) {
    system.root.write('modules/shop.js', shop(generation))
    await system.live('shop', generation)
    await recorded(system.history, wentLive('shop', generation))
  }
  await expect.poll(async () => (await system.history.changes({ all: true })).changes.length).toBeLessThanOrEqual(12)
  await expect.poll(() => readdirSync(join(system.root.path, 'runtime/history/texts')).length).toBeLessThan(12)
  expect((await system.history.diff('shop', 'g15', 'g16')).files).toHaveLength(1)
  expect((await rejection(system.history.diff('shop', 'g3'))).code).toBe('version_missing')
})
