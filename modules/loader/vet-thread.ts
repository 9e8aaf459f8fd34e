/**
 * The thread in which a kernel is tried before it gets the real system. A small system is made up in memory under the
 * kernel that runs now: a service with state, a call that is open on a version that drains, a held resource, and a call
 * that waits for a service which is not there yet. The candidate takes all of it over and has to keep every promise.
 * Started by `vet.ts` only.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { KernelPort, NextKernel } from '../contracts/kernel-port.ts'
import type { FileSystem, JsonMap, Log } from '../contracts/seams.ts'
import { ModuleLoader } from './loader.ts'
import { realClock } from '../lib/clock.ts'
import { coded, codeOf, toErrorData } from '../lib/errors.ts'
import { realFileSystem } from '../lib/file-system.ts'
import { findKernel, loadKernel, type FoundKernel, type KernelWorld } from '../lib/kernel-source.ts'
import { memoryFiles } from '../lib/memory-files.ts'
import { createSwitchboard } from '../lib/switchboard.ts'
import type { VetData, VetMessage } from './vet.ts'

const ROOT = '/kernel-trial'
const EVALUATE_MS = 10_000
/** the files of a made-up system change once: it need not be looked at once a second only */
const SWEEP_MS = 20

const held = (version: number): string => `
export class Module {
  constructor(kernel) { this.kernel = kernel }
  async init() {
    const create = () => {
      const gate = {}
      gate.opened = new Promise((resolve) => { gate.open = resolve })
      return gate
    }
    this.gate = await this.kernel.hold('gate', create, () => {})
  }
  async wait() { await this.gate.opened; return ${version} }
  open() { this.gate.open(); return ${version} }
}
`

const FILES: Record<string, string> = {
  'configs/steady.yml': 'prog: steady\n',
  'configs/held.yml': 'prog: held\n',
  'configs/late.yml': 'prog: late\nneeds: [missing]\n',
  'configs/asker.yml': 'prog: asker\n',
  'modules/steady.ts': `
export class Module {
  constructor() { this.calls = 0 }
  count() { return ++this.calls }
}
`,
  'modules/held.ts': held(1),
  'modules/late.ts': 'export class Module { answer() { return 42 } }\n',
  // Its handles are made once, so that they are held over the change of kernels.
  'modules/asker.ts': `
export class Module {
  constructor(kernel) {
    this.handles = Object.fromEntries(['steady', 'held', 'late', 'kernel'].map((api) => [api, kernel.getApi(api)]))
  }
  ask(api, method, ...args) { return this.handles[api][method](...args) }
}
`,
}

const { root, packageRoot, metaFile, incumbent, texts } = workerData as VetData
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a thread has no origin
const tell = (message: VetMessage): void => parentPort?.postMessage(message)

const fs: FileSystem = memoryFiles(ROOT, realFileSystem, () => realClock.now())
const silent = (): void => {}
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log }
const loader = new ModuleLoader({ root: ROOT, packageRoot, fs, clock: realClock, fault: silent })
const switchboard = createSwitchboard()
const seams = { root: ROOT, packageRoot, loader, switchboard, clock: realClock, fs, log, safe: false }
// What the meta file says of sandboxes is not for made-up services.
const world: KernelWorld = { ...seams, hostOf: () => loader }

const write = (path: string, text: string): void => fs.write(`${ROOT}/${path}`, text)

/** A kernel of the real root, for the made-up one. */
async function load(path: string, generation: number): Promise<NextKernel> {
  const found: FoundKernel = findKernel({ root, packageRoot, fs, loader }, path)
  const limits = { ...(found.meta['limits'] as JsonMap | undefined), sweep_ms: SWEEP_MS }
  return loadKernel(world, { ...found, meta: { ...found.meta, defaults: {}, limits } }, generation, EVALUATE_MS)
}

const incumbentKernel = (): FoundKernel => {
  const scan = texts === undefined ? loader.scan(incumbent) : loader.scanTexts(incumbent, texts)
  const source = { meta_file: 'configs/meta-v0.0.0.yml', version: '0.0.0', config_hash: '', source_key: scan.key }
  return { source, scan, meta: { prog: 'kernel', limits: { sweep_ms: SWEEP_MS } } }
}

const ask = (api: string, method: string, ...args: unknown[]): Promise<unknown> =>
  switchboard.onRoute?.('asker', 'ask', [api, method, ...args]) ?? Promise.reject(new Error('no kernel answers'))

async function expect(what: string, wanted: unknown, work: Promise<unknown>): Promise<void> {
  const found = await work
  if (found !== wanted) {
    const reason = `${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`
    throw coded('kernel_vet', { reason }, { file: metaFile })
  }
}

const isLive = (kernel: KernelPort, api: string): boolean => kernel.status().services[api]?.state === 'live'

async function trial(): Promise<void> {
  for (const [path, text] of Object.entries(FILES)) write(path, text)
  const { kernel: old } = await loadKernel(world, incumbentKernel(), 1, EVALUATE_MS)
  await old.boot()
  await old.settled()
  await expect('the first call', 1, ask('steady', 'count'))
  const open = ask('held', 'wait')
  write('modules/held.ts', held(2))
  await ask('kernel', 'reload', 'held')
  const queued = ask('late', 'answer')
  tell({ kind: 'ready' })

  const { kernel } = await load(metaFile, 2)
  await old.pause(EVALUATE_MS)
  const state = old.exportState(kernel.reads)
  old.letGo()
  await kernel.adopt(state)
  const health = await kernel.health()
  if (!health.ok) throw coded('kernel_unwell', { reason: health.reason ?? 'it does not say why' }, { file: metaFile })
  await expect('a call by a handle from before, to an instance from before', 2, ask('steady', 'count'))
  await expect('a call of the version that serves', 2, ask('held', 'open'))
  await expect('a call that was open on a version that drains', 1, open)
  write('configs/missing.yml', 'prog: steady\n')
  await expect('a call that waited for its service', 42, queued)
  for (const api of ['steady', 'held', 'late', 'asker', 'missing']) {
    await expect(`${api} is live`, true, Promise.resolve(isLive(kernel, api)))
  }
  kernel.exportState(kernel.reads)
}

// A promise that never settles must look like one, and not like a thread that has nothing left to do.
parentPort?.on('message', silent)
trial().then(
  () => tell({ kind: 'passed' }),
  (thrown: unknown) => {
    const data = toErrorData(thrown)
    const place = data.file === undefined ? loader.placeOf(thrown) : undefined
    const reason = codeOf(thrown) === undefined || data.code === 'callee_error' ? data.message : undefined
    const file = place?.file ?? data.file ?? metaFile
    const error = reason === undefined ? data : toErrorData(coded('kernel_vet', { reason }))
    tell({ kind: 'failed', error: { ...error, ...place, file } })
  },
)
