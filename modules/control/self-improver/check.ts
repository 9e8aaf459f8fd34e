/**
 * What a check is: one question about a change, answered with a verdict a model can act on. The gate runs them in their
 * order, cheapest first, and stops at the first that fails.
 */
import type { KernelApi } from '../../contracts/module.ts'
import type { Evidence } from '../../contracts/proposals.ts'
import type { Json } from '../../contracts/seams.ts'
import type { Bench, Call } from './bench.ts'
import type { Candidate, Subject } from './candidate.ts'
import type { Config } from './config.ts'

export interface CheckInput {
  kernel: KernelApi
  config: Config
  candidate: Candidate
}

export interface SubjectInput extends CheckInput {
  subject: Subject
  bench: Bench
  /** counterexamples of earlier changes of this service, oldest first */
  known: readonly Call[]
}

export interface Verdict {
  outcome: Evidence['outcome']
  message: string
  details?: Json
}

/** Of the change as a whole. */
export interface ChangeCheck {
  name: string
  of: 'change'
  run(input: CheckInput): Promise<Verdict>
}

/** Of one service it reaches. */
export interface ServiceCheck {
  name: string
  of: 'service'
  run(input: SubjectInput): Promise<Verdict>
}

export type Check = ChangeCheck | ServiceCheck

export const passed = (message: string, details?: Json): Verdict => verdict('passed', message, details)
export const failed = (message: string, details?: Json): Verdict => verdict('failed', message, details)
export const skipped = (message: string, details?: Json): Verdict => verdict('skipped', message, details)

const verdict = (outcome: Verdict['outcome'], message: string, details?: Json): Verdict =>
  details === undefined ? { outcome, message } : { outcome, message, details }
