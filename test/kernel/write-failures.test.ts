/** Disks that are full and folders that take no writes: the kernel says so in a code, and what runs goes on. */
import { afterEach, expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import type { FileSystem } from '../../modules/contracts/seams.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { createRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
let refuse: string | undefined
afterEach(() => {
  refuse = undefined
  return system.stop()
})

/** The real one, until writes are refused with a code of the operating system. */
const fs: FileSystem = {
  ...realFileSystem,
  write: (path, text, options) => {
    if (refuse !== undefined) throw Object.assign(new Error(`${refuse}: no`), { code: refuse })
    realFileSystem.write(path, text, options)
  },
}

const source = (version: number): string => `export class Module { version() { return ${version} } }`

async function start(): Promise<KernelServiceApi> {
  system = await startSystem(createRoot({ 'configs/m.yml': '', 'modules/m.js': source(1) }), { fs })
  system.root.write('modules/m.js', source(2))
  await system.live('m', 2)
  return system.getApi<KernelServiceApi>('kernel') as unknown as KernelServiceApi
}

it.each([
  ['ENOSPC', 'disk_full'],
  ['EROFS', 'read_only'],
  ['EIO', 'file_failed'],
])('an undo that cannot write (%s) says %s, and can be asked for again', async (errno, code) => {
  const kernel = await start()
  refuse = errno
  const error = await rejection(Promise.resolve(kernel.undo('m')))
  expect(error).toMatchObject({ code, message: expect.stringContaining('modules/m.js') as string })
  expect(await (system.getApi('m')['version'] as () => Promise<unknown>)()).toBe(2)
  refuse = undefined
  expect(await kernel.undo('m')).toMatchObject({ ok: true })
  expect(system.root.read('modules/m.js')).toBe(source(1))
})

it('a rollback works on a full disk, and says what it could not write down', async () => {
  const kernel = await start()
  refuse = 'ENOSPC'
  expect(await kernel.rollback('m')).toMatchObject({ ok: true, rolled_back: true })
  expect(await (system.getApi('m')['version'] as () => Promise<unknown>)()).toBe(1)
  expect(system.log.find((line) => line.code === 'disk_full')?.message).toContain('runtime/refused.json')
})
