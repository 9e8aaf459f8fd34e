/**
 * How a kernel's time ends: with an orderly stop, or with another kernel. Told to whoever waits, and else kept until
 * the first who asks: a kernel that is gone and still known to somebody must not hold all those that came after it.
 * Used by kernels.
 */
import type { NextKernel } from '../contracts/kernel-port.ts'

type Outcome = NextKernel | null

export class KernelEnd {
  private waiting: ((outcome: Outcome) => void)[] = []
  private outcome: Outcome | undefined
  private over = false

  wait(): Promise<Outcome> {
    if (!this.over) return new Promise((resolve) => this.waiting.push(resolve))
    const { outcome = null } = this
    this.outcome = undefined
    return Promise.resolve(outcome)
  }

  /** The first one counts. */
  announce(outcome: Outcome): void {
    if (this.over) return
    this.over = true
    if (this.waiting.length === 0) this.outcome = outcome
    for (const resolve of this.waiting.splice(0)) resolve(outcome)
  }

  /** The kernel was gone back to. */
  beginAnew(): void {
    this.over = false
    this.outcome = undefined
  }
}
