/**
 * What happened, over restarts: every version that went live or was refused, every way back, every failure, with its time
 * and in plain words; and the texts of the last versions, so that any two can be compared. Kept by the service `history`.
 */
import type { JsonMap } from './seams.ts'

export interface Happening {
  /** `h12`; grows over restarts */
  id: string
  /** epoch milliseconds */
  time: number
  /** the event it was, as `service.live` */
  type: string
  /** null: it is about no service */
  api: string | null
  /** in plain words */
  text: string
  /** it changed what runs, or what would */
  change: boolean
  /** from the root: what differs from the version before */
  files: string[]
  data: JsonMap
}

export interface HistoryQuery {
  /** epoch milliseconds */
  since?: number
  service?: string
  /** the newest of them. @default 100 */
  limit?: number
  /** also what changed nothing: failures, restarts, starts of what ran before. @default false */
  all?: boolean
}

/** One side of a comparison. */
export interface ComparedVersion {
  /** `g2`, `live`, `disk` */
  label: string
  generation: number | null
  /** when it went live (epoch milliseconds) */
  time: number | null
  source_hash: string | null
  config_hash: string | null
}

export interface FileDifference {
  path: string
  change: 'added' | 'changed' | 'removed'
  lines_added: number
  lines_removed: number
  /** as `diff -u` prints it */
  patch: string
}

export interface VersionDiff {
  api: string
  from: ComparedVersion
  to: ComparedVersion
  files: FileDifference[]
}

/** Why something is as it is. */
export interface Why {
  subject: string
  kind: 'service' | 'change' | 'call'
  lines: {
    /** epoch milliseconds; null: it is so now */
    time: number | null
    /** of what happened; null: it is so now */
    id: string | null
    text: string
  }[]
  /** commands that show or change it, with what each does */
  next: { command: string; does: string }[]
}

export interface HistoryApi {
  /** Oldest first. */
  changes(query?: HistoryQuery): { changes: Happening[] }
  /**
   * What differs between two versions of a service: `g2`, `h12` (what went live then), `live`, `disk`. Without any, live and
   * disk; with one, that and live. Rejects with `version_missing`.
   */
  diff(api: string, from?: string, to?: string): Promise<VersionDiff>
  /** Of a service by its name, of something that happened by its id, of a call by its trace. Rejects with `subject_unknown`. */
  why(subject: string): Promise<Why>
}
