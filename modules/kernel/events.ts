/**
 * The bus: exact names, `prefix.*`, and `*`. Each subscriber is called on its own turn after the emitter has gone on,
 * so that one that throws or is slow to return delays neither the emitter nor the promises of the others. The last
 * events are kept for late readers (SSE with Last-Event-ID).
 */
import type { EventsRecord } from '../contracts/kernel-state.ts'
import type { MachineEvent, Release } from '../contracts/module.ts'
import type { Clock } from '../contracts/seams.ts'

const QUEUED_MAX = 10_000

export function matches(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true
  return pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))
}

/** Apart from the class: who listens may outlive the kernel that let it in, and must not hold it. */
function subscribe({ subscribers }: EventsRecord, pattern: string, callback: (event: MachineEvent) => void): Release {
  const subscriber = { pattern, callback }
  subscribers.add(subscriber)
  return () => {
    subscribers.delete(subscriber)
  }
}

const since = ({ kept }: EventsRecord, id: number, pattern: string): MachineEvent[] =>
  kept.filter((event) => event.id > id && matches(pattern, event.type))

/** Kept events after an id, then each new one, until the system stops or the reader leaves. */
export async function* follow(record: EventsRecord, pattern: string, sinceId?: number): AsyncGenerator<MachineEvent> {
  const queue: MachineEvent[] = sinceId === undefined ? [] : since(record, sinceId, pattern)
  let wake = (): void => {}
  // All of them: the one that says the system stops has to wake this reader, whatever it reads.
  const leave = subscribe(record, '*', (event) => {
    if (matches(pattern, event.type) && queue.length < QUEUED_MAX) queue.push(event)
    wake()
  })
  try {
    while (!record.closed) {
      for (let event = queue.shift(); event !== undefined; event = queue.shift()) yield event
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    void leave()
  }
}

export class EventBus {
  /** another kernel's, after an adoption */
  record: EventsRecord = { subscribers: new Set(), kept: [], lastId: 0, closed: false }
  private readonly clock: Pick<Clock, 'now'>
  private readonly keptMax: number
  private readonly onThrow: (thrown: unknown, pattern: string) => void

  constructor(options: {
    clock: Pick<Clock, 'now'>
    kept: number
    onThrow: (thrown: unknown, pattern: string) => void
  }) {
    this.clock = options.clock
    this.keptMax = options.kept
    this.onThrow = options.onThrow
  }

  on(pattern: string, callback: (event: MachineEvent) => void): Release {
    return subscribe(this.record, pattern, callback)
  }

  emit(type: string, data: Record<string, unknown> = {}): MachineEvent {
    const { record } = this
    const event: MachineEvent = { id: ++record.lastId, type, time: this.clock.now(), data }
    record.kept.push(event)
    if (record.kept.length > this.keptMax) record.kept.shift()
    for (const subscriber of record.subscribers) {
      if (!matches(subscriber.pattern, type)) continue
      queueMicrotask(() => {
        if (!record.subscribers.has(subscriber)) return
        try {
          subscriber.callback(event)
        } catch (thrown) {
          this.onThrow(thrown, subscriber.pattern)
        }
      })
    }
    return event
  }

  /** Kept events after an id, oldest first. */
  since(id: number, pattern = '*'): MachineEvent[] {
    return since(this.record, id, pattern)
  }

  get lastEventId(): number {
    return this.record.lastId
  }

  get subscriberCount(): number {
    return this.record.subscribers.size
  }
}
