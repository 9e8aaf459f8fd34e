/**
 * The end of an isolate. One that computes is disposed of, and when it computes on after that, a native loop, only the end
 * of the process helps: `stuck` says so. Time alone decides nothing here: on a busy machine an entry that is over, or that
 * waits for a thread, looks like one that does not end. Called by `isolate.ts`.
 */
import { performance } from 'node:perf_hooks'
import type { IvmIsolate } from './ivm.ts'

export interface Falling {
  /** an entry is under way, as far as is known */
  isEntered(): boolean
  /** of the isolate, ms */
  cpu(): number
  stuck(): void
}

const LOOK_MS = 10
/** An entry that has used so much since it was closed is one that runs. */
const RUNS_CPU_MS = 20
/** One that has used nothing until then waits for a thread; it ends before it begins. */
const WAITS_MS = 1_000
const STUCK_MS = 60
/** What the process has to use in that time: its own loop would. */
const STUCK_CPU_MS = 60

export class Fall {
  private readonly isolate: IvmIsolate
  private readonly falling: Falling

  constructor(isolate: IvmIsolate, falling: Falling) {
    this.isolate = isolate
    this.falling = falling
  }

  private dispose(): void {
    if (!this.isolate.isDisposed) this.isolate.dispose()
  }

  /** The entry that was under way when it ended is over. */
  settled(): void {
    this.dispose()
  }

  soon(): void {
    if (!this.falling.isEntered()) return this.dispose()
    const since = performance.now()
    const from = this.falling.cpu()
    const look = (): void => {
      if (!this.falling.isEntered()) this.dispose()
      else if (this.falling.cpu() - from > RUNS_CPU_MS) this.now()
      else if (performance.now() - since > WAITS_MS) this.dispose()
      else setTimeout(look, LOOK_MS)
    }
    setTimeout(look, LOOK_MS)
  }

  now(): void {
    const wasEntered = this.falling.isEntered()
    this.dispose()
    if (!wasEntered) return
    const since = performance.now()
    const before = process.cpuUsage()
    const look = (): void => {
      if (!this.falling.isEntered()) return
      const { user, system } = process.cpuUsage(before)
      const isLate = performance.now() - since > STUCK_MS && (user + system) / 1_000 > STUCK_CPU_MS
      if (!isLate) setTimeout(look, LOOK_MS)
      // News of its end may be waiting for its turn.
      else setImmediate(() => setImmediate(() => this.falling.isEntered() && this.falling.stuck()))
    }
    setTimeout(look, LOOK_MS)
  }
}
