/**
 * The process guests run in. It has an empty environment, reads no file but the isolates' native part, and speaks with its
 * parent over one pipe; when that closes it ends itself, as it does when a guest computes on after its end or memory runs
 * over: by SIGKILL, since nothing else ends a process with a thread that cannot be stopped. Its code is composed by
 * `process-place.ts`, which calls `serve`.
 */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { GuestLimits } from '../../contracts/sandbox.ts'
import type { BootData } from './guest/main.ts'
import { CONTROL, FramePipe, PACKET, type Frame } from './frames.ts'
import { loadIvm } from './ivm.ts'
import { GuestServer } from './server.ts'

/** To the child. */
export type Order =
  | { order: 'start'; ivm: string; bootstrap: string; rss_mb_max: number }
  | { order: 'text'; hash: string; text: string }
  | {
      order: 'open'
      limits: GuestLimits
      parts: { filename: string; hash: string }[]
      boot: Omit<BootData, 'seed'>
    }
  | { order: 'close' }
  | { order: 'usage'; id: number }

/** From the child. */
export type News =
  | { news: 'ready' }
  | { news: 'ended'; code: string; reason: string }
  | { news: 'fault'; name: string; message: string; stack: string }
  | { news: 'usage'; id: number; cpu_ms: number; heap_bytes: number }
  /** the process is about to end because of this guest */
  | { news: 'stuck' }
  | { news: 'memory'; rss_mb: number }
  /** the main thread lives */
  | { news: 'beat' }

/** The parent kills first; when it does not, this does. */
const SELF_KILL_MS = 100
const BEAT_MS = 500

const killSelf = (): void => {
  process.kill(process.pid, 'SIGKILL')
}

export function serve(fd: number): void {
  const socket = new Socket({ fd })
  const child = new Child(
    (frame) => pipe.write(frame.type, frame.guest, frame.text, frame.bytes),
    () => pipe.waiting,
  )
  const pipe = new FramePipe(socket, (frame) => child.take(frame), killSelf)
  for (const event of ['end', 'close', 'error'] as const) socket.on(event, killSelf)
  process.on('uncaughtException', (error) => {
    writeSync(2, `${error.stack ?? error.message}\n`)
    killSelf()
  })
}

class Child {
  private readonly write: (frame: Frame) => void
  private readonly waiting: () => number
  private readonly texts = new Map<string, string>()
  private server: GuestServer | undefined
  private bootstrap = ''
  private rssMax = 0

  constructor(write: (frame: Frame) => void, waiting: () => number) {
    this.write = write
    this.waiting = waiting
  }

  take({ type, guest, text, bytes }: Frame): void {
    if (type === PACKET) this.server?.deliver(guest, text, bytes)
    else this.obey(guest, JSON.parse(text) as Order)
  }

  private tell(guest: number, news: News): void {
    this.write({ type: CONTROL, guest, text: JSON.stringify(news), bytes: undefined })
  }

  private obey(guest: number, order: Order): void {
    switch (order.order) {
      case 'start':
        return this.start(order)
      case 'text':
        this.texts.set(order.hash, order.text)
        return
      case 'open': {
        const parts = order.parts.map(({ filename, hash }) => ({ filename, text: this.texts.get(hash) ?? '' }))
        this.server?.open(guest, order.limits, { bootstrap: this.bootstrap, parts, boot: order.boot })
        return
      }
      case 'close':
        this.server?.close(guest)
        return
      case 'usage':
        void this.server?.usage(guest)?.then(
          (usage) => this.tell(guest, { news: 'usage', id: order.id, ...usage }),
          () => this.tell(guest, { news: 'usage', id: order.id, cpu_ms: 0, heap_bytes: 0 }),
        )
        return
      default: {
        const never: never = order
        return never
      }
    }
  }

  private start({ ivm, bootstrap, rss_mb_max }: Extract<Order, { order: 'start' }>): void {
    this.bootstrap = bootstrap
    this.rssMax = rss_mb_max
    this.server = new GuestServer(loadIvm(ivm), {
      packet: (guest, text, bytes) => this.write({ type: PACKET, guest, text, bytes }),
      fault: (guest, error) => this.tell(guest, { news: 'fault', ...error }),
      ended: (guest, code, reason) => this.tell(guest, { news: 'ended', code, reason }),
      stuck: (guest) => this.last(guest, { news: 'stuck' }),
      waiting: this.waiting,
      looked: (busiest) => this.look(busiest),
    })
    setInterval(() => this.tell(0, { news: 'beat' }), BEAT_MS).unref()
    this.tell(0, { news: 'ready' })
  }

  private look(busiest: number): void {
    const rss_mb = process.memoryUsage.rss() / 1024 / 1024
    if (rss_mb > this.rssMax) this.last(busiest, { news: 'memory', rss_mb })
  }

  private last(guest: number, news: News): void {
    this.tell(guest, news)
    setTimeout(killSelf, SELF_KILL_MS)
  }
}
