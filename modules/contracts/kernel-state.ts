/**
 * What one kernel passes to the next: one versioned record of plain data and live references. Instances, promises and
 * resolvers in it are passed, never copied. A kernel writes the highest version that both sides know.
 */
import type { QueuedCall } from './calls.ts'
import type { Change, TakenBack } from './changes.ts'
import type { KernelChange } from './kernel.ts'
import type { MachineEvent } from './module.ts'
import type { GenerationRecord, ServiceRecord } from './state.ts'

/** The bus: who listens, and the last events for late readers. */
export interface EventsRecord {
  readonly subscribers: Set<EventSubscriber>
  readonly kept: MachineEvent[]
  lastId: number
  /** the system stops: followers end */
  closed: boolean
}

export interface EventSubscriber {
  readonly pattern: string
  /** May throw. */
  readonly callback: (event: MachineEvent) => void
}

/** A file as it was last read; see `lib/file-cache.ts`. */
export interface FileRecord {
  readonly path: string
  readonly text: string
  readonly hash: string
  readonly bytes: number
  readonly inode: string
  readonly stat_key: string
  /** epoch milliseconds */
  readonly modified_ms: number
  readonly settled: boolean
}

/** What is known of `runtime/last-good/`; see `kernel/last-good-store.ts`. */
export interface LastGoodState {
  /** api → the version that is kept, or is being written */
  readonly marks: Map<string, string>
  /** api → what stands on disk; undefined until somebody looked */
  records: Map<string, LastGoodKnown> | undefined
  /** hash → size of the texts on disk */
  readonly texts: Map<string, number>
  /** files that belong to nothing */
  strays: string[]
  untidy: boolean
  /** Writes, one after the other, whichever kernel asked. Never rejects. */
  work: Promise<void>
  pending: number
  /** what was told already */
  readonly told: Set<string>
  /** after a failed write: monotonic ms before which none is tried */
  pausedUntil: number
  /** since when a version has been configured as it is, monotonic ms */
  readonly since: WeakMap<GenerationRecord, { configHash: string; at: number }>
}

export interface LastGoodKnown {
  readonly base: string
  readonly texts: ReadonlySet<string>
}

/**
 * What one kernel passes to the next, version 1. Containers are passed by reference: who takes over goes on writing to
 * them. Functions of an earlier kernel that have not ended (a stream, a call, a task's end) go on with `services`,
 * `events` and the records in them: these are to stay the same objects. A kernel that finds fields it does not know
 * passes them on as they are.
 */
export interface KernelState {
  readonly version: number
  readonly services: Map<string, ServiceRecord>
  /** the first plan was made: an unknown name is an error */
  readonly planned: boolean
  readonly events: EventsRecord
  /** changes that can be undone, oldest first */
  readonly changes: Change[]
  /** versions that were taken back: by service, and by `kernel <meta file>` */
  readonly refused: Map<string, TakenBack>
  /** the last generation numbers of services that are gone */
  readonly lastNumbers: Map<string, number>
  /** calls to names nobody knew yet */
  readonly early: Map<string, QueuedCall[]>
  /** services whose failure another's new version may mend, by that other's name */
  readonly hopes: Map<string, Set<ServiceRecord>>
  /** prompts that were read → the content they had */
  readonly prompts: Map<string, string | undefined>
  readonly files: Map<string, FileRecord>
  /** config errors that were told already */
  readonly told: Set<string>
  /** the kernel that hands over writes the change into it right after the tick */
  readonly history: KernelChange[]
  /** monotonic ms since when the system runs */
  readonly bornAt: number
  readonly unattributedFaults: number
  /** absent: the kernel before keeps none */
  readonly lastGood?: LastGoodState
  /** fields of a later version */
  readonly [field: string]: unknown
}
