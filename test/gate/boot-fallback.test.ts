/** R4: of random sets of kernels, some of them broken, the highest that works starts; else every reason is told. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { realClock } from '../../modules/lib/clock.ts'
import { toErrorData } from '../../modules/lib/errors.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { findKernel } from '../../modules/lib/kernel-source.ts'
import { refuseOnDisk } from '../../modules/lib/kernel-trial.ts'
import { memoryFiles } from '../../modules/lib/memory-files.ts'
import { launchKernel, type World } from '../../modules/lib/supervise.ts'
import { createSwitchboard } from '../../modules/lib/switchboard.ts'
import { ModuleLoader } from '../../modules/loader/loader.ts'
import { silentLog } from '../support/bell.ts'
import { random } from '../support/load.ts'
import { KERNELS, metaSet, type MetaSet } from '../support/meta-sets.ts'
import { mm } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'
import { rejection } from '../support/system.ts'

const SEED = 20_260_404
const SETS = 500
const PROCESSES = 20
const METAS = 20
const ROOT = '/meta-sets'

const roots: TestRoot[] = []
afterEach(() => {
  for (const root of roots.splice(0)) root.dispose()
})

/** Files in memory, read by the real loader: as many sets as one likes, with the same modules. */
function createWorld(): World & { loader: ModuleLoader } {
  const fs = memoryFiles(ROOT, realFileSystem, () => Date.now())
  for (const [path, text] of Object.entries(KERNELS)) fs.write(`${ROOT}/${path}`, text)
  const seams = { root: ROOT, packageRoot, fs, clock: realClock }
  const loader = new ModuleLoader({ ...seams, fault: () => undefined })
  return { ...seams, loader, switchboard: createSwitchboard(), log: silentLog, safe: false, fallbacks: [] }
}

const told = (world: World): string[] => world.fallbacks.map(({ code }) => code)

it(`${SETS} random sets: the highest that works, and why the others do not`, { timeout: 300_000 }, async () => {
  const world = createWorld()
  const chance = random(SEED)
  const counts = { started: 0, none: 0 }
  for (let n = 0; n < SETS; n++) {
    const { files, order, starts } = metaSet(METAS, chance)
    for (const [path, text] of Object.entries(files)) world.fs.write(`${ROOT}/${path}`, text)
    world.fallbacks.length = 0
    if (starts === undefined) {
      counts.none++
      const { code, message } = await rejection(launchKernel(world, 10_000))
      expect([n, code]).toEqual([n, 'no_kernel'])
      for (const { path } of order) expect(message).toContain(path)
      expect([n, told(world)]).toEqual([n, order.map((one) => one.code)])
    } else {
      counts.started++
      const { kernel, source, release } = await launchKernel(world, 10_000)
      expect([n, source.meta_file, kernel.version]).toEqual([n, starts, starts])
      const newer = order.slice(
        0,
        order.findIndex(({ path }) => path === starts),
      )
      expect([n, told(world)]).toEqual([n, newer.map((one) => one.code)])
      release()
    }
    for (const path of Object.keys(files)) world.fs.remove(`${ROOT}/${path}`)
  }
  expect(counts.none).toBeGreaterThan(SETS / 20)
  expect(counts.started).toBeGreaterThan(SETS / 2)
  world.loader.dispose()
})

it('kernels that were refused before come last, the highest of them first', { timeout: 120_000 }, async () => {
  const world = createWorld()
  const chance = random(SEED + 1)
  const error = toErrorData(Object.assign(new Error('it was sick'), { code: 'kernel_unwell' }))
  for (let n = 0; n < SETS / 10; n++) {
    const { files, order } = metaSet(METAS, chance)
    for (const [path, text] of Object.entries(files)) world.fs.write(`${ROOT}/${path}`, text)
    world.fallbacks.length = 0
    const good = order.filter(({ code }) => code === undefined)
    const sick = new Set(good.filter(() => chance.next() < 0.7))
    for (const { path } of sick) refuseOnDisk(world.fs, ROOT, findKernel(world, path).source, error)
    const wanted = good.find((one) => !sick.has(one)) ?? good[0]
    if (wanted === undefined) expect((await rejection(launchKernel(world, 10_000))).code).toBe('no_kernel')
    else {
      const { source, release } = await launchKernel(world, 10_000)
      expect([n, source.meta_file]).toEqual([n, wanted.path])
      release()
    }
    for (const path of [...Object.keys(files), 'runtime/refused.json']) world.fs.remove(`${ROOT}/${path}`)
  }
  world.loader.dispose()
})

interface Line {
  code?: string
  msg: string
}

async function runSet({ files, order, starts }: MetaSet): Promise<void> {
  const root = createRoot({ ...KERNELS, ...files })
  roots.push(root)
  const { code, stdout, stderr } = await mm(root.path, 'up', '--no-repl')
  const log = readFileSync(join(root.path, 'runtime/logs/mm.log'), 'utf8').trim().split('\n')
  const codes = log.flatMap((line) => (JSON.parse(line) as Line).code ?? [])
  const newer = order.slice(0, starts === undefined ? order.length : order.findIndex(({ path }) => path === starts))
  expect(codes).toEqual([...newer.map((one) => one.code), ...(starts === undefined ? ['no_kernel'] : [])])
  if (starts === undefined) {
    expect(code).toBe(1)
    const last = `${stdout}${stderr}`.split('\n').find((line) => line.includes('No kernel could be started')) ?? ''
    for (const { path } of order) expect(last).toContain(path)
  } else {
    expect(code).toBe(0)
    expect(stdout).toContain(`from ${starts}`)
  }
}

it(`${PROCESSES} of them as real processes`, { timeout: 300_000 }, async () => {
  const chance = random(SEED + 2)
  const sets = Array.from({ length: PROCESSES }, () => metaSet(METAS, chance))
  expect(sets.filter(({ starts }) => starts === undefined).length).toBeGreaterThan(0)
  for (let n = 0; n < sets.length; n += 2) await Promise.all(sets.slice(n, n + 2).map(runSet))
})
