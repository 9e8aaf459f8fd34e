/** The real clock, with a wall that can be set: timers and the monotonic time do not notice, as with a real one. */
import type { Clock } from '../../modules/contracts/seams.ts'
import { realClock } from '../../modules/lib/clock.ts'

export class JumpingClock implements Clock {
  private offset = 0

  now = (): number => realClock.now() + this.offset
  monotonic = realClock.monotonic
  after = realClock.after
  clear = realClock.clear
  soon = realClock.soon

  jump(ms: number): void {
    this.offset += ms
  }
}
