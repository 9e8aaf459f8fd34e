/**
 * Events on their way to the disk: what comes in one tick, or while others are written, is written as one. Bounded; what
 * comes beyond is refused. Held by the service over its versions: two of them hear while one takes over.
 */
import type { OperationEvent } from '../../contracts/meta-metrics.ts'
import { coded } from '../../lib/errors.ts'

interface Waiting {
  event: OperationEvent
  resolve(): void
  reject(reason: unknown): void
}

export class EventQueue {
  private waiting: Waiting[] = []
  private isUnderWay = false
  private readonly max: number
  private readonly write: (events: readonly OperationEvent[]) => void

  /** `write` may throw: then none of them is on the disk. */
  constructor(max: number, write: (events: readonly OperationEvent[]) => void) {
    this.max = max
    this.write = write
  }

  add(event: OperationEvent): Promise<void> {
    if (this.waiting.length >= this.max) return Promise.reject(coded('events_full', { limit: this.max }))
    return new Promise((resolve, reject) => {
      this.waiting.push({ event, resolve, reject })
      if (this.isUnderWay) return
      this.isUnderWay = true
      setImmediate(() => {
        this.isUnderWay = false
        this.flush()
      })
    })
  }

  flush(): void {
    const group = this.waiting.splice(0)
    if (group.length === 0) return
    try {
      this.write(group.map(({ event }) => event))
      for (const { resolve } of group) resolve()
    } catch (thrown) {
      for (const { reject } of group) reject(thrown)
    }
  }
}
