/**
 * What the parts of a kernel share: the records, the injected seams, and the few things one part asks of another.
 * Types only. `kernel.ts` makes the one object that fulfils it; no part imports another part's state.
 */
import type { KernelOptions } from '../contracts/kernel-port.ts'
import type { ErrorData } from '../contracts/errors.ts'
import type { CallerRecord, DesiredService, FaultKind, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import type { Clock } from '../contracts/seams.ts'
import type { CachedFile } from '../lib/file-cache.ts'
import type { EventBus } from './events.ts'
import type { SlowPath } from './handle.ts'
import type { LastGoodVersions } from './last-good-versions.ts'
import type { MetaValues } from './meta-values.ts'
import type { Limits } from './limits.ts'
import type { SecondTries } from './second-tries.ts'

export interface Machine {
  readonly options: KernelOptions
  /** for the kernel's own loops and waits: it ends when another kernel takes over */
  readonly clock: Clock
  readonly limits: Limits
  readonly meta: MetaValues
  readonly services: Map<string, ServiceRecord>
  readonly events: EventBus
  readonly calls: CallPath
  readonly secondTries: SecondTries
  readonly faults: FaultSink
  readonly lastGood: LastGoodVersions
  /** true once the first reconcile was planned: from then on an unknown name is an error */
  planned: boolean
  stopping: boolean
  /** another kernel has taken over: what is still under way here ends, and begins nothing */
  gone: boolean
  onPlanned(): void
  /** Look again: compares the desired with the active state soon. Level-triggered; may be called from anywhere. */
  ring(): void
  limitsOf(desired: DesiredService | undefined): Limits
  /** A file's present content, remembered by stat. Throws `file_failed` when it is there and cannot be read. */
  readFile(path: string): CachedFile | undefined
  /** The same, and its changes are told as `prompt.changed` from now on. */
  readPrompt(path: string): CachedFile | undefined
  /** Names of services that are not live now. */
  notLive(needs: Iterable<string>): string[]
  /** A version was refused: told at once to those who asked, and to the log when its files have been quiet. */
  refused(service: ServiceRecord, error: ErrorData, modifiedMs: number): void
}

/** The slow path, and what the switch asks of the queue. */
export interface CallPath extends SlowPath {
  /** The handle of a caller to a service's aspect. */
  handleFor(caller: CallerRecord, api: string, aspect: string): object
  readonly queue: {
    /** Runs the queued calls of a service that went live, in their order. */
    flush(service: ServiceRecord): void
    /** Runs those that a service which becomes quiet waits for itself. */
    letThrough(service: ServiceRecord): void
    /** Rejects the queued calls of a service that will not come. */
    refuseAll(service: ServiceRecord, error: unknown): void
  }
  /** Resolves when the service is live; rejects when it will not be. */
  untilLive(service: ServiceRecord): Promise<void>
}

/** Where errors of services go. None of these throws. */
export interface FaultSink {
  /** An error of work that no caller waits for. */
  workFailed(generation: GenerationRecord, thrown: unknown, label: string, what: FaultKind): void
  /** Any thrown value as data, with its place in the source as it was written. */
  describe(thrown: unknown): ErrorData
  /** Records an error of a service's own code, with its place in the source. */
  noteError(service: ServiceRecord | undefined, thrown: unknown, generation?: GenerationRecord): void
}
