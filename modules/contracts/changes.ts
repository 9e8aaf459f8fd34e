/**
 * What the kernel remembers about changes: the sources and the state to go back to, what was refused, what was put off,
 * how often something failed. Plain records, part of the kernel's state.
 */
import type { ErrorData } from './errors.ts'
import type { Scan, TimerToken } from './seams.ts'
import type { DesiredService } from './state.ts'

/** What `handOver` returned, copied, and the name of its shape. */
export interface StateCopy {
  readonly state: unknown
  readonly version: string
}

/** Everything a version is made from: kept in memory so that it can be made again. */
export interface VersionSource {
  readonly desired: DesiredService
  readonly scan: Scan
  /** the config file's text, for an undo */
  readonly configText: string | undefined
}

/** The version before the one that serves. */
export interface KeptVersion extends VersionSource {
  readonly number: number
  /** the last state it handed over */
  readonly copy: StateCopy | undefined
}

/** A version that had to end before its successor was built: where that one does not come, it is made again. */
export interface StoodDown extends VersionSource {
  readonly number: number
  /** the state it handed over */
  readonly copy: StateCopy | undefined
  /** where its way back led */
  readonly kept: KeptVersion | undefined
  /** never rejects */
  readonly ended: Promise<void>
}

/** The last attempt that did not go live, or the version that was taken back. */
export interface RefusedAttempt {
  configHash: string
  sourceKey: string
  /** a neighbor that shares a changed file failed, and not this version itself */
  because?: string
  /** somebody, or the supervisor, went back from it: kept in runtime/refused.json */
  takenBack?: string
  /** why, where it is known: told again when its files come back */
  error?: ErrorData
}

/** A version somebody went back from. */
export type TakenBack = RefusedAttempt & { takenBack: string }

export interface ChangedFile {
  /** null: there was no such file */
  before: string | null
  /** hash of the text that the change brought; null when it took the file away */
  after: string | null
}

/** What one switch brought, so that it can be undone. */
export interface Change {
  readonly id: number
  /** epoch milliseconds */
  readonly time: number
  readonly apis: string[]
  /** by absolute path */
  readonly files: Map<string, ChangedFile>
  undone: boolean
}

/** A service's last good version, where it has to stand in for one on disk that does not start. */
export interface LastGoodUse {
  /** names the state of the disk it stands in for: it is tried once for each */
  readonly key: string
  /** why what is on disk does not start */
  readonly error: ErrorData
  /** undefined: nothing is kept that could stand in */
  readonly version: LastGoodVersion | undefined
  stage: 'none' | 'due' | 'starting' | 'waiting' | 'serving' | 'failed'
  /** what it waits for */
  needs: readonly string[]
}

/** A version as it was kept in runtime/last-good/. */
export interface LastGoodVersion {
  readonly source: VersionSource
  /** epoch milliseconds */
  readonly keptAt: number
  /** name → version of the packages it ran with */
  readonly packages: Readonly<Record<string, string>>
}

/** A reload that was put off: tried again at `retryAt` (monotonic ms). */
export interface Deferral {
  configHash: string
  sourceKey: string
  attempts: number
  retryAt: number
  /** somebody asked for it, so it happens even if nothing differs */
  asked: boolean
  /** it could not switch together with its neighbors: it follows by itself */
  alone?: boolean
}

/** How often a service failed lately; `supervisor.ts` decides from it. */
export interface SupervisionRecord {
  /** monotonic ms of the restarts within the window */
  restarts: number[]
  /** monotonic ms of the last late errors, fewer than make a failure; none while a restart is owed */
  faults: number[]
  /** all of them, within the window or not; absent in records of earlier kernels */
  restarted?: number
  /** monotonic ms at which it starts anew */
  restartAt: number | undefined
  timer: TimerToken | undefined
}
