/**
 * Events on their way: what arrives in one tick, or while others are written, goes as one group, the highest priority
 * first and each priority in the order it came. Used by the service `events`.
 */
import type { TakenEvent } from '../../contracts/signed-events.ts'
import { PRIORITIES } from './rules.ts'

interface Waiting {
  event: TakenEvent
  kept: boolean
  resolve(): void
  reject(reason: unknown): void
}

export class EventQueue {
  private waiting: Waiting[] = []
  private isUnderWay = false
  private readonly send: (events: readonly Waiting[]) => void

  /** `send` may throw: then none of the group was sent. */
  constructor(send: (events: readonly Waiting[]) => void) {
    this.send = send
  }

  get size(): number {
    return this.waiting.length
  }

  add(event: TakenEvent, kept: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ event, kept, resolve, reject })
      if (this.isUnderWay) return
      this.isUnderWay = true
      setImmediate(() => this.flush())
    })
  }

  private flush(): void {
    this.isUnderWay = false
    const rank = ({ event }: Waiting): number => PRIORITIES.indexOf(event.priority)
    const group = this.waiting.splice(0).sort((one, other) => rank(other) - rank(one))
    try {
      this.send(group)
      for (const { resolve } of group) resolve()
    } catch (thrown) {
      for (const { reject } of group) reject(thrown)
    }
  }
}
