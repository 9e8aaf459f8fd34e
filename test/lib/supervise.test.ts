/** Which kernel is started after one took the process with it, on a disk that takes no writes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { realClock } from '../../modules/lib/clock.ts'
import { findKernel } from '../../modules/lib/kernel-source.ts'
import { beginTrial, TRIAL_FILE } from '../../modules/lib/kernel-trial.ts'
import { launchKernel, type World } from '../../modules/lib/supervise.ts'
import { createSwitchboard } from '../../modules/lib/switchboard.ts'
import { ModuleLoader } from '../../modules/loader/loader.ts'
import { silentLog } from '../support/bell.ts'
import { Disk } from '../support/disk.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
afterEach(() => root.dispose())

function worldOf(disk: Disk): World & { loader: ModuleLoader } {
  const seams = { fs: disk.fs, clock: realClock }
  const loader = new ModuleLoader({ root: root.path, packageRoot, ...seams, fault: () => undefined })
  const switchboard = createSwitchboard()
  return { root: root.path, packageRoot, ...seams, loader, switchboard, log: silentLog, safe: false, fallbacks: [] }
}

/** The version that starts, in a process of its own as far as it knows. */
async function versionStarted(disk: Disk): Promise<string> {
  const world = worldOf(disk)
  const { kernel, release } = await launchKernel(world, 10_000)
  await kernel.stop('test', 2_000)
  release()
  world.loader.dispose()
  return kernel.version
}

it('a kernel that crashed is not started again, written down or not', async () => {
  const disk = new Disk()
  const meta = 'prog: kernel\n'
  root = createRoot({ 'configs/meta-v1.0.0.yml': meta, 'configs/meta-v2.0.0.yml': meta })
  expect(await versionStarted(disk)).toBe('2.0.0')
  const world = worldOf(disk)
  beginTrial(disk.fs, root.path, findKernel(world, 'configs/meta-v2.0.0.yml').source)
  world.loader.dispose()
  const noted = (): boolean => existsSync(join(root.path, TRIAL_FILE))
  disk.refuse('ENOSPC')
  expect([await versionStarted(disk), noted()]).toEqual(['1.0.0', true])
  disk.lift()
  expect([await versionStarted(disk), noted()]).toEqual(['1.0.0', false])
  expect(await versionStarted(disk)).toBe('1.0.0')
})
