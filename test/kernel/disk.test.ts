/** R14 behind the seam: nothing can be written for a while. The kernel serves on, and makes up for it when it can. */
import { afterEach, describe, expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { Disk } from '../support/disk.ts'
import { createRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
afterEach(() => system.stop())

const source = (version: number, more = ''): string => `export class Module { ${more} version() { return ${version} } }`
const version = (api = 'm'): Promise<unknown> => (system.getApi(api)['version'] as () => Promise<unknown>)()
const codes = (code: string): number => system.log.filter((line) => line.code === code).length

const LOOKS_OFTEN = { 'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {disk_retry_ms: 300, sweep_ms: 100}\n' }

const FAULTS = [
  ['ENOSPC', 'disk_full'],
  ['EROFS', 'read_only'],
  ['EACCES', 'read_only'],
  ['EIO', 'file_failed'],
] as const

describe.each(FAULTS)('%s', (errno, code) => {
  it.each(['under runtime/', 'everywhere'])(
    '%s: calls and reloads go on, and what is owed is written',
    async (where) => {
      const disk = new Disk()
      const files = { ...LOOKS_OFTEN, 'configs/m.yml': '', 'modules/m.js': source(1) }
      system = await startSystem(createRoot(files), { fs: disk.fs })
      const { path } = system.root
      disk.refuse(errno, (one) => where === 'everywhere' || one.startsWith(`${path}/runtime/`))
      system.root.write('modules/m.js', source(2))
      await system.live('m', 2)
      const kernel = system.getApi<KernelServiceApi>('kernel')
      expect(await kernel.rollback('m')).toMatchObject({ ok: true, rolled_back: true })
      const file = `${path}/runtime/refused.json`
      // A sweep later it was tried again, and nobody was told twice.
      await expect.poll(() => disk.refused.filter((one) => one === file).length).toBeGreaterThan(2)
      expect(await version()).toBe(1)
      const told = system.log.filter((line) => line.code === code && line.message.includes('runtime/refused.json'))
      expect(told).toHaveLength(1)
      disk.lift()
      const entries = (): unknown => JSON.parse(disk.fs.read(file) ?? '{}')
      await expect.poll(entries, { timeout: 5_000 }).toMatchObject({ m: { takenBack: expect.any(String) as string } })
      expect(system.log.filter(({ message }) => message === 'runtime/refused.json is written')).toHaveLength(1)
    },
  )
})

/** As a module meets it: an error of the operating system, until there is room. */
const NEEDS_ROOM = `
  constructor(kernel) { this.room = kernel.paths.runtime + '/room' }
  async init() {
    const { existsSync } = await import('node:fs')
    if (!existsSync(this.room)) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }`

it('a version that cannot write what it needs is refused, told once, and follows by itself when it can', async () => {
  system = await startSystem(createRoot({ ...LOOKS_OFTEN, 'configs/m.yml': '', 'modules/m.js': source(1) }))
  let tries = 0
  const tried = system.event('kernel.batch', () => ++tries === 4)
  system.root.write('modules/m.js', source(2, NEEDS_ROOM))
  const refused = await system.event('service.refused')
  const message = expect.stringContaining('ENOSPC') as string
  expect(refused.data['error']).toMatchObject({ code: 'init_threw', message })
  await tried
  expect(await version()).toBe(1)
  expect((await system.show('m')).last_error).toMatchObject({ code: 'init_threw', message })
  expect(codes('init_threw')).toBe(1)
  system.root.write('runtime/room', '')
  await system.live('m', 2)
  expect(await version()).toBe(2)
})

it('a kernel is not replaced while the note of its trial cannot be written, is not blamed for it, and follows', async () => {
  const disk = new Disk()
  system = await startSystem(createRoot({ 'configs/m.yml': '', 'modules/m.js': source(1) }), { fs: disk.fs })
  disk.refuse('ENOSPC')
  const ended = system.kernel.waitForShutdown()
  system.root.write('configs/meta-v1.1.0.yml', 'prog: kernel\n')
  await expect.poll(() => codes('disk_full')).toBeGreaterThan(0)
  system.root.write('modules/m.js', source(2))
  await system.live('m', 2)
  expect(await version()).toBe(2)
  disk.lift()
  const next = await ended
  expect(next?.kernel.version).toBe('1.1.0')
  expect(await version()).toBe(2)
  await next?.kernel.stop('test', 2_000)
})

it('what one kernel could not write, the next one writes', async () => {
  const disk = new Disk()
  system = await startSystem(createRoot({ 'configs/m.yml': '', 'modules/m.js': source(1) }), { fs: disk.fs })
  disk.refuse('ENOSPC', (path) => path.endsWith('refused.json'))
  system.root.write('modules/m.js', source(2))
  await system.live('m', 2)
  expect(await system.getApi<KernelServiceApi>('kernel').rollback('m')).toMatchObject({ ok: true })
  const ended = system.kernel.waitForShutdown()
  system.root.write('configs/meta-v1.1.0.yml', 'prog: kernel\n')
  const next = await ended
  disk.lift()
  const entries = (): unknown => JSON.parse(disk.fs.read(`${system.root.path}/runtime/refused.json`) ?? '{}')
  await expect.poll(entries, { timeout: 5_000 }).toHaveProperty('m')
  await next?.kernel.stop('test', 2_000)
})
