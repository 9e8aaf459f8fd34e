/** The file runtime/FREEZE in a running system: what it holds back, what it lets through. */
import { afterEach, expect, it } from 'vitest'
import { mm, startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const word = (text: string): string => `export class Module { word() { return '${text}' } }\n`

async function start(files: Record<string, string> = {}): Promise<{ root: TestRoot; system: RunningSystem }> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/tools.yml': 'prog: services/tools\n',
    'configs/word.yml': 'prog: word\n',
    'configs/other.yml': 'prog: other\n',
    'modules/word.ts': word('first'),
    'modules/other.ts': word('other'),
    ...files,
  })
  roots.push(root)
  const system = await startProcess(root)
  running.push(system)
  return { root, system }
}

const LONG = { timeout: 15_000 }
const frozenOf = async (system: RunningSystem): Promise<unknown> =>
  (await system.api('GET', '/api/kernel')).body['frozen']
const show = async (system: RunningSystem, api: string): Promise<Record<string, unknown>> =>
  (await system.api('GET', `/api/services/${api}`)).body

async function freeze(root: TestRoot, system: RunningSystem, ...args: string[]): Promise<void> {
  expect((await mm(root.path, 'freeze', ...args)).code).toBe(0)
  await expect.poll(() => frozenOf(system), LONG).toBe(args.includes('--all') ? 'all' : 'self')
}

async function thaw(root: TestRoot, system: RunningSystem): Promise<void> {
  expect((await mm(root.path, 'thaw')).code).toBe(0)
  await expect.poll(() => frozenOf(system), LONG).toBe('none')
}

it('a freeze that is there before the start holds from the first moment', async () => {
  const { system } = await start({ 'runtime/FREEZE': 'self\n' })
  expect(await frozenOf(system)).toBe('self')
  expect((await show(system, 'word'))['state']).toBe('live')
})

it('every service starts under a freeze of everything', async () => {
  const { system } = await start({ 'runtime/FREEZE': 'all\n' })
  expect(await frozenOf(system)).toBe('all')
  expect((await system.api('GET', '/health')).body).toMatchObject({ status: 'ok' })
})

it('under a plain freeze file edits still apply', async () => {
  const { root, system } = await start()
  await freeze(root, system)
  root.write('modules/word.ts', word('second'))
  await expect.poll(() => system.call('word', 'word'), LONG).toBe('second')
  root.write('configs/more.yml', 'prog: other\n')
  await expect.poll(async () => (await show(system, 'more'))['state'], LONG).toBe('live')
})

it('under a plain freeze the system may not change itself, a person may', async () => {
  const { root, system } = await start()
  await freeze(root, system)
  const tool = await system.api<{ error: { code: string } }>('POST', '/api/tools/kernel_reload_service', {
    service: 'word',
  })
  expect([tool.status, tool.body.error.code]).toEqual([423, 'frozen'])
  expect((await show(system, 'word'))['generation']).toBe(1)
  expect((await system.api('POST', '/api/tools/kernel_status')).status).toBe(200)
  expect((await system.api('POST', '/api/services/word/reload')).body).toMatchObject({ ok: true, generation: 2 })
  await thaw(root, system)
  const again = await system.api('POST', '/api/tools/kernel_reload_service', { service: 'word' })
  expect([again.status, (await show(system, 'word'))['generation']]).toEqual([200, 3])
})

it('a module may not reload another one under a freeze', async () => {
  const meddler = `
export class Module {
  constructor(kernel) { this.system = kernel.getApi('kernel') }
  meddle(api) { return this.system.reload(api) }
}
`
  const { root, system } = await start({ 'configs/meddler.yml': 'prog: meddler\n', 'modules/meddler.ts': meddler })
  await freeze(root, system)
  await expect(system.call('meddler', 'meddle', 'word')).rejects.toThrow('frozen')
  expect((await show(system, 'word'))['generation']).toBe(1)
})

it('a freeze of everything holds file edits back until the thaw, which applies the last one', async () => {
  const { root, system } = await start()
  await freeze(root, system, '--all')
  root.write('modules/word.ts', word('second'))
  root.write('modules/word.ts', word('third'))
  root.write('configs/more.yml', 'prog: other\n')
  // What a person asks for by name still happens, and each such look reads what was edited: when the edit is known
  // and the old version still serves, it is held back and not merely late.
  await expect
    .poll(async () => {
      expect((await system.api('POST', '/api/services/other/reload')).body).toMatchObject({ ok: true })
      return (await show(system, 'word'))['stale']
    }, LONG)
    .toBe(true)
  expect(await show(system, 'word')).toMatchObject({ state: 'live', generation: 1, stale: true })
  expect(await system.call('word', 'word')).toBe('first')
  await thaw(root, system)
  await expect.poll(() => system.call('word', 'word'), LONG).toBe('third')
  await expect.poll(async () => (await show(system, 'more'))['state'], LONG).toBe('live')
  expect((await show(system, 'word'))['generation']).toBe(2)
})

it('a removed config stops its service only after a freeze of everything', async () => {
  const { root, system } = await start()
  await freeze(root, system, '--all')
  root.remove('configs/word.yml')
  root.write('configs/more.yml', 'prog: other\n')
  // The new config is read by the same looks as the removal: when it is known, so is the removal.
  await expect
    .poll(async () => {
      expect((await system.api('POST', '/api/services/other/reload')).body).toMatchObject({ ok: true })
      return (await show(system, 'more'))['state']
    }, LONG)
    .toBe('waiting')
  expect(await system.call('word', 'word')).toBe('first')
  await thaw(root, system)
  await expect.poll(async () => (await system.api('GET', '/api/services/word')).status, LONG).toBe(404)
})
