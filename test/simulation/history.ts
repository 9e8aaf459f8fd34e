/**
 * What happened, in order: the one thing the checker judges. Each entry is plain data with its virtual time, and all of
 * them together have a hash, by which two runs of a seed are compared.
 */
import { createHash } from 'node:crypto'

/** What an instance of a module went through. */
export type Phase =
  | 'constructed'
  | 'init'
  | 'ready'
  | 'tested'
  | 'took'
  | 'configured'
  | 'run'
  | 'step'
  | 'added'
  | 'told'
  | 'ran'
  | 'gave'
  | 'shutdown'
  | 'ended'
  | 'failed'

export interface ServiceAtRest {
  api: string
  /** its config's name without version */
  base: string | undefined
  /** the file that last asked for its name */
  askedBy: string | undefined
  state: string
  generation: number | undefined
  instance: number | undefined
  /** what the live version is configured with, as it stands in its file */
  asks: string | undefined
  stale: boolean
  takenBack: boolean
  /** code and message of why what is on disk does not run */
  refusal: string | undefined
  refusalMessage: string
  /** anything that must not be there at rest */
  left: string[]
}

export interface ExpectedService {
  api: string
  /** `live`: as its files say. `incumbent`: they cannot be used; what ran goes on. `waits`: a need is not live. */
  verdict: 'live' | 'incumbent' | 'waits'
  why: string
  source: string | undefined
  asks: string | undefined
}

/** Texts of kernels, and the meta files that choose them. */
export interface KernelAtRest {
  runs: string
  meta: string
  onDisk: string
  newest: string
}

export type Entry =
  | { kind: 'did'; what: string }
  | {
      kind: 'called'
      call: number
      api: string
      method: string
      from: string
      /** of the service, by the kernel's own account */
      state: string
      deadline: number | undefined
      aborts: boolean
    }
  /** the handle has returned: what was to happen at once has happened */
  | { kind: 'returned'; call: number }
  | { kind: 'entered'; call: number; instance: number }
  | { kind: 'left'; call: number; instance: number }
  | {
      kind: 'answered'
      call: number
      state: string
      answer: Answer | undefined
      code: string | undefined
      generation?: number
    }
  | { kind: 'asked'; ask: number; what: string; api: string }
  | { kind: 'told'; ask: number; ok: boolean; code: string | undefined; state: string | undefined }
  | { kind: 'life'; instance: number; phase: Phase; n?: number; steps?: number; why?: string }
  | { kind: 'born'; instance: number; api: string; generation: number; source: string; state: boolean; mode: string }
  | { kind: 'held' | 'released'; api: string; key: string; resource: number }
  | { kind: 'evaluated'; evaluation: number; api: string; exclusive: boolean }
  | { kind: 'dropped'; evaluation: number; api: string }
  | MachineEntry
  | { kind: 'rest'; quiet: boolean; services: ServiceAtRest[]; expected: ExpectedService[]; kernel: KernelAtRest }
  | { kind: 'end'; timers: number }
  /** something nobody caught, or that the kernel itself calls a defect */
  | { kind: 'broke'; what: string }

/** An event of the kernel's bus. */
export interface MachineEntry {
  kind: 'machine'
  type: string
  api: string
  generation: number | undefined
  /** what became of the state */
  state: string | undefined
  rolledBack: boolean
  code: string | undefined
  /** how the version that serves meets a change */
  mode: string | undefined
}

export interface Answer {
  call: number
  instance: number
  /** the count that an `add` made, or the number of items of a stream */
  n: number
}

export type Dated = Entry & { at: number }

export class History {
  readonly entries: Dated[] = []
  private readonly hashing = createHash('sha1')
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  add(entry: Entry): void {
    const dated = Object.assign(entry, { at: this.now() })
    this.entries.push(dated)
    this.hashing.update(JSON.stringify(dated))
  }

  hash(): string {
    return this.hashing.copy().digest('hex')
  }
}

/** The last entries as lines, for a person. */
export const printed = (entries: readonly Dated[]): string =>
  entries.map(({ at, kind, ...rest }) => `${at.toFixed(1).padStart(9)}  ${kind} ${JSON.stringify(rest)}`).join('\n')
