/** A boot on files that do not start: what ran well before runs instead, says so, and gives way to the repaired file. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { ServiceStatus } from '../modules/contracts/kernel.ts'
import { mm, startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }
/** A version is good after 200 ms. */
const QUICK = { 'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {fresh_ms: 200, sweep_ms: 50}\n' }
const saying = (word: string, more = ''): string => `export class Module {\n  say() { return '${word}' }\n${more}}\n`

function rootWith(files: Record<string, string>): TestRoot {
  const root = createRoot({ ...HTTP, ...files })
  roots.push(root)
  return root
}

async function start(root: TestRoot, env: Record<string, string> = {}, args: string[] = []): Promise<RunningSystem> {
  const system = await startProcess(root, { env, args })
  running.push(system)
  return system
}

const show = async (system: RunningSystem, api: string): Promise<ServiceStatus> =>
  (await system.api<ServiceStatus>('GET', `/api/services/${encodeURIComponent(api)}`)).body

/** How a service is broken, and with which code that is refused. */
const WAYS: Record<string, { code: string; files: Record<string, string | null> }> = {
  syntax: { code: 'source_syntax', files: { 'modules/syntax.ts': 'export class Module {\n  say( {\n' } },
  half: { code: 'source_syntax', files: { 'modules/half.ts': saying('new').slice(0, 30) } },
  init: { code: 'init_threw', files: { 'modules/init.ts': saying('new', "init() { throw new Error('no luck') }") } },
  made: {
    code: 'constructor_threw',
    files: { 'modules/made.ts': saying('new', "constructor() { throw new Error('no luck') }") },
  },
  import: { code: 'import_missing', files: { 'modules/import.ts': `import './nowhere.ts'\n${saying('new')}` } },
  helper: { code: 'import_missing', files: { 'modules/parts/word.ts': null } },
  gone: { code: 'prog_not_found', files: { 'modules/gone.ts': null } },
  yaml: { code: 'config_syntax', files: { 'configs/yaml.yml': 'prog: yaml\nword: [unfinished' } },
  'deep/named': { code: 'config_syntax', files: { 'configs/deep/other.yml': 'api: deep/named\n  prog: }{' } },
  schema: { code: 'config_invalid', files: { 'configs/schema.yml': 'size: much\n' } },
  contested: { code: 'config_api_taken', files: { 'configs/rival.yml': 'api: contested\nprog: syntax\n' } },
}

const GOOD: Record<string, string> = {
  ...Object.fromEntries(Object.keys(WAYS).map((api) => [`configs/${api}.yml`, ''])),
  ...Object.fromEntries(Object.keys(WAYS).map((api) => [`modules/${api}.ts`, saying('old')])),
  'configs/deep/named.yml': '# moved to other.yml: the name of a file is not the name of its service\nenabled: false\n',
  'configs/deep/other.yml': 'api: deep/named\nprog: deep/named\n',
  'modules/helper.ts': `import { word } from './parts/word.ts'\nexport class Module {\n  say() { return word }\n}\n`,
  'modules/parts/word.ts': "export const word: string = 'old'\n",
  'modules/schema.ts': `import { z } from 'zod'
export const configSchema = z.object({ size: z.number().default(1) })
${saying('old')}`,
}

function breakAll(root: TestRoot): void {
  for (const { files } of Object.values(WAYS)) {
    for (const [file, text] of Object.entries(files)) {
      if (text === null) root.remove(file)
      else root.write(file, text)
    }
  }
}

const brokenBytes = (root: TestRoot): Record<string, string | null> =>
  Object.fromEntries(
    Object.values(WAYS).flatMap(({ files }) =>
      Object.entries(files).map(([file, text]) => [file, text === null ? null : root.read(file)]),
    ),
  )

it('whatever was broken while nothing ran, the last good version answers, and the reason is shown', async () => {
  const root = rootWith(GOOD)
  expect(await (await start(root)).stop()).toBe(0)
  breakAll(root)
  const before = brokenBytes(root)
  const system = await start(root)
  for (const [api, { code }] of Object.entries(WAYS)) {
    const shown = await show(system, api)
    expect([api, shown.state, shown.stale, shown.last_error?.code]).toEqual([api, 'live', true, code])
    expect(shown.last_good).toBeGreaterThan(Date.now() - 60_000)
    expect([api, await system.call(api, 'say')]).toEqual([api, 'old'])
    expect(system.output.filter((line) => line.includes(`${api}  runs its last good version, of `))).toHaveLength(1)
  }
  expect(brokenBytes(root)).toEqual(before)
  expect((await system.api('GET', '/health')).body).toMatchObject({ status: 'degraded' })
  expect(await show(system, 'http')).toMatchObject({ state: 'live', stale: false, last_good: null })
  const listed = (await mm(root.path, 'ls')).stdout
  expect(listed).toMatch(/^syntax +live \(last good\) .*modules\/syntax\.ts:3/m)
  const doctor = (await mm(root.path, 'doctor')).stdout
  expect(doctor).toMatch(/wrong {2}syntax: its last good version of \d{4}-.* serves as g1: .*modules\/syntax\.ts:3/)
  expect(doctor).toContain('`mm undo syntax` writes the last good bytes back')
})

it('a file that is repaired takes over as any reload, and an undo repairs it with the last good bytes', async () => {
  const root = rootWith(GOOD)
  await (await start(root)).stop()
  breakAll(root)
  const system = await start(root)
  root.write('modules/syntax.ts', saying('new'))
  root.write('modules/parts/word.ts', "export const word: string = 'new'\n")
  root.write('configs/yaml.yml', 'prog: syntax\n')
  root.write('configs/schema.yml', '')
  for (const api of ['syntax', 'helper', 'yaml', 'schema']) {
    await expect.poll(async () => (await show(system, api)).stale, { timeout: 10_000 }).toBe(false)
    expect(await show(system, api)).toMatchObject({ state: 'live', last_error: null, last_good: null })
    expect([api, await system.call(api, 'say')]).toEqual([api, api === 'schema' ? 'old' : 'new'])
  }
  for (const [api, file] of Object.entries({ init: 'modules/init.ts', gone: 'modules/gone.ts' })) {
    expect((await system.api('POST', `/api/services/${api}/undo`)).body).toMatchObject({ ok: true })
    expect(root.read(file)).toBe(GOOD[file])
    expect(await show(system, api)).toMatchObject({ stale: false, last_error: null, last_good: null, generation: 1 })
  }
  expect((await system.api('POST', '/api/services/deep%2Fnamed/undo')).body).toMatchObject({ ok: true })
  expect(root.read('configs/deep/other.yml')).toBe(GOOD['configs/deep/other.yml'])
  await expect.poll(async () => (await show(system, 'deep/named')).stale).toBe(false)
})

it('what has run well for a while survives kill -9, also when the broken file was seen by the one that was killed', async () => {
  const root = rootWith({ ...QUICK, 'configs/x.yml': '', 'modules/x.ts': saying('old') })
  const system = await start(root)
  await expect.poll(() => kept(root).length).toBe(2)
  root.write('modules/x.ts', 'export class Module {')
  await expect.poll(async () => (await show(system, 'x')).stale).toBe(true)
  process.kill(system.childPid, 'SIGKILL')
  await system.restarted(1)
  expect(await show(system, 'x')).toMatchObject({ state: 'live', stale: true, last_error: { code: 'source_syntax' } })
  expect(await system.call('x', 'say')).toBe('old')
  root.write('modules/x.ts', saying('new'))
  await expect.poll(() => system.call('x', 'say')).toBe('new')
  expect(await show(system, 'x')).toMatchObject({ stale: false, generation: 2 })
})

const folder = (root: TestRoot): string => join(root.path, 'runtime/last-good')
const kept = (root: TestRoot): string[] => {
  try {
    return readdirSync(folder(root)).filter((name) => name.endsWith('.json'))
  } catch {
    return []
  }
}

it('what stalled the process is off, and the version before it serves', async () => {
  const root = rootWith({ 'configs/x.yml': '', 'modules/x.ts': saying('old') })
  await (await start(root)).stop()
  root.write('modules/x.ts', saying('new', '  hang() { for (;;); }\n'))
  const system = await start(root, { MM_STALL_MS: '1000' })
  expect(await system.call('x', 'say')).toBe('new')
  const lost = system.call('x', 'hang').catch(() => 'lost')
  await system.restarted(1)
  expect(await lost).toBe('lost')
  const shown = await show(system, 'x')
  expect(shown).toMatchObject({ state: 'live', stale: true, last_error: { code: 'version_stalled', line: 3 } })
  expect(await system.call('x', 'say')).toBe('old')
  // Also in the start after that: what is off stays off, and what serves is not what is off.
  await system.stop()
  const again = await start(root)
  expect(await show(again, 'x')).toMatchObject({ state: 'live', stale: true, last_error: { code: 'version_stalled' } })
  expect(await again.call('x', 'say')).toBe('old')
})

it('a version that stalls is no good one, however long it had served', async () => {
  const root = rootWith({ 'configs/x.yml': '', 'modules/x.ts': saying('old', '  hang() { for (;;); }\n') })
  await (await start(root)).stop()
  const system = await start(root, { MM_STALL_MS: '1000' })
  const lost = system.call('x', 'hang').catch(() => 'lost')
  await system.restarted(1)
  expect(await lost).toBe('lost')
  expect(await show(system, 'x')).toMatchObject({ state: 'quarantined', generation: null })
  root.write('modules/x.ts', 'export class Module {')
  await expect.poll(async () => (await show(system, 'x')).last_error?.code).toBe('source_syntax')
  expect(await show(system, 'x')).toMatchObject({ state: 'failed', generation: null, last_good: null })
})

it('a store that is not whole is ignored, and says why', async () => {
  const damage: Record<string, [reason: string, (path: string) => string]> = {
    cut: ['it is no JSON', (text) => text.slice(0, text.length / 2)],
    edited: [
      'its content and its hash differ',
      (text) => text.replace('"old"', '"odd"').replace('modules/', 'mobules/'),
    ],
    foreign: ['it has another format', () => '{"format": "something else"}'],
  }
  const names = [...Object.keys(damage), 'text']
  const root = rootWith({
    ...Object.fromEntries(names.map((name) => [`configs/${name}.yml`, ''])),
    ...Object.fromEntries(names.map((name) => [`modules/${name}.ts`, saying(`old ${name}`)])),
  })
  await (await start(root)).stop()
  for (const name of kept(root)) {
    const file = `runtime/last-good/${name}`
    expect(statSync(join(root.path, file)).mode & 0o777).toBe(0o600)
    const [, change] = damage[name.split('-')[0] ?? ''] ?? []
    if (change !== undefined) root.write(file, change(root.read(file)))
  }
  for (const hash of readdirSync(join(folder(root), 'texts'))) {
    const path = join(folder(root), 'texts', hash)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    if (readFileSync(path, 'utf8').includes('old text')) root.write(`runtime/last-good/texts/${hash}`, saying('evil'))
  }
  for (const name of names) root.write(`modules/${name}.ts`, 'export class {')
  const doctor = (await mm(root.path, 'doctor')).stdout
  expect(doctor).toMatch(/wrong {2}last good: .*cut-.*: it is no JSON/)
  const system = await start(root)
  for (const name of names) expect(await show(system, name)).toMatchObject({ state: 'failed', last_good: null })
  const log = root.read('runtime/logs/mm.log')
  for (const [name, [reason]] of Object.entries(damage)) {
    expect(log).toContain(`The last good version of ${name} cannot be used: ${reason}`)
  }
  expect(log).toContain('The last good version of text cannot be used: the text of modules/text.ts is not the one that')
  expect(log).toContain('last_good_broken')
  root.write('modules/cut.ts', saying('new'))
  await expect.poll(() => system.call('cut', 'say').catch(String)).toBe('new')
})

it('the next kernel knows what the one before kept and what it fell back on, and keeps on', async () => {
  const names = ['x', 'y', 'same']
  const root = rootWith({
    ...QUICK,
    ...Object.fromEntries(names.map((name) => [`configs/${name}.yml`, ''])),
    ...Object.fromEntries(names.map((name) => [`modules/${name}.ts`, saying('old')])),
  })
  await (await start(root)).stop()
  const recordOf = (api: string): string =>
    root.read(`runtime/last-good/${kept(root).find((name) => name.startsWith(`${api}-`))}`)
  root.write('modules/x.ts', 'export class Module {')
  const system = await start(root)
  const before = await show(system, 'x')
  const same = recordOf('same')
  root.write('configs/meta-v1.1.0.yml', QUICK['configs/meta-v1.0.0.yml'])
  await system.line(/kernel 1\.0\.0 → 1\.1\.0 {2}paused/)
  const { generation, last_good, last_error } = before
  const shown = { state: 'live', stale: true, generation, last_good, last_error }
  expect(await show(system, 'x')).toMatchObject(shown)
  expect(await system.call('x', 'say')).toBe('old')
  root.write('modules/y.ts', saying('new'))
  await expect.poll(() => system.call('y', 'say')).toBe('new')
  const isKept = (): boolean => JSON.parse(recordOf('y')).record.kept_at > JSON.parse(same).record.kept_at
  await expect.poll(isKept, { timeout: 10_000 }).toBe(true)
  expect(recordOf('same')).toBe(same)
  root.remove('configs/meta-v1.1.0.yml')
  await system.line(/kernel 1\.1\.0 → 1\.0\.0 {2}paused/)
  expect(await show(system, 'x')).toMatchObject(shown)
  root.write('modules/x.ts', saying('new'))
  await expect.poll(() => system.call('x', 'say')).toBe('new')
  expect(await show(system, 'x')).toMatchObject({ stale: false, last_good: null, last_error: null })
})

it('a safe start brings back only what it may start, and forgets nothing', async () => {
  const root = rootWith({ ...QUICK, 'configs/filesystem.yml': '', 'configs/x.yml': '', 'modules/x.ts': saying('old') })
  await (await start(root)).stop()
  for (const name of ['filesystem', 'x']) root.write(`configs/${name}.yml`, 'prog: [')
  const records = kept(root)
  const safe = await start(root, {}, ['--safe'])
  expect(await show(safe, 'filesystem')).toMatchObject({ state: 'live', last_error: { code: 'config_syntax' } })
  expect((await safe.api('GET', '/api/services/x')).status).toBe(404)
  await safe.stop()
  expect(kept(root)).toEqual(records)
  expect(await (await start(root)).call('x', 'say')).toBe('old')
})

it('a rollback that was acknowledged is not lost to kill -9, also to a version that had just begun', async () => {
  const root = rootWith({ 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  const system = await start(root)
  for (const word of ['two', 'three']) {
    root.write('modules/x.ts', saying(word))
    await expect.poll(() => system.call('x', 'say')).toBe(word)
  }
  expect((await system.api('POST', '/api/services/x/rollback')).body).toMatchObject({ ok: true })
  process.kill(system.childPid, 'SIGKILL')
  await system.restarted(1)
  expect(await system.call('x', 'say')).toBe('two')
  expect(await show(system, 'x')).toMatchObject({ stale: true, last_error: { code: 'version_refused' } })
})
