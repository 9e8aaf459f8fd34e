/**
 * The guests of one place: opens, feeds, watches and ends them. The same in a child process and in the kernel's own; what
 * differs stands in `ServerEvents`.
 */
import { performance } from 'node:perf_hooks'
import type { GuestLimits } from '../../contracts/sandbox.ts'
import { IsolateGuest, type EndCode, type GuestCode } from './isolate.ts'
import type { Ivm } from './ivm.ts'

export interface ServerEvents {
  packet(guest: number, text: string, bytes: Uint8Array | undefined): void
  fault(guest: number, error: { name: string; message: string; stack: string }): void
  ended(guest: number, code: EndCode, reason: string): void
  stuck(guest: number): void
  waiting(): number
  /** While anything is entered, and once a second. */
  looked?(busiest: number): void
}

const WATCH_MS = 10
const IDLE_WATCH_MS = 250
const SHARE_MS = 1_000

export class GuestServer {
  private readonly ivm: Ivm
  private readonly events: ServerEvents
  private readonly guests = new Map<number, IsolateGuest>()
  private readonly slow: NodeJS.Timeout
  private fast: NodeJS.Timeout | undefined
  private shareAt = 0

  constructor(ivm: Ivm, events: ServerEvents) {
    this.ivm = ivm
    this.events = events
    this.slow = setInterval(() => this.watchAll(), IDLE_WATCH_MS)
    this.slow.unref()
  }

  open(id: number, limits: GuestLimits, code: GuestCode): void {
    const { events } = this
    const guest = new IsolateGuest(this.ivm, limits, {
      packet: (text, bytes) => events.packet(id, text, bytes),
      fault: (error) => events.fault(id, error),
      ended: (ended, reason) => {
        this.guests.delete(id)
        events.ended(id, ended, reason)
      },
      stuck: () => events.stuck(id),
      waiting: () => events.waiting(),
      entered: () => this.watchSoon(),
    })
    this.guests.set(id, guest)
    void guest.open(code)
  }

  deliver(id: number, text: string, bytes: Uint8Array | undefined): void {
    this.guests.get(id)?.deliver(text, bytes)
  }

  close(id: number): void {
    this.guests.get(id)?.close()
    this.guests.delete(id)
  }

  usage(id: number): Promise<{ cpu_ms: number; heap_bytes: number }> | undefined {
    return this.guests.get(id)?.usage()
  }

  /** While anything is entered; an entry that is over by then costs one look at most. */
  private watchSoon(): void {
    this.fast ??= setTimeout(() => {
      this.fast = undefined
      this.watchEntered()
    }, WATCH_MS)
  }

  private watchEntered(): void {
    let busiest = 0
    let most = -1
    for (const [id, guest] of this.guests) {
      if (!guest.isEntered) continue
      if (guest.enteredCpu > most) {
        most = guest.enteredCpu
        busiest = id
      }
      guest.watch()
    }
    if (most < 0) return
    this.events.looked?.(busiest)
    this.watchSoon()
  }

  private watchAll(): void {
    const now = performance.now()
    const isShare = now - this.shareAt >= SHARE_MS
    if (isShare) this.shareAt = now
    for (const guest of this.guests.values()) {
      guest.watch()
      if (isShare) guest.watchShare()
    }
    if (isShare) this.events.looked?.(0)
  }

  stop(): void {
    clearInterval(this.slow)
    clearTimeout(this.fast)
    for (const guest of this.guests.values()) guest.close()
    this.guests.clear()
  }
}
