/**
 * The main thread's side of the watchdog: beats, says what is entered, and answers where a paused place stands in the
 * source. A synchronous loop in trusted code cannot be interrupted from within the process; it can be noticed, named,
 * and ended, so that the parent starts anew without it. Made once by `run.ts`. Idle, it costs a timer.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { url as debuggerUrl } from 'node:inspector'
import { dirname, extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { CodeOwner, Pulse } from '../contracts/seams.ts'
import type { Stall } from './stall.ts'
import { EXPLAIN, NAME_UNITS_MAX, PULSE, type WatchdogData } from './watchdog-thread.ts'

const STALL_MS = 2_000
const BEAT_MS = 100
const ROOM_BYTES = 4_096

export const WATCHDOG_THREAD = join(import.meta.dirname, `watchdog-thread${extname(import.meta.filename)}`)

export type Explained = Partial<Pick<Stall, 'file' | 'line' | 'column' | 'source_key' | 'config_hash'>>

export interface WatchdogOptions {
  /** where a standstill is written down */
  file: string
  stall_ms: number
  /** the code of the thread */
  thread: URL
  /** What is known about a place (1-based) in code as it runs. Called while everything stands still: it only reads. */
  explain(url: string, line: number, column: number, owner: CodeOwner): Explained
  /** The thread is no more. Must not throw. */
  onLost(thrown: unknown): void
}

/** How long a standstill may last, from the environment; undefined when there is no watchdog. */
export function stallLimit(env: NodeJS.ProcessEnv): number | undefined {
  if (env['MM_WATCHDOG'] === '0') return undefined
  const ms = Number(env['MM_STALL_MS'] ?? STALL_MS)
  return Number.isFinite(ms) && ms >= 5 * BEAT_MS ? ms : STALL_MS
}

export class Watchdog implements Pulse {
  private readonly pulse: Int32Array
  private readonly timer: NodeJS.Timeout
  private readonly worker: Worker
  private readonly room: string
  private name = ''

  constructor({ file, stall_ms, thread, explain, onLost }: WatchdogOptions) {
    this.room = `${file}.room`
    keepRoom(this.room)
    this.pulse = new Int32Array(new SharedArrayBuffer(4 * (PULSE.name + NAME_UNITS_MAX)))
    const workerData: WatchdogData = { watchdog: true, pulse: this.pulse, file, room: this.room, stall_ms }
    this.worker = new Worker(thread, {
      workerData,
      // Nothing of what the process was started with is meant for it.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    })
    this.worker.on('error', onLost)
    this.worker.unref()
    Object.defineProperty(globalThis, Symbol.for(EXPLAIN), {
      configurable: true,
      value: (url: string, line: number, column: number, service: string, generation: number) =>
        JSON.stringify(explain(url, line, column, { service, generation })),
    })
    this.timer = setInterval(() => this.beat(), BEAT_MS)
    this.timer.unref()
  }

  entered({ service, generation }: CodeOwner): void {
    this.pulse[PULSE.generation] = generation
    if (service === this.name) return
    this.name = service
    const length = Math.min(service.length, NAME_UNITS_MAX)
    for (let index = 0; index < length; index++) this.pulse[PULSE.name + index] = service.charCodeAt(index)
    this.pulse[PULSE.length] = length
  }

  /** Many versions may be built without a turn of the event loop between them: each has the whole limit to itself. */
  building(owner: CodeOwner): void {
    this.entered(owner)
    this.beat()
  }

  private beat(): void {
    this.pulse[PULSE.debugged] = debuggerUrl() === undefined ? 0 : 1
    Atomics.add(this.pulse, PULSE.beat, 1)
  }

  stop(): void {
    clearInterval(this.timer)
    Reflect.deleteProperty(globalThis, Symbol.for(EXPLAIN))
    void this.worker.terminate()
    removeRoom(this.room)
  }
}

/** Blanks for the record of a standstill, which may come when the disk is full. A disk that is full already has none. */
function keepRoom(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, ' '.repeat(ROOM_BYTES), { mode: 0o600, flag: existsSync(path) ? 'r+' : 'w' })
  } catch {
    return // the record is tried all the same
  }
}

function removeRoom(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    return // it is used by the next process
  }
}
