/**
 * A whole system in the test's own process: the real loader, the real kernel loaded through it, real files. Tests
 * drive it from the outside (files, handles, events) and wait on its events.
 */
import { join } from 'node:path'
import type { ReloadResult, ServiceDetail } from '../../modules/contracts/kernel.ts'
import type { KernelPort, Switchboard, VetKernel } from '../../modules/contracts/kernel-port.ts'
import type { Handle, MachineEvent, UntypedService } from '../../modules/contracts/module.ts'
import type { SandboxPort } from '../../modules/contracts/sandbox-port.ts'
import type { Clock, FaultListener, FileSystem, Log } from '../../modules/contracts/seams.ts'
import type { CallerRecord, ServiceRecord } from '../../modules/contracts/state.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { createSwitchboard } from '../../modules/lib/switchboard.ts'
import { ModuleLoader } from '../../modules/loader/loader.ts'
import { readMeta } from '../../modules/lib/meta-files.ts'
import { CodeCache } from './code-cache.ts'
import { createRoot, packageRoot, type TestRoot } from './root.ts'

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  code: string | undefined
}

/** What a test may reach inside the kernel: the parts that have no way from outside. */
interface KernelInside extends KernelPort {
  readonly services: ReadonlyMap<string, ServiceRecord>
  readonly events: {
    on(pattern: string, callback: (event: MachineEvent) => void): () => void
    since(id: number): MachineEvent[]
    readonly subscriberCount: number
  }
  readonly calls: { handleFor(caller: CallerRecord, api: string, aspect: string): object }
  reload(api: string): Promise<ReloadResult>
}

export interface TestSystem {
  readonly root: TestRoot
  /** the one that runs: another after a swap */
  readonly kernel: KernelInside
  readonly loader: ModuleLoader
  readonly switchboard: Switchboard
  readonly log: LogLine[]
  /** A handle as a service called `test` would hold it. */
  getApi<T extends object = UntypedService>(api: string): Handle<T>
  show(api: string): Promise<ServiceDetail>
  /** Resolves with the next event of the type that fits. */
  event(type: string, fits?: (data: Record<string, unknown>) => boolean): Promise<MachineEvent>
  /** The same, or with one that has happened already. */
  happened(type: string, fits?: (data: Record<string, unknown>) => boolean): Promise<MachineEvent>
  /** Resolves when the service's live generation is at least `generation`. */
  live(api: string, generation?: number): Promise<void>
  reload(api: string): Promise<ReloadResult>
  stop(): Promise<void>
}

const EVENT_MS = 15_000

interface SystemOptions {
  settle?: boolean
  fs?: FileSystem
  clock?: Clock
  vet?: (root: string) => VetKernel
  /** ended by who made them */
  sandboxes?: (options: { root: string; fault: FaultListener; log: Log }) => SandboxPort
}

/** The real one, but it waits for the disk less often: only a power cut could tell, and none comes here. */
const unflushed: FileSystem = {
  ...realFileSystem,
  writeLater: (path, text, options) => realFileSystem.writeLater(path, text, { ...options, flush: false }),
}

/** `settle: false`: without waiting for the services of the first plan. */
export async function startSystem(
  files: Record<string, string> | TestRoot = {},
  { settle = true, fs = unflushed, clock = realClock, vet, sandboxes }: SystemOptions = {},
): Promise<TestSystem> {
  const root =
    'path' in files && typeof files.dispose === 'function'
      ? (files as TestRoot)
      : createRoot(files as Record<string, string>)
  const lines: LogLine[] = []
  const log = createTestLog(lines)
  const switchboard = createSwitchboard()
  let kernel: KernelInside | undefined
  const cache = new CodeCache()
  const fault: FaultListener = (thrown, owner) => kernel?.fault(thrown, 'exception', owner)
  const loader = new ModuleLoader({ cache, root: root.path, packageRoot, fs: realFileSystem, clock, fault })
  const scan = loader.scan(join(packageRoot, 'modules', 'kernel', 'kernel.ts'))
  const evaluated = await loader.evaluate(scan, { service: 'kernel', generation: 0 }, { evaluate_ms: 10_000 })
  const { Kernel } = evaluated.exports as { Kernel: new (options: object) => KernelInside }
  const metaFile = 'configs/meta-v1.0.0.yml'
  kernel = new Kernel({
    root: root.path,
    packageRoot,
    metaFile,
    meta: readMeta(metaFile, root.read(metaFile)),
    loader,
    switchboard,
    clock,
    fs,
    log,
    safe: false,
    vet: vet?.(root.path),
    sandboxes: sandboxes?.({ root: root.path, fault, log }),
  })
  await kernel.boot()
  if (settle) await kernel.settled()
  cache.save()
  const first = kernel
  const running = (): KernelInside => (switchboard.kernel as KernelInside | undefined) ?? first
  const caller: CallerRecord = {
    api: 'test',
    generation: 1,
    stopped: false,
    handles: new Map(),
    edges: new Set(),
    waiting: new Map(),
    starting: undefined,
  }
  const getApi = <T extends object>(api: string): Handle<T> =>
    running().calls.handleFor(caller, api, 'default') as unknown as Handle<T>
  const system: TestSystem = {
    root,
    get kernel() {
      return running()
    },
    loader,
    switchboard,
    log: lines,
    getApi,
    show: (api) => getApi<{ show(api: string): ServiceDetail }>('kernel').show(api),
    event: (type, fits = () => true) => waitForEvent(running(), type, fits),
    happened: async (type, fits = () => true) => {
      const known = running()
        .events.since(0)
        .find((event) => event.type === type && fits(event.data))
      return known ?? waitForEvent(running(), type, fits)
    },
    live: async (api, generation = 1) => {
      const now = running().status().services[api]
      if (now?.state === 'live' && (now.generation ?? 0) >= generation) return
      await waitForEvent(
        running(),
        'service.live',
        (data) => data['api'] === api && Number(data['generation']) >= generation,
      )
    },
    reload: (api) => running().reload(api),
    stop: async () => {
      await running().stop('test', 2_000)
      evaluated.release()
      loader.dispose()
      root.dispose()
    },
  }
  return system
}

function waitForEvent(
  kernel: KernelInside,
  type: string,
  fits: (data: Record<string, unknown>) => boolean,
): Promise<MachineEvent> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      leave()
      const seen = kernel.events
        .since(0)
        .slice(-15)
        .map((event) => `${event.type} ${JSON.stringify(event.data)}`)
      reject(new Error(`no ${type} within ${EVENT_MS} ms; last events:\n${seen.join('\n')}`))
    }, EVENT_MS)
    const leave = kernel.events.on(type, (event) => {
      if (!fits(event.data)) return
      clearTimeout(timer)
      leave()
      resolve(event)
    })
  })
}

function createTestLog(lines: LogLine[]): Log {
  const write =
    (level: LogLine['level']) =>
    (message: string, fields?: Record<string, unknown>): void => {
      lines.push({ level, message, code: fields?.['code'] as string | undefined })
    }
  const log: Record<string, unknown> = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
  log['child'] = () => log
  return log as unknown as Log
}

/** The error a promise rejects with; fails when it resolves. */
export async function rejection(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; hint: string; file?: string; line?: number; column?: number }> {
  try {
    await work
  } catch (error) {
    return error as { code: string; message: string; hint: string }
  }
  throw new Error('it did not reject')
}
