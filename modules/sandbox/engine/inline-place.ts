/** Guests in this process, for code that is merely buggy: a native loop, or a heap that V8 gives up on, is not survived. */
import type { ErrorData } from '../../contracts/errors.ts'
import type { Guest, GuestEvents, GuestLimits, GuestPlace, GuestProgram } from '../../contracts/sandbox.ts'
import type { Clock } from '../../contracts/seams.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import type { GuestClient } from './guest-client.ts'
import type { Ivm } from './ivm.ts'
import { bootstrapText, openGuest } from './place.ts'
import { GuestServer } from './server.ts'

export class InlinePlace implements GuestPlace {
  readonly kind = 'inline'
  readonly pid = undefined
  readonly ended: Promise<ErrorData>
  private readonly clock: Clock
  private readonly clients = new Map<number, { client: GuestClient; service: string }>()
  private readonly server: GuestServer
  private lastId = 0
  private reason: ErrorData | undefined
  private end: (error: ErrorData) => void = () => {}

  constructor(ivm: Ivm, clock: Clock) {
    this.clock = clock
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
    this.server = new GuestServer(ivm, {
      packet: (id, text, bytes) => this.clients.get(id)?.client.receive(text, bytes),
      fault: (id, error) => this.clients.get(id)?.client.fault(error),
      ended: (id, code, reason) => {
        const found = this.clients.get(id)
        this.clients.delete(id)
        found?.client.end(toErrorData(coded(code, { api: found.service, reason })))
      },
      // Nothing in this process can stop it: its thread burns on until the process ends.
      stuck: () => undefined,
      waiting: () => 0,
    })
  }

  get guests(): number {
    return this.clients.size
  }

  /** This process is the system itself. */
  giveWay(): void {}

  open(program: GuestProgram, limits: GuestLimits, events: GuestEvents): Promise<Guest> {
    if (this.reason !== undefined) return Promise.reject(coded('stopped'))
    const id = ++this.lastId
    return openGuest({
      program,
      limits,
      events,
      clock: this.clock,
      start: (make, code) => {
        const client = make({
          send: (text, bytes) => this.server.deliver(id, text, bytes),
          close: () => {
            this.clients.delete(id)
            this.server.close(id)
          },
          usage: () => this.server.usage(id) ?? Promise.resolve({ cpu_ms: 0, heap_bytes: 0 }),
        })
        this.clients.set(id, { client, service: program.owner.service })
        this.server.open(id, limits, { ...code, bootstrap: bootstrapText() })
        return client
      },
    })
  }

  kill(reason: ErrorData): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.server.stop()
    for (const { client } of this.clients.values()) client.end(reason)
    this.clients.clear()
    this.end(reason)
  }
}
