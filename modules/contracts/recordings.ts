/** The service `recordings`: calls as they were made, and what another version makes of them. */
import type { TrialCall } from './trial.ts'

export interface RecordedKind {
  aspect: string
  method: string
  /** `ok`, or the code of the error */
  outcome: string
  /** of the arguments, as JSON: `1k` is less than 1,024 bytes, and so on */
  size: string
  /** calls that were looked at, and those of them that are kept */
  seen: number
  kept: number
}

export interface Recorded {
  service: string
  /** whether its calls are recorded now; null: none was heard of yet */
  calls: 'none' | 'sampled' | 'all' | null
  total: number
  bytes: number
  /** answers it got from others, for a replay without them */
  answers: number
  kinds: RecordedKind[]
}

/** How the answer of one version differs from another's. */
export type DifferenceKind =
  /** both answer, and not alike */
  | 'result'
  /** it answered, and fails now */
  | 'fails'
  /** it failed, and answers now */
  | 'succeeds'
  /** it fails with another error */
  | 'error'
  /** the version that serves does not give the recorded answer either: time, chance, or state */
  | 'unstable'
  /** it asks another service for what was not recorded */
  | 'unanswered'

export interface Difference {
  kind: DifferenceKind
  aspect: string
  method: string
  count: number
  /** the first of them, cut to a readable length */
  example: { at: number; args: string; recorded: string; live: string; candidate: string }
}

export interface Replay {
  service: string
  /** hashes of the version that serves, and of the one that was tried */
  live: { source_hash: string; config_hash: string }
  candidate: { source_hash: string; config_hash: string }
  /** `different`: some call has another outcome for which the candidate is to blame */
  verdict: 'equal' | 'different' | 'nothing_recorded'
  calls: number
  equal: number
  differences: Difference[]
  /** recorded calls that were not made, by the reason */
  skipped: { redacted: number; over_time: number }
  /** of the same calls, made beside each other, without what others take to answer */
  ms: { live: { p50: number; p99: number } | null; candidate: { p50: number; p99: number } | null }
}

/** A call as it was made. */
export interface RecordedCall {
  aspect: string
  method: string
  caller: string
  /** epoch milliseconds */
  at: number
  ms: number
  /** `ok`, or the code of the error */
  outcome: string
  args: unknown[]
  /** of an error, its message */
  result: unknown
  /** something of its arguments was taken out: it cannot be made again */
  redacted: boolean
}

/** What another service answered, or would have. */
export interface RecordedAnswer {
  /** `exact`: these very arguments; `alike`: others, the last ones; `asked`: it only reads, and was really asked */
  found: 'exact' | 'alike' | 'asked' | 'none'
  /** `ok`, or the code of the error */
  outcome: string
  value: unknown
}

export interface RecordingsApi {
  /** Recorded calls of a service in the order in which they came, the last ones. */
  calls(service: string, options?: { limit?: number }): Promise<{ calls: RecordedCall[] }>
  /** What the caller gets of others in a trial. Never rejects. */
  answer(caller: string, call: TrialCall): Promise<RecordedAnswer>
  /** What is kept of a service. */
  list(service: string): Promise<Recorded>
  /** Makes recorded calls on another version, beside the one that serves. `against`: see `TrialRequest.version`. */
  replay(service: string, options?: { against?: string; limit?: number }): Promise<Replay>
  /** Drops what is kept of a service; how many calls that were. */
  forget(service: string): Promise<{ forgotten: number }>
}
