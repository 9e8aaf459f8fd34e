/**
 * One simulated system: the real kernel on simulated files, time, watcher and modules, and everybody who calls it. All
 * that happens is written down; nothing here judges it.
 */
import type { ReloadResult } from '../../modules/contracts/kernel.ts'
import type { Clock, CreateWatcher, FileSystem, Log } from '../../modules/contracts/seams.ts'
import type { CallerRecord } from '../../modules/contracts/state.ts'
import { codeOf, reasonOf } from '../../modules/lib/errors.ts'
import { launchKernel, superviseKernels } from '../../modules/lib/supervise.ts'
import { createSwitchboard } from '../../modules/lib/switchboard.ts'
import type { Random } from '../support/load.ts'
import { SimClock } from './clock.ts'
import { History, type Answer, type Entry } from './history.ts'
import type { KernelInside, KernelMaker } from './kernel-copy.ts'
import { KERNEL_FILE, kernelOf, readKernel, writeKernel } from './kernels.ts'
import { SimLoader } from './loader.ts'
import { MemoryFileSystem } from './memory-fs.ts'
import type { Stage } from './modules.ts'
import { hearing, type Hearing } from './watcher.ts'

export const ROOT = '/sim'
export const META_FILE = 'configs/meta-v1.0.0.yml'
export const META_TEXT = 'prog: kernel\n'
const BOOT_MS = 10_000
/** shorter than the real one, so that many kernels are confirmed */
const PROBATION_MS = 3_000
export const at = (path: string): string => `${ROOT}/${path}`

export interface WorldOptions {
  Kernel: KernelMaker
  random: Random
  hearing: Hearing
  /** files that are there already: copied */
  from?: MemoryFileSystem
}

/** What of an event the rules look at. */
interface EventData {
  api?: string
  generation?: number
  state?: string
  rolled_back?: boolean
  error?: { code: string } | null
}

export interface CallExtras {
  deadlineMs?: number
  detail?: boolean
  signal?: AbortSignal
  /** a stream's reader leaves after so many items */
  items?: number
}

type AnyHandle = Record<string, (...args: unknown[]) => Promise<unknown>> & { with(options: object): AnyHandle }

export class World implements Stage {
  readonly clock = new SimClock()
  readonly fs: MemoryFileSystem
  readonly history: History
  readonly loader: SimLoader
  readonly switchboard = createSwitchboard()
  /** calls and requests that have no answer yet */
  readonly open = new Set<number>()
  /** every kernel that was made, with its text */
  private readonly made = new Map<object, string>()
  private readonly hearing: CreateWatcher
  private readonly callers = new Map<string, CallerRecord>()
  private numbers = 0
  /** calls under way in modules: their callers may have given up */
  inside = 0

  constructor(options: WorldOptions) {
    this.clock.onThrow = (thrown) => this.broke(`a callback threw ${reasonOf(thrown)} ${placesOf(thrown)}`)
    this.fs = options.from?.copy(this.clock) ?? new MemoryFileSystem(this.clock)
    this.history = new History(this.clock.monotonic)
    for (const folder of ['configs', 'modules', 'prompts', 'runtime']) this.fs.mkdir(at(folder))
    if (this.fs.textOf(at(META_FILE)) === undefined) this.fs.put(at(META_FILE), META_TEXT)
    if (this.fs.textOf(at(KERNEL_FILE)) === undefined) this.fs.put(at(KERNEL_FILE), writeKernel(0))
    this.loader = new SimLoader({
      fs: this.fs,
      clock: this.clock,
      stage: this,
      modules: at('modules'),
      kernel: (text) => ({ Kernel: this.kernelClass(options.Kernel, text) }),
    })
    this.hearing = hearing(this.fs, this.clock, options.random, options.hearing)
  }

  /** The kernel that runs. */
  get kernel(): KernelInside {
    return this.switchboard.kernel as KernelInside
  }

  /** The text of the file it was made from. */
  get kernelText(): string {
    return this.made.get(this.kernel) ?? ''
  }

  /** The bootloader's part: the first kernel, and watching those that take over. */
  async boot(): Promise<void> {
    const { clock, fs, loader, switchboard } = this
    const seams: { clock: Clock; fs: FileSystem } = { clock, fs }
    const places = { root: ROOT, packageRoot: ROOT, log: this.createLog(), safe: false, watcher: this.hearing }
    const world = { ...seams, ...places, loader, switchboard, fallbacks: [] }
    const first = await launchKernel(world, BOOT_MS)
    void superviseKernels(world, first, PROBATION_MS, () => {}).catch((thrown: unknown) =>
      this.broke(`the supervisor ended: ${String(thrown)}`),
    )
  }

  private kernelClass(Kernel: KernelMaker, text: string): KernelMaker {
    return kernelOf(Kernel, readKernel(text)?.fault, (kernel) => {
      if (this.made.size === 0) this.listen(kernel)
      this.made.set(kernel, text)
    })
  }

  /** Who listens goes over from kernel to kernel. */
  private listen(kernel: KernelInside): void {
    kernel.events.on('*', ({ type, data }) => {
      const { api, generation, state, error, rolled_back } = data as EventData
      const mode = this.kernel.services.get(String(api))?.live?.mode
      const rolledBack = rolled_back === true
      this.record({ kind: 'machine', type, api: String(api), generation, state, rolledBack, code: error?.code, mode })
    })
  }

  /** The kernel's log is silent, but for what it calls its own defect. */
  private createLog(): Log {
    const nothing = (): void => {}
    const error = (message: string, fields?: Record<string, unknown>): void => {
      if (message.startsWith('a movement broke')) this.broke(`${message} ${String(fields?.['stack'] ?? '')}`)
    }
    const log: Log = { debug: nothing, info: nothing, warn: nothing, error, child: () => log }
    return log
  }

  // --- the stage of the modules -------------------------------------------------------------------------------------

  record(entry: Entry): void {
    if (entry.kind === 'entered') this.inside++
    if (entry.kind === 'left') this.inside--
    this.history.add(entry)
  }

  broke(what: string): void {
    this.record({ kind: 'broke', what })
  }

  number(): number {
    return ++this.numbers
  }

  wait(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve()
    return new Promise((resolve) => void this.clock.after(ms, resolve))
  }

  private stateOf(api: string): string {
    return this.kernel.services.get(api)?.state ?? 'absent'
  }

  /** One call, to its end. Never rejects: resolves with the code of its failure. */
  async call(
    from: string,
    handle: object,
    api: string,
    method: string,
    args: unknown[],
    { items, ...options }: CallExtras = {},
  ): Promise<string | undefined> {
    const call = this.number()
    this.open.add(call)
    const { deadlineMs: deadline, signal } = options
    const aborts = signal !== undefined
    this.record({ kind: 'called', call, api, method, from, state: this.stateOf(api), deadline, aborts })
    const plain = handle as AnyHandle
    let answer: Answer | undefined
    let generation: number | undefined
    let code: string | undefined
    try {
      const callee = Object.keys(options).length === 0 ? plain : plain.with(options)
      const made = callee[method]?.(call, ...args)
      this.record({ kind: 'returned', call })
      if (method === 'stream') answer = await read(made as never, items)
      else if (options.detail === true) ({ result: answer, generation } = (await made) as never)
      else answer = (await made) as Answer
    } catch (thrown) {
      code = codeOf(thrown) ?? `none: ${reasonOf(thrown)}`
    }
    this.open.delete(call)
    this.record({
      kind: 'answered',
      call,
      state: this.stateOf(api),
      answer,
      code,
      ...(generation === undefined ? {} : { generation }),
    })
    return code
  }

  /** Asks the kernel for a change, and writes down what became of it. Never rejects. */
  async ask(_from: string, kernel: object, what: string, api: string): Promise<void> {
    const ask = this.number()
    this.open.add(ask)
    this.record({ kind: 'asked', ask, what, api })
    let told: { ok: boolean; code: string | undefined; state: string | undefined }
    try {
      const result = (await (kernel as AnyHandle)[what]?.(api)) as ReloadResult | undefined
      told = { ok: result?.ok ?? false, code: result?.error?.code, state: result?.state }
    } catch (thrown) {
      told = { ok: false, code: codeOf(thrown) ?? `none: ${reasonOf(thrown)}`, state: undefined }
    }
    this.open.delete(ask)
    this.record({ kind: 'told', ask, ...told })
  }

  // --- people outside -----------------------------------------------------------------------------------------------

  /** A handle as somebody outside holds it; the same one each time. */
  handle(from: string, api: string): object {
    const caller = this.callers.get(from) ?? createCaller(from)
    this.callers.set(from, caller)
    return this.kernel.calls.handleFor(caller, api, 'default')
  }

  callFrom(from: string, api: string, method: string, args: unknown[], extras?: CallExtras): void {
    void this.call(from, this.handle(from, api), api, method, args, extras)
  }

  askFrom(from: string, what: string, api: string): void {
    void this.ask(from, this.handle(from, 'kernel'), what, api)
  }

  /** Between two steps everything that was to happen at once has happened: nobody waits for what is live. */
  lookAtQueues(): void {
    for (const { api, state, queue } of this.kernel.services.values()) {
      if (state === 'live' && queue.length > 0) this.broke(`${api} is live, and ${queue.length} calls wait for it`)
    }
  }
}

/** The nearest places in the kernel's sources. */
const placesOf = (thrown: unknown): string =>
  [...String((thrown as Error).stack).matchAll(/modules\/(\S+?\.ts)\S*?(:\d+):\d+/g)]
    .slice(0, 4)
    .map(([, file, line]) => `${file}${line}`)
    .join(' < ')

const createCaller = (api: string): CallerRecord => ({
  api,
  generation: 1,
  stopped: false,
  handles: new Map(),
  edges: new Set(),
  waiting: new Map(),
  starting: undefined,
})

/** Reads a stream to its end, or leaves it after so many items. */
async function read(stream: AsyncIterable<Answer>, items = Number.POSITIVE_INFINITY): Promise<Answer | undefined> {
  let last: Answer | undefined
  for await (const item of stream) {
    if (item.n !== (last?.n ?? 0) + 1) throw Object.assign(new Error('an item is missing'), { code: 'sim_item_lost' })
    if (last !== undefined && item.instance !== last.instance) {
      throw Object.assign(new Error('another version goes on'), { code: 'sim_stream_mixed' })
    }
    last = item
    if (item.n >= items) break
  }
  return last
}
