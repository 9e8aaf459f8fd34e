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
  private readonly timer: NodeJS.Timeout
  private idleAt = 0
  private shareAt = 0

  constructor(ivm: Ivm, events: ServerEvents) {
    this.ivm = ivm
    this.events = events
    this.timer = setInterval(() => this.watch(), WATCH_MS)
    this.timer.unref()
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
      monotonic: () => performance.now(),
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

  private watch(): void {
    const now = performance.now()
    const isIdle = now - this.idleAt >= IDLE_WATCH_MS
    const isShare = now - this.shareAt >= SHARE_MS
    let busiest = 0
    let most = -1
    for (const [id, guest] of this.guests) {
      if (guest.isEntered && guest.enteredCpu > most) {
        most = guest.enteredCpu
        busiest = id
      }
      if (guest.isEntered || isIdle) guest.watch()
      if (isShare) guest.watchShare()
    }
    if (isIdle) this.idleAt = now
    if (isShare) this.shareAt = now
    if (most >= 0 || isShare) this.events.looked?.(busiest)
  }

  stop(): void {
    clearInterval(this.timer)
    for (const guest of this.guests.values()) guest.close()
    this.guests.clear()
  }
}
