/**
 * A kernel on a root of its own, seen from where modules stand: through the `KernelApi` of a service called `probe`,
 * through files, and through `KernelPort`. Nothing here reaches into a kernel. Ended by `dispose`.
 */
import type { KernelChange, ReloadResult, ServiceDetail } from '../../modules/contracts/kernel.ts'
import type { KernelOptions, KernelPort, Switchboard } from '../../modules/contracts/kernel-port.ts'
import type { KernelState } from '../../modules/contracts/kernel-state.ts'
import type { Handle, KernelApi, MachineEvent, UntypedService } from '../../modules/contracts/module.ts'
import type { FaultListener, Log } from '../../modules/contracts/seams.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { createSwitchboard } from '../../modules/lib/switchboard.ts'
import { ModuleLoader } from '../../modules/loader/loader.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

/** How a kernel is made: constructed, not booted. */
export type MakeKernel = (options: KernelOptions) => Promise<KernelPort>

/** From a file that exports a class `Kernel`, loaded as the bootloader loads it. */
export const kernelFrom =
  (path: string): MakeKernel =>
  async (options) => {
    const { loader } = options
    const scan = loader.scan(path)
    const evaluated = await loader.evaluate(scan, { service: 'kernel', generation: 1 }, { evaluate_ms: 20_000 })
    const { Kernel } = evaluated.exports as { Kernel: new (all: KernelOptions) => KernelPort }
    return new Kernel(options)
  }

export type KernelService = {
  show(api: string): ServiceDetail
  reload(api: string): Promise<ReloadResult>
  kernel(): { history: KernelChange[] }
  events(pattern?: string, since?: number): AsyncGenerator<MachineEvent>
  eventsSince(id: number, pattern?: string): MachineEvent[]
  tools(): { api: string; method: string }[]
}

export interface Bench {
  readonly root: TestRoot
  readonly switchboard: Switchboard
  readonly loader: ModuleLoader
  /** the one that runs */
  readonly kernel: KernelPort
  /** what the service `probe` was given */
  readonly api: KernelApi
  readonly system: Handle<KernelService>
  getApi<T extends object = UntypedService>(api: string): Handle<T>
  /** Resolves with the next event of the type that fits. */
  event(type: string, fits?: (data: Record<string, unknown>) => boolean): Promise<MachineEvent>
  /** Resolves when the service is live with at least this generation. */
  live(api: string, generation?: number): Promise<void>
  /** A kernel beside the one that runs. */
  make(make: MakeKernel, meta?: string): Promise<KernelPort>
  /** The hand-over as a kernel does it. Resolves with what was given. */
  handOver(next: KernelPort): Promise<KernelState>
  dispose(): Promise<void>
}

const PROBE = `
export class Module {
  constructor(kernel) { this.kernel = kernel }
  api() { return this.kernel }
}
`

const EVENT_MS = 15_000
/** Files are looked at often, so that no test waits for a sweep; who is slow to be told of a failure is told soon. */
const META = 'prog: kernel\nlimits: { sweep_ms: 50, restart_pause_ms: 20 }\n'

const silent = (): void => {}
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log }

/** `hostOf` is given what is told late errors. */
export async function startBench(
  make: MakeKernel,
  files: Record<string, string> = {},
  hostOf?: (fault: FaultListener) => KernelOptions['hostOf'],
): Promise<Bench> {
  const all = { 'configs/probe.yml': '', 'modules/probe.ts': PROBE, 'configs/meta-v1.0.0.yml': META, ...files }
  const root = createRoot(all)
  const switchboard = createSwitchboard()
  let kernel: KernelPort | undefined
  const fault: FaultListener = (thrown, owner) => kernel?.fault(thrown, 'exception', owner)
  const seams = { root: root.path, packageRoot, fs: realFileSystem, clock: realClock }
  const loader = new ModuleLoader({ ...seams, fault })
  const options = { ...seams, loader, switchboard, log, hostOf: hostOf?.(fault) }
  const limits = { sweep_ms: 50, restart_pause_ms: 20 }
  const makeOne: Bench['make'] = (way, metaFile = 'configs/meta-v1.0.0.yml') =>
    way({ ...options, safe: false, metaFile, meta: { prog: 'kernel', limits } })
  kernel = await makeOne(make)
  await kernel.boot()
  await kernel.settled()
  const api = (await switchboard.onRoute?.('probe', 'api', [])) as KernelApi
  const bench: Bench = {
    root,
    switchboard,
    loader,
    get kernel() {
      return kernel as KernelPort
    },
    api,
    system: api.getApi<KernelService>('kernel'),
    getApi: (name) => api.getApi(name),
    event: (type, fits = () => true) => nextEvent(api, type, fits),
    live: async (name, generation = 1) => {
      const isLive = (): boolean => {
        const now = bench.kernel.status().services[name]
        return now?.state === 'live' && (now.generation ?? 0) >= generation
      }
      while (!isLive()) await nextEvent(api, 'service.live', (data) => data['api'] === name)
    },
    make: makeOne,
    handOver: async (next) => {
      const before = bench.kernel
      await before.pause(EVENT_MS)
      const state = before.exportState(next.reads)
      before.letGo()
      const ready = next.adopt(state)
      kernel = next
      await ready
      return state
    },
    dispose: async () => {
      await bench.kernel.stop('the test has ended', 2_000)
      loader.dispose()
      root.dispose()
    },
  }
  return bench
}

function nextEvent(
  api: KernelApi,
  type: string,
  fits: (data: Record<string, unknown>) => boolean,
): Promise<MachineEvent> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      void leave()
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error(`no ${type} within ${EVENT_MS} ms`))
    }, EVENT_MS)
    const leave = api.events.on(type, (event) => {
      if (!fits(event.data)) return
      end()
      resolve(event)
    })
  })
}
