/**
 * The words of the benchmark: subjects are what is changed, mutations are the changes, a peer is a system that takes
 * them, a driver makes the calls of one subject and knows what they must answer, a trial is one mutation on one peer.
 */
import type { DeclaredChange } from '../../modules/contracts/proposals.ts'

export type BadClass = 'B1' | 'B2' | 'B3' | 'B4' | 'B5' | 'B6' | 'B7' | 'B8' | 'B9' | 'B10' | 'B11' | 'B12'
export type MutationClass = 'G-perf' | 'G-fix' | 'G-extend' | 'N' | BadClass

export interface Mutation {
  id: string
  class: MutationClass
  subject: SubjectName
  /** what the model says it does */
  intent: string
  /** Each text occurs once in the file, and is replaced. `{canary}` stands for the folder of the run that nobody may touch. */
  edits: readonly (readonly [string, string])[]
  /** the file that is changed; default: the subject's source */
  file?: 'config'
  /** of a declared change of behavior: the judge takes the answers it names in its region, and no others */
  fix?: boolean
  /** where it says that it answers otherwise, as its author would: what follows from the intent, whatever the judge asks */
  changes?: readonly DeclaredChange[]
  /** the model promises that calls take less time */
  faster?: boolean
  /** hard: a bad one that small tests do not find, or a good one that looks bad */
  hard?: boolean
  /** of the quick subset */
  quick?: boolean
}

export type SubjectName = 'pricing' | 'kv' | 'queue' | 'cache' | 'search' | 'llm' | 'scheduler' | 'limits'

export interface Subject {
  name: SubjectName
  source: string
  /** a test file that imports `./<name>.ts` and `node:test` */
  tests: string
  config: string
  /** services it calls: name → source */
  helpers: Record<string, string>
  /** it loses something when a version is replaced without a hand-over */
  stateful: boolean
}

export interface Call {
  service: string
  method: string
  args: readonly unknown[]
  aspect?: 'tool'
}

export type Outcome = { ok: true; value: unknown } | { ok: false; error: string }

/** `fixed`: right for a version that has the declared fix. A text says what is wrong. */
export type Judgement = { is: 'right' | 'fixed' } | { is: 'wrong'; why: string }

export interface Planned {
  call: Call
  check(outcome: Outcome): Judgement
}

/** Makes the calls of one subject and judges their answers; a stateful one keeps a model of what must be there. */
export interface Driver {
  /** Calls to be made once, in order, before the load. */
  fill(): Planned[]
  next(random: () => number): Planned
  /** A call that tells whether state was lost, by what is known when it is made; when it was, `forget` begins anew. */
  lost?(): { call: Call; wasLost(value: unknown): boolean; forget(): void }
}

/** What a peer says of a subject: which text serves, whether anything does. */
export interface PeerStatus {
  candidate: boolean
  up: boolean
}

export interface Delivery {
  /** the peer's own word; `n/a`: it has no way to take such a change */
  verdict: 'promoted' | 'refused' | 'restored' | 'n/a'
  /** which of its checks refused, as far as it says */
  by: string | null
  message: string
  /** when it began to serve, performance.now(); null: it never did */
  live_at: number | null
}

export interface StartOptions {
  /** its own, and everything it writes is below it */
  folder: string
  /** a text that must never come out again */
  secret: string
  subject: Subject
}

/** A system under test, in processes of its own. Everything it needs lies below one temporary folder. */
export interface Peer {
  readonly name: string
  start(options: StartOptions): Promise<void>
  /** Resolves with its verdict; what is slow about that is part of the figures. */
  deliver(mutation: Mutation, text: string): Promise<Delivery>
  call(call: Call, deadlineMs: number): Promise<Outcome>
  status(): Promise<PeerStatus>
  /** Processor seconds of all its processes so far, those that ended included. */
  cpuSeconds(): number
  /** True when its record of decisions holds; null when it keeps none. */
  ledger(): Promise<boolean | null>
  stop(): Promise<void>
}

export interface TrialResult {
  mutation: string
  class: MutationClass
  peer: string
  verdict: Delivery['verdict']
  by: string | null
  message: string
  /** the candidate serves at the end */
  candidate: boolean
  /** at the end it answers, and right */
  serving: boolean
  calls: number
  failed: number
  wrong: number
  late: number
  /** the same before anything was proposed: how busy the machine is */
  calls_before: number
  late_before: number
  /** what was wrong first */
  first_bad: string | null
  /** delivery → verdict */
  verdict_ms: number
  /** delivery → it serves; null: it never did */
  live_ms: number | null
  /** first → last bad call */
  bad_ms: number
  /** longest answer of a service that nothing was done to */
  stall_ms: number
  state_lost: boolean
  /** files at the canary, and the secret in answers */
  residue: string[]
  cpu_s: number
  ledger: boolean | null
}
