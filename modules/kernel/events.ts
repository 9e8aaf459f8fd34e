/**
 * The bus: exact names, `prefix.*`, and `*`. Each subscriber is called on its own turn after the emitter has gone on,
 * so that one that throws or is slow to return delays neither the emitter nor the promises of the others. The last
 * events are kept for late readers (SSE with Last-Event-ID).
 */
import type { MachineEvent, Release } from '../contracts/module.ts'
import type { Clock } from '../contracts/seams.ts'

interface Subscriber {
  pattern: string
  callback: (event: MachineEvent) => void
}

export function matches(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true
  return pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))
}

export class EventBus {
  private readonly subscribers = new Set<Subscriber>()
  private readonly kept: MachineEvent[] = []
  private lastId = 0
  private readonly clock: Clock
  private readonly keptMax: number
  private readonly onThrow: (thrown: unknown, pattern: string) => void

  constructor(options: { clock: Clock; kept: number; onThrow: (thrown: unknown, pattern: string) => void }) {
    this.clock = options.clock
    this.keptMax = options.kept
    this.onThrow = options.onThrow
  }

  on(pattern: string, callback: (event: MachineEvent) => void): Release {
    const subscriber = { pattern, callback }
    this.subscribers.add(subscriber)
    return () => {
      this.subscribers.delete(subscriber)
    }
  }

  emit(type: string, data: Record<string, unknown> = {}): MachineEvent {
    const event: MachineEvent = { id: ++this.lastId, type, time: this.clock.now(), data }
    this.kept.push(event)
    if (this.kept.length > this.keptMax) this.kept.shift()
    for (const subscriber of this.subscribers) {
      if (matches(subscriber.pattern, type)) queueMicrotask(() => this.deliver(subscriber, event))
    }
    return event
  }

  private deliver(subscriber: Subscriber, event: MachineEvent): void {
    if (!this.subscribers.has(subscriber)) return
    try {
      subscriber.callback(event)
    } catch (thrown) {
      this.onThrow(thrown, subscriber.pattern)
    }
  }

  /** Kept events after an id, oldest first. */
  since(id: number, pattern = '*'): MachineEvent[] {
    return this.kept.filter((event) => event.id > id && matches(pattern, event.type))
  }

  get lastEventId(): number {
    return this.lastId
  }

  get subscriberCount(): number {
    return this.subscribers.size
  }
}
