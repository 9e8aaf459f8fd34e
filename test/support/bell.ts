/** A bell over a root of its own, with everything it told; and a clock that moves when a test says so. */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Log, TimerToken } from '../../modules/contracts/seams.ts'
import { LIMITS } from '../../modules/kernel/limits.ts'
import { Bell } from '../../modules/kernel/watch.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { createRoot, type TestRoot } from './root.ts'

const nothing = (): void => {}
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silentLog }

/** Wall time is 1970, so that no stamp of a file is old: only time the test lets pass counts. */
export class ManualClock implements Clock {
  private at = 0
  private readonly timers = new Map<TimerToken, { due: number; ms: number; callback: () => void }>()
  private readonly waiting: { ms: number; resolve: () => void }[] = []

  now = (): number => 0
  monotonic = (): number => this.at
  soon = (callback: () => void): void => void setImmediate(callback)
  clear = (token: TimerToken): void => void this.timers.delete(token)

  after = (ms: number, callback: () => void): TimerToken => {
    const token = { id: {} }
    this.timers.set(token, { due: this.at + ms, ms, callback })
    for (const one of this.waiting.splice(0)) {
      if (one.ms === ms) one.resolve()
      else this.waiting.push(one)
    }
    return token
  }

  /** Resolves when a timer of so many milliseconds is armed from now on. */
  armed(ms: number): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ ms, resolve }))
  }

  advance(ms: number): void {
    this.at += ms
    for (const [token, { due, callback }] of this.timers) {
      if (due > this.at) continue
      this.timers.delete(token)
      callback()
    }
  }
}

export class BellDriver {
  readonly root: TestRoot
  readonly bell: Bell
  readonly batches: ReadonlySet<string>[] = []
  /** path → text it had when the bell rang for it */
  readonly rings: [path: string, text: string | undefined][] = []
  readonly known = new Map<string, string>()
  sweeps = 0
  private readonly checks = new Set<() => void>()

  constructor(files: Record<string, string>, clock: Clock, folders = ['configs', 'modules']) {
    this.root = createRoot(files)
    this.bell = new Bell({
      fs: realFileSystem,
      clock,
      log: silentLog,
      limits: { ...LIMITS, sweep_ms: 1e9 },
      folders: folders.map((folder) => this.at(folder)),
      configs: this.at('configs'),
      lock: this.at('index.lock'),
      known: () => this.known,
      ready: (paths) => {
        this.batches.push(paths)
        for (const path of paths) this.rings.push([path, realFileSystem.read(path)])
        for (const check of this.checks) check()
      },
      swept: () => {
        this.sweeps++
      },
    })
    this.knows(...Object.keys(files), 'configs/meta-v1.0.0.yml')
  }

  at(path: string): string {
    return join(this.root.path, path)
  }

  /** Resolves when folders are watched, and a sweep has seen every file as it is. */
  async start(): Promise<void> {
    this.bell.start()
    await this.bell.sweep()
  }

  knows(...paths: string[]): void {
    for (const path of paths) this.known.set(this.at(path), realFileSystem.stat(this.at(path))?.key ?? '')
  }

  move(from: string, to: string): void {
    renameSync(this.at(from), this.at(to))
  }

  /** Resolves when the bell has rung for the file while it had this text. */
  heard(path: string, text: string | undefined): Promise<void> {
    return this.until(() => this.rings.some(([rung, had]) => rung === this.at(path) && had === text))
  }

  told(path: string): (string | undefined)[] {
    return this.rings.flatMap(([rung, had]) => (rung === this.at(path) ? [had] : []))
  }

  private until(fits: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!fits()) return
        this.checks.delete(check)
        resolve()
      }
      this.checks.add(check)
      check()
    })
  }

  async dispose(): Promise<void> {
    await this.bell.close()
    this.root.dispose()
  }
}
