/**
 * A child process with guests in it. Its environment is empty and Node's permission model is on, as a second layer. It is
 * watched from here: what it says of itself, that it says anything at all, and its memory. It ends by SIGKILL, at once; each
 * guest is told once, with the cause for whoever was it and `sandbox_host_died` for the others.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs'
import type { Socket } from 'node:net'
import type { ErrorData } from '../../contracts/errors.ts'
import type { Guest, GuestEvents, GuestLimits, GuestPlace, GuestProgram } from '../../contracts/sandbox.ts'
import type { Clock } from '../../contracts/seams.ts'
import { coded, fromErrorData, toErrorData } from '../../lib/errors.ts'
import { giveWay } from '../../lib/give-way.ts'
import type { News, Order } from './child.ts'
import { CONTROL, FramePipe, PACKET, type Frame } from './frames.ts'
import type { GuestClient } from './guest-client.ts'
import { INTERRUPTIBLE_FLAGS } from './interruptible-loops.ts'
import { ownCode } from './own-code.ts'
import { bootstrapText, openGuest, type MakeClient, type StartCode } from './place.ts'

const START_MS = 10_000
/** A main thread that says nothing for so long is not one any more; no guest runs on it. A busy machine takes its time. */
const SILENT_MS = 10_000
const LOOK_MS = 250
const STDERR_CHARS_MAX = 2_000

interface Held {
  client: GuestClient
  service: string
  usages: Map<number, (usage: { cpu_ms: number; heap_bytes: number }) => void>
}

const childText = (): string => `${ownCode('child', '(name) => import(name)')}\nmain.serve(3);\n`

/** Which flags this Node's permission model has. */
function permissionFlags(ivmPath: string): string[] {
  const major = Number(process.versions.node.split('.')[0])
  const flag = major < 23 ? '--experimental-permission' : '--permission'
  return [flag, '--allow-addons', `--allow-fs-read=${ivmPath}`, '--no-warnings']
}

export class ProcessPlace implements GuestPlace {
  readonly kind = 'process'
  readonly ended: Promise<ErrorData>
  private readonly child: ChildProcess
  private readonly pipe: FramePipe
  private readonly clock: Clock
  private readonly held = new Map<number, Held>()
  private readonly sent = new Set<string>()
  private readonly rssMax: number
  private lastId = 0
  private lastHeard: number
  private reason: ErrorData | undefined
  private stderr = ''
  private watcher: NodeJS.Timeout | undefined
  private resolveEnd: (error: ErrorData) => void = () => {}
  private onReady: () => void = () => {}

  /** Resolves when it is ready for guests. */
  static async start(options: { ivmPath: string; clock: Clock; rss_mb_max: number }): Promise<ProcessPlace> {
    const place = new ProcessPlace(options)
    const ready = new Promise<void>((resolve) => {
      place.onReady = resolve
    })
    const late = options.clock.after(START_MS, () => place.kill(place.died('it did not start')), { ref: false })
    const failed = await Promise.race([ready, place.ended])
    options.clock.clear(late)
    if (failed !== undefined) throw fromErrorData(failed)
    return place
  }

  private constructor({ ivmPath, clock, rss_mb_max }: { ivmPath: string; clock: Clock; rss_mb_max: number }) {
    this.clock = clock
    this.rssMax = rss_mb_max
    this.lastHeard = clock.monotonic()
    this.ended = new Promise((resolve) => {
      this.resolveEnd = resolve
    })
    const flags = [
      '--no-node-snapshot',
      ...INTERRUPTIBLE_FLAGS,
      ...permissionFlags(ivmPath),
      '--input-type=module',
      '-',
    ]
    this.child = spawn(process.execPath, flags, { env: {}, cwd: '/', stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
    this.child.on('error', (error) => this.over(this.died(error.message)))
    this.child.on('exit', (code, signal) => this.over(this.died(this.exitReason(code, signal))))
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + String(chunk)).slice(-STDERR_CHARS_MAX)
    })
    const socket = this.child.stdio[3] as Socket
    socket.on('error', () => undefined)
    this.pipe = new FramePipe(
      socket,
      (frame) => this.take(frame),
      () => this.kill(this.died('it sent what is no message')),
    )
    this.child.stdin?.on('error', () => undefined)
    this.child.stdin?.end(childText())
    this.order(0, { order: 'start', ivm: ivmPath, bootstrap: bootstrapText(), rss_mb_max })
  }

  private exitReason(code: number | null, signal: NodeJS.Signals | null): string {
    const lines = this.stderr.trim().split('\n')
    const last = lines.find((line) => /error|fatal/i.test(line)) ?? lines.at(-1) ?? ''
    return `it ended by ${signal ?? `exit code ${code ?? 0}`}${last === '' ? '' : `: ${last}`}`
  }

  private died(reason: string): ErrorData {
    return toErrorData(coded('sandbox_host_died', { reason }))
  }

  get pid(): number | undefined {
    return this.reason === undefined ? this.child.pid : undefined
  }

  get guests(): number {
    return this.held.size
  }

  private order(guest: number, order: Order): void {
    this.pipe.write(CONTROL, guest, JSON.stringify(order))
  }

  giveWay(): void {
    if (this.pid !== undefined) giveWay(this.pid, 'process')
  }

  open(program: GuestProgram, limits: GuestLimits, events: GuestEvents): Promise<Guest> {
    if (this.reason !== undefined) return Promise.reject(fromErrorData(this.reason))
    const { clock } = this
    const { service } = program.owner
    return openGuest({
      program,
      limits,
      events,
      clock,
      start: (make, code) => this.startGuest(make, code, limits, service),
    })
  }

  private startGuest(make: MakeClient, { parts, boot }: StartCode, limits: GuestLimits, service: string): GuestClient {
    const id = ++this.lastId
    const usages: Held['usages'] = new Map()
    const client = make({
      send: (text, bytes) => this.pipe.write(PACKET, id, text, bytes),
      close: () => {
        this.held.delete(id)
        this.order(id, { order: 'close' })
        for (const resolve of usages.values()) resolve(NO_USAGE)
      },
      usage: () =>
        new Promise((resolve) => {
          const number = ++this.lastId
          usages.set(number, resolve)
          this.order(id, { order: 'usage', id: number })
        }),
    })
    this.held.set(id, { client, service, usages })
    for (const { hash, text } of parts) {
      if (this.sent.has(hash)) continue
      this.sent.add(hash)
      this.order(0, { order: 'text', hash, text })
    }
    this.order(id, { order: 'open', limits, boot, parts: parts.map(({ filename, hash }) => ({ filename, hash })) })
    this.watch()
    return client
  }

  private take({ type, guest, text, bytes }: Frame): void {
    this.lastHeard = this.clock.monotonic()
    if (type === PACKET) {
      this.held.get(guest)?.client.receive(text, bytes)
      return
    }
    try {
      this.hear(guest, JSON.parse(text) as News)
    } catch {
      this.kill(this.died('it sent what is no message'))
    }
  }

  private hear(guest: number, news: News): void {
    const held = this.held.get(guest)
    switch (news.news) {
      case 'ready':
        return this.onReady()
      case 'beat':
        return
      case 'fault':
        return held?.client.fault({ name: news.name, message: news.message, stack: news.stack })
      case 'usage': {
        const resolve = held?.usages.get(news.id)
        held?.usages.delete(news.id)
        resolve?.({ cpu_ms: news.cpu_ms, heap_bytes: news.heap_bytes })
        return
      }
      case 'ended':
        this.held.delete(guest)
        return held?.client.end(endOf(held.service, news.code, news.reason))
      case 'stuck':
        return this.kill(this.died('code in it could not be stopped'))
      case 'memory': {
        const reason = `its process takes more than ${this.rssMax} MB`
        held?.client.end(endOf(held.service, 'sandbox_memory', reason))
        return this.kill(this.died(reason))
      }
      default: {
        const never: never = news
        return never
      }
    }
  }

  private watch(): void {
    if (this.watcher !== undefined) return
    this.lastHeard = this.clock.monotonic()
    this.watcher = setInterval(() => this.look(), LOOK_MS)
    this.watcher.unref()
  }

  private look(): void {
    if (this.held.size === 0) {
      clearInterval(this.watcher)
      this.watcher = undefined
      return
    }
    if (this.clock.monotonic() - this.lastHeard > SILENT_MS) return this.kill(this.died('it does not answer'))
    const { pid } = this
    if (pid === undefined || process.platform !== 'linux') return
    readFile(`/proc/${pid}/statm`, 'utf8', (error, text) => {
      const rss_mb = error === null ? (Number(text.split(' ')[1]) * 4_096) / 1024 / 1024 : 0
      if (rss_mb > this.rssMax) this.kill(this.died(`it takes more than ${this.rssMax} MB`))
    })
  }

  kill(reason: ErrorData): void {
    this.child.kill('SIGKILL')
    this.over(reason)
  }

  private over(reason: ErrorData): void {
    if (this.reason !== undefined) return
    this.reason = reason
    clearInterval(this.watcher)
    for (const { client, usages } of this.held.values()) {
      for (const resolve of usages.values()) resolve(NO_USAGE)
      client.end(reason)
    }
    this.held.clear()
    this.resolveEnd(reason)
  }
}

const NO_USAGE = { cpu_ms: 0, heap_bytes: 0 }

const END_CODES = ['sandbox_cpu', 'sandbox_memory', 'sandbox_flood', 'sandbox_crashed'] as const

function endOf(api: string, code: string, reason: string): ErrorData {
  const known = END_CODES.find((one) => one === code) ?? 'sandbox_crashed'
  return toErrorData(coded(known, { api, reason }))
}
