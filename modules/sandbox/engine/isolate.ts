/**
 * One guest where it runs: an isolate with one context, the one callback out of it and the one function into it. Every
 * entry has a timeout, and its processor time is looked at from outside (`watch`). What breaks a limit is disposed of and
 * is dead for good. Lives in a child process, or in the kernel's for `inline`. Made by `server.ts`.
 */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { GuestLimits } from '../../contracts/sandbox.ts'
import type { BootData } from './guest/main.ts'
import { LOCAL } from './guest/channel.ts'
import { Decoder } from './guest/decode.ts'
import { flatten } from './guest/errors.ts'
import { digest } from './digest.ts'
import { computedSince, processCpu, type Mark } from './computed.ts'
import { Fall } from './fall.ts'
import { CpuShare } from './cpu-share.ts'
import type { EntryRef, Ivm, IvmIsolate } from './ivm.ts'

export interface GuestCode {
  bootstrap: string
  /** scripts of the program, each adds its files */
  parts: readonly { filename: string; text: string }[]
  boot: Omit<BootData, 'seed'>
}

export type EndCode = 'sandbox_cpu' | 'sandbox_memory' | 'sandbox_flood' | 'sandbox_crashed'

export interface IsolateEvents {
  packet(text: string, bytes: Uint8Array | undefined): void
  /** An unhandled rejection: nobody's question. */
  fault(error: { name: string; message: string; stack: string }): void
  /** Once; nothing is told afterwards, but `stuck`. */
  ended(code: EndCode, reason: string): void
  /** It has ended and computes on: only the end of the process stops it. */
  stuck(): void
  /** Bytes on their way that nobody has taken. */
  waiting(): number
  /** An entry begins: it is to be looked at until it ends. */
  entered(): void
}

/** Outside of every entry there is nothing to compute but a collection of garbage. */
const IDLE_CPU_MS = 100
/** Making an isolate ready takes a few ms; on a machine with far too much to do, many more. */
const OPENING_CPU_MS = 2_000
const UNTAKEN_BYTES_MAX = 64 * 1024 * 1024
/** Messages in one entry: few enough that many small ones do not look like one long one. */
const BATCH_MAX = 32
const BATCH_CPU_MS = 2

export class IsolateGuest {
  readonly limits: GuestLimits
  private readonly events: IsolateEvents
  private readonly isolate: IvmIsolate
  private readonly ivm: Ivm
  private readonly fall: Fall
  private entry: EntryRef | undefined
  private queue: { text: string; bytes: Uint8Array | undefined }[] = []
  private batch = 1
  private entered: Mark | undefined
  private ended = false
  private packets = 0
  private bytes = 0
  private timer: NodeJS.Timeout | undefined
  private wakesAt = Infinity
  /** of one entry; while it is opened only our own code runs */
  private cpuMax = OPENING_CPU_MS
  private idle: Mark = { cpu: 0, process: 0 }
  private lastCpu = 0
  private readonly share: CpuShare

  constructor(ivm: Ivm, limits: GuestLimits, events: IsolateEvents) {
    this.ivm = ivm
    this.limits = limits
    this.events = events
    this.share = new CpuShare(limits.cpu_share)
    this.isolate = new ivm.Isolate({
      memoryLimit: limits.memory_mb,
      onCatastrophicError: (message) => this.catastrophe(String(message)),
    })
    this.fall = new Fall(this.isolate, {
      isEntered: () => this.isEntered,
      cpu: () => this.cpu(),
      stuck: () => events.stuck(),
    })
  }

  /** V8 disposes of an isolate by itself when its memory is at the limit: there is nothing to ask then. */
  private cpu(): number {
    if (!this.isolate.isDisposed) this.lastCpu = Number(this.isolate.cpuTime) / 1e6
    return this.lastCpu
  }

  private readonly mark = (): Mark => ({ cpu: this.cpu(), process: processCpu() })

  private get timeout(): number {
    return this.cpuMax * 4 + 1_000
  }

  /** Resolves when packets can be delivered. Never rejects: what goes wrong is told by `ended`. */
  async open({ bootstrap, parts, boot }: GuestCode): Promise<void> {
    const callback = new this.ivm.Callback(
      (to: number, count: number, text: string, bytes: Uint8Array | undefined) => this.sent(to, count, text, bytes),
      { ignored: true },
    )
    const data = JSON.stringify({ ...boot, seed: randomBytes(32).toString('hex') })
    try {
      const { timeout } = this
      const context = await this.isolate.createContext()
      this.enter()
      this.entry = await context.evalClosure(bootstrap, [callback, data, parts.length], {
        timeout,
        filename: 'sandbox:guest',
        result: { reference: true, promise: true },
      })
      for (const { filename, text } of parts) {
        this.enter()
        await context.eval(text, { timeout, filename })
      }
      this.left()
      this.cpuMax = this.limits.cpu_ms
      this.pump()
    } catch (thrown) {
      this.left()
      this.failed(thrown, true)
    }
  }

  deliver(text: string, bytes: Uint8Array | undefined): void {
    if (this.ended) return
    this.queue.push({ text, bytes })
    this.pump()
  }

  private pump(): void {
    if (this.entered !== undefined || this.ended || this.entry === undefined || this.queue.length === 0) return
    const taken = this.queue.splice(0, this.batch)
    const args: (string | Uint8Array | undefined)[] = []
    let copies = false
    for (const { text, bytes } of taken) {
      args.push(text, bytes)
      copies ||= bytes !== undefined
    }
    const { timeout, entry } = this
    this.enter()
    entry.apply(undefined, args, copies ? { timeout, arguments: { copy: true } } : { timeout }).then(
      () => this.done(),
      (thrown: unknown) => {
        this.left()
        this.failed(thrown, false)
        this.pump()
      },
    )
  }

  private enter(): void {
    this.packets = 0
    this.bytes = 0
    this.entered = this.mark()
    this.events.entered()
  }

  private left(): number {
    const used = this.enteredCpu
    this.entered = undefined
    this.idle = this.mark()
    if (this.ended) this.fall.settled()
    return used
  }

  private done(): void {
    const used = this.left()
    this.batch = used > BATCH_CPU_MS ? 1 : Math.min(this.batch * 2, BATCH_MAX)
    this.pump()
  }

  private failed(thrown: unknown, isOpening: boolean): void {
    if (this.ended) return
    const { name, message, stack } = flatten(thrown)
    if (/memory limit/i.test(message)) return this.end('sandbox_memory', `more than ${this.limits.memory_mb} MB`)
    if (/timed out/i.test(message)) return this.end('sandbox_cpu', this.cpuReason)
    if (isOpening || this.isolate.isDisposed) return this.end('sandbox_crashed', message)
    this.events.fault({ name, message, stack })
  }

  private get cpuReason(): string {
    return `one entry took more than ${this.limits.cpu_ms} ms of processor time`
  }

  /** V8 gave up on it, beyond repair: its thread never comes back. */
  private catastrophe(message: string): void {
    this.end(/memory|heap/i.test(message) ? 'sandbox_memory' : 'sandbox_crashed', message)
    this.events.stuck()
  }

  /** Of what comes out nothing is read here but what is meant for this place. */
  private sent(to: number, count: number, text: string, bytes: Uint8Array | undefined): void {
    if (this.ended) return
    const isPacket = typeof text === 'string' && (bytes === undefined || bytes instanceof Uint8Array)
    if (!isPacket || typeof count !== 'number') return this.end('sandbox_crashed', 'it sent what is no message')
    this.packets++
    this.bytes += text.length + (bytes?.length ?? 0)
    const { messages_max, message_bytes_max } = this.limits
    // The bootstrap keeps to less: this one has been got around.
    const isOver = this.packets > messages_max * 2 || this.bytes > message_bytes_max * 16
    if (isOver || this.events.waiting() > UNTAKEN_BYTES_MAX)
      return this.end('sandbox_flood', 'more messages than are taken')
    if (to !== LOCAL) return this.events.packet(text, bytes)
    try {
      this.local(JSON.parse(text) as unknown[], bytes)
    } catch {
      this.end('sandbox_crashed', 'it sent what is no message')
    }
  }

  private local([kind, first, _what, body]: unknown[], bytes: Uint8Array | undefined): void {
    switch (kind) {
      case 'w':
        return this.wakeAfter(Number(first))
      case 'f':
        return this.end('sandbox_flood', `more than ${this.limits.messages_max} messages at once`)
      case 'b':
        return this.end('sandbox_crashed', 'it changed what its own bootstrap stands on')
      case 'q': {
        const { algorithm, bytes: data } = new Decoder(bytes).value(body) as { algorithm: string; bytes: Uint8Array }
        void digest(Number(first), String(algorithm), data).then((made) => this.deliver(made.text, made.bytes))
      }
    }
  }

  private wakeAfter(ms: number): void {
    const at = performance.now() + ms
    if (!(at < this.wakesAt)) return
    clearTimeout(this.timer)
    this.wakesAt = at
    this.timer = setTimeout(() => {
      this.wakesAt = Infinity
      this.deliver('[["w"]]', undefined)
    }, ms)
  }

  /** Looked at often while something is entered, and now and then otherwise. */
  watch(): void {
    if (this.ended) return
    if (this.entered !== undefined) {
      if (this.enteredCpu > this.cpuMax) this.end('sandbox_cpu', this.cpuReason)
      return
    }
    if (this.entry === undefined) return
    const now = this.mark()
    // What the rest of the process did while nothing was computed here is not the guest's.
    if (now.cpu <= this.idle.cpu) this.idle = now
    else if (computedSince(this.idle, now) > IDLE_CPU_MS)
      this.end('sandbox_cpu', 'it went on computing outside of every call')
  }

  /** Once a second. */
  watchShare(): void {
    if (this.ended || !this.share.isOver(this.cpu())) return
    this.end('sandbox_cpu', this.share.reason)
  }

  get isEntered(): boolean {
    return this.entered !== undefined
  }

  /** What it computed since the entry it is in began. */
  get enteredCpu(): number {
    return this.entered === undefined ? 0 : computedSince(this.entered, this.mark())
  }

  async usage(): Promise<{ cpu_ms: number; heap_bytes: number }> {
    const cpu_ms = this.cpu()
    const { used_heap_size, externally_allocated_size } = await this.isolate.getHeapStatistics()
    return { cpu_ms, heap_bytes: used_heap_size + externally_allocated_size }
  }

  /** It broke a limit: nothing of it runs on. */
  end(code: EndCode, reason: string): void {
    if (this.ended) return
    this.stop()
    this.events.ended(code, reason)
    this.fall.now()
  }

  /** Nobody wants it any more. An entry that is just over, or still waits for a thread, is let be. */
  close(): void {
    if (this.ended) return
    this.stop()
    this.fall.soon()
  }

  private stop(): void {
    this.ended = true
    clearTimeout(this.timer)
    this.queue = []
    this.entry = undefined
  }
}
