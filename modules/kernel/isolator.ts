/**
 * ModuleIsolator: what one generation owns. Tasks die first and by signal, everything else is released when the
 * generation ends, last acquired first, each on its own: one release that throws does not keep the others.
 * Invariant: after `end()` nothing of the generation waits, runs on a kernel timer, or is held. A kernel that takes over
 * puts its own class behind the same object: no `#private` members, and no closure over a kernel in what lives long.
 */
import { setMaxListeners } from 'node:events'
import type { TaskInfo } from '../contracts/kernel.ts'
import type { Release } from '../contracts/module.ts'
import type { Clock } from '../contracts/seams.ts'
import type { BackgroundRecord, IsolatorMethods, IsolatorState, OwnedRecord, TaskRecord } from '../contracts/state.ts'
import { coded, codeOf } from '../lib/errors.ts'
import { within } from '../lib/within.ts'

export interface IsolatorOptions {
  api: string
  clock: Clock
  onError: IsolatorState['onError']
}

export class ModuleIsolator implements IsolatorState, IsolatorMethods {
  readonly api: string
  readonly tasks = new Set<TaskRecord>()
  readonly owned = new Set<OwnedRecord>()
  readonly background = new Set<BackgroundRecord>()
  tasksController: AbortController | undefined
  endController: AbortController | undefined
  errorCount = 0
  lastErrorAt: number | null = null
  readonly clock: Clock
  onError: IsolatorState['onError']

  constructor(options: IsolatorOptions) {
    this.api = options.api
    this.clock = options.clock
    this.onError = options.onError
  }

  get taskAbort(): AbortController {
    return (this.tasksController ??= manyListeners())
  }

  get endAbort(): AbortController {
    return (this.endController ??= manyListeners())
  }

  recordError(): void {
    this.errorCount++
    this.lastErrorAt = this.clock.now()
  }

  /** Starts work now. An end by the abort signal is no error. */
  spawn(label: string, work: (signal: AbortSignal) => unknown): TaskRecord {
    const { signal } = this.taskAbort
    const task: TaskRecord = { label, startedAt: this.clock.monotonic(), done: Promise.resolve() }
    this.tasks.add(task)
    task.done = this.runTask(task, work, signal)
    return task
  }

  private async runTask(task: TaskRecord, work: (signal: AbortSignal) => unknown, signal: AbortSignal): Promise<void> {
    try {
      if (!signal.aborted) await work(signal)
    } catch (thrown) {
      const stopping =
        signal.aborted && (codeOf(thrown) === 'stopped' || (thrown as { name?: unknown })?.name === 'AbortError')
      if (!stopping) {
        this.onError(thrown, task.label, 'task')
      }
    } finally {
      this.tasks.delete(task)
    }
  }

  /** Work that may be started again: run(), every(), cron(). */
  addBackground(label: string, work: (signal: AbortSignal) => unknown): BackgroundRecord {
    const record = { label, work, running: false, again: false }
    this.background.add(record)
    return record
  }

  /**
   * What the work adds while it starts has started itself: only what was there before counts. Work that has been asked
   * to end and still runs is started again when it has ended, never beside itself.
   */
  startBackground(): void {
    for (const record of Array.from(this.background)) this.startOne(record)
  }

  /** Starts one piece of repeatable work, or lets it follow its own end. */
  startOne(record: BackgroundRecord): void {
    if (record.running) {
      record.again = true
      return
    }
    record.running = true
    const ended = (): void => {
      record.running = false
      const { again } = record
      record.again = false
      if (again && this.background.has(record) && !this.taskAbort.signal.aborted) this.startOne(record)
    }
    void this.spawn(record.label, record.work).done.then(ended)
  }

  /** Asked more than once on the way to a version's end. */
  abortTasks(): void {
    const { taskAbort } = this
    if (!taskAbort.signal.aborted) taskAbort.abort(coded('stopped'))
  }

  renewTasks(): void {
    this.tasksController = undefined
  }

  /** True when all tasks have ended, false when some are still there after `ms`. */
  async tasksEnded(ms: number): Promise<boolean> {
    const all = Promise.all([...this.tasks].map((task) => task.done))
    return within(this.clock, ms, all, () => undefined).then(
      () => true,
      () => false,
    )
  }

  own(release: Release | Disposable | AsyncDisposable, label: string): Release {
    const record: OwnedRecord = { label, since: this.clock.monotonic(), release: async () => {} }
    record.release = async () => {
      if (!this.owned.delete(record)) return
      await releaseOf(release)()
    }
    this.owned.add(record)
    // Owning after the end releases at once: a late init() must not leak.
    if (this.endController?.signal.aborted === true) void this.releaseOne(record)
    return record.release
  }

  /** Rejects with `stopped` when `signal` aborts or the generation ends. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const end = this.endAbort.signal
    return new Promise<void>((resolve, reject) => {
      if (end.aborted || signal?.aborted === true) {
        reject(coded('stopped'))
        return
      }
      const stop = (): void => {
        this.clock.clear(timer)
        leave()
        reject(coded('stopped'))
      }
      const leave = (): void => {
        end.removeEventListener('abort', stop)
        signal?.removeEventListener('abort', stop)
      }
      const timer = this.clock.after(ms, () => {
        leave()
        resolve()
      })
      end.addEventListener('abort', stop, { once: true })
      signal?.addEventListener('abort', stop, { once: true })
    })
  }

  async end(): Promise<void> {
    this.abortTasks()
    this.endAbort.abort(coded('stopped'))
    this.background.clear()
    for (const record of [...this.owned].reverse()) await this.releaseOne(record)
  }

  private async releaseOne(record: OwnedRecord): Promise<void> {
    try {
      await record.release()
    } catch (thrown) {
      this.onError(thrown, record.label, 'task')
    }
  }

  getStats(): { api: string; active_tasks: number; owned: number; error_count: number; last_error_at: number | null } {
    return {
      api: this.api,
      active_tasks: this.tasks.size,
      owned: this.owned.size,
      error_count: this.errorCount,
      last_error_at: this.lastErrorAt,
    }
  }

  list(): TaskInfo[] {
    const now = this.clock.monotonic()
    return [
      ...[...this.tasks].map((task) => ({
        label: task.label,
        kind: 'task' as const,
        age_ms: Math.round(now - task.startedAt),
      })),
      ...[...this.owned].map((one) => ({
        label: one.label,
        kind: 'owned' as const,
        age_ms: Math.round(now - one.since),
      })),
    ]
  }
}

/** Every wait of a version listens to its end: many listeners are the rule here, not a leak. */
function manyListeners(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

function releaseOf(owned: Release | Disposable | AsyncDisposable): Release {
  if (typeof owned === 'function') return owned
  if (Symbol.asyncDispose in owned) return async () => owned[Symbol.asyncDispose]()
  return () => owned[Symbol.dispose]()
}
