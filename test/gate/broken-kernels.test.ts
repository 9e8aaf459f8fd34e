/** R3: kernels that are broken in every way, one after another, under load: the old one serves on, and says why. */
import { afterEach, expect, it } from 'vitest'
import type { KernelInfo } from '../../modules/contracts/kernel.ts'
import type { VetKernel } from '../../modules/contracts/kernel-port.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { findKernel } from '../../modules/lib/kernel-source.ts'
import { superviseKernels, type World } from '../../modules/lib/supervise.ts'
import { createVet, VET_THREAD } from '../../modules/loader/vet.ts'
import { threadWithImports } from '../../modules/loader/thread.ts'
import { BROKEN_KERNELS, LOOPING_KERNELS, type BrokenKernel } from '../support/broken-kernels.ts'
import type { Module } from '../fixtures/storm/module.ts'
import { silentLog } from '../support/bell.ts'
import { fleet, startFleet } from '../support/kernel-storm.ts'
import { random, underCalls } from '../support/load.ts'
import { packageRoot } from '../support/root.ts'
import { callInside, callOutside, type Storm } from '../support/storm.ts'
import type { TestSystem } from '../support/system.ts'

const TIMES = 10
const SEED = 20_260_403
/** a kernel is confirmed after this long; those that turn sick do so well before */
const PROBATION_MS = 3_000
/** long for a candidate that does nothing, short for one that never ends */
const LIMITS = 'limits: { evaluate_ms: 1000, kernel_adopt_ms: 700, kernel_retry_ms: 20 }\n'
const VET_MS = 300
/** packages take longer to load than a kernel's own files */
const PATIENT = 'limits: { evaluate_ms: 20000 }\n'

let system: TestSystem
let supervised: Promise<void>
afterEach(async () => {
  await system.kernel.stop('test', 5_000)
  await supervised
  await system.stop()
})

/** The system as the bootloader runs it, with short deadlines. */
async function start(vet?: (root: string) => VetKernel): Promise<void> {
  const files = {
    'configs/meta-v1.0.0.yml': `prog: kernel\n${LIMITS}`,
    'configs/http.yml': `prog: services/http\nport: 0\n${PATIENT}`,
    'configs/tools.yml': `prog: services/tools\n${PATIENT}`,
  }
  system = await startFleet(files, vet === undefined ? {} : { vet })
  const { root, loader, switchboard, kernel } = system
  const seams = { root: root.path, packageRoot, fs: realFileSystem, clock: realClock, log: silentLog }
  const world: World = { ...seams, loader, switchboard, safe: false, fallbacks: [] }
  const { source } = findKernel(world, 'configs/meta-v1.0.0.yml')
  const first = { kernel, source, release: () => undefined }
  supervised = superviseKernels(world, first, PROBATION_MS, () => undefined)
}

const info = (): Promise<KernelInfo> => system.getApi<{ kernel(): KernelInfo }>('kernel').kernel()

/** Resolves when the kernel was refused or gone back from, with what is known of it then. */
async function tryKernel(broken: BrokenKernel, n: number): Promise<void> {
  const files = Object.entries(broken.files(`k${n}`))
  for (const [path, text] of files) system.root.write(path, text)
  const path = `configs/meta-v2.${n}.0.yml`
  const outcome = broken.serves ? 'taken_back' : 'refused'
  const last = async (): Promise<unknown> =>
    (await info()).history.findLast(({ meta_file }) => meta_file === path)?.outcome
  await expect.poll(last, { interval: 20 }).toBe(outcome)
  const { version, history, versions } = await info()
  const told = history.findLast(({ meta_file }) => meta_file === path)
  expect([broken.name, version]).toEqual([broken.name, '1.0.0'])
  expect([broken.name, told?.error?.code]).toEqual([broken.name, expect.stringMatching(broken.code)])
  expect(versions.find(({ meta_file }) => meta_file === path)?.state).toBe('refused')
  if (broken.kept) {
    const kept = JSON.parse(system.root.read('runtime/refused.json')) as Record<string, { sourceKey: string }>
    expect([broken.name, kept[`kernel ${path}`]?.sourceKey.length]).toEqual([broken.name, 16])
  }
  for (const [file] of files) system.root.remove(file)
}

it(`${BROKEN_KERNELS.length} kinds of broken kernels, ${TIMES} times each, change nothing`, {
  timeout: 400_000,
}, async () => {
  await start()
  const stop = new AbortController()
  const counts = { now: 0, slow: 0, stream: 0, http: 0, failed: [] }
  const shared = { system, apis: fleet, random: random(SEED), counts, stop: stop.signal }
  const storm: Storm = { ...shared, made: new Map(), nextId: 1, waiting: new Set() }
  const callers = [
    ...Array.from({ length: 2 }, () => callInside(storm)),
    ...Array.from({ length: 4 }, (_one, n) => callOutside(storm, n % 2 === 0)),
  ]
  await tryAll(BROKEN_KERNELS, TIMES * BROKEN_KERNELS.length)
  stop.abort()
  await Promise.all(callers)
  expect(storm.counts.failed).toEqual([])
  for (const api of fleet) {
    const { ran, doubled } = await system.getApi<Module>(api).tally()
    expect([api, ran, doubled]).toEqual([api, storm.made.get(api) ?? 0, 0])
    expect(system.kernel.services.get(api)?.live?.number).toBe(1)
  }
})

it(`a kernel that loops, ${TIMES} times, is found in its trial`, { timeout: 400_000 }, async () => {
  const thread = (): URL => threadWithImports(VET_THREAD)
  await start((root) => createVet({ root, packageRoot, thread, vet_ms: VET_MS }))
  const handles = fleet.map((api) => system.getApi<Module>(api))
  const { calls, failed } = await underCalls(
    4,
    async (caller, n) => {
      await handles[(caller * 7 + n) % handles.length]?.slow(caller * 1_000_000 + n, 2)
    },
    () => tryAll(LOOPING_KERNELS, TIMES),
  )
  expect(failed).toEqual([])
  expect(calls).toBeGreaterThan(1_000)
})

async function tryAll(kernels: readonly BrokenKernel[], times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const broken = kernels[n % kernels.length]
    if (broken !== undefined) await tryKernel(broken, n + 1)
  }
}
