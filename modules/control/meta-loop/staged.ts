/**
 * What a cycle has gathered so far. Nothing of it is anywhere else until `persist`: a cycle that is aborted, fails or
 * takes too long leaves it behind, and so does a step that answers late.
 */
import type {
  CriticOutput,
  Cycle,
  Finding,
  IdentityVerdict,
  Perception,
  QueuedSignal,
  SilentRule,
  TuningChange,
} from '../../contracts/meta-loop.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import type { Means } from './means.ts'

/** How a step ends, which says where the cycle goes. */
export type Outcome =
  | 'done'
  /** nothing is known to judge by: look again (channel A) */
  | 'no_data'
  /** the shadow test failed: back to the critic (channel D) */
  | 'unsafe'
  /** the policy is asked again (channel B) */
  | 'rejected'
  /** from the beginning, once (channel E) */
  | 'drifted'

/** A change with what persisting it needs. */
export interface StagedChange extends TuningChange {
  /** the same change for the same reason is the same proposal */
  fingerprint: string
}

export interface Staged {
  perception: Perception | null
  /** of all looks of this cycle: a file is read once */
  queued: QueuedSignal[]
  expired: number
  self_model: JsonMap | null
  critic: CriticOutput | null
  silent: SilentRule[]
  /** they hold while what they led to waits: counted on it */
  repeated: Finding[]
  changes: StagedChange[]
  shadow_test: Cycle['shadow_test']
  identity: IdentityVerdict | null
  requeries: number
  identity_rounds: number
  drift_restart: boolean
  /** everything is for a person, after a verdict against it */
  forced: boolean
  notes: string[]
}

export const fresh = (): Staged => ({
  perception: null,
  queued: [],
  expired: 0,
  self_model: null,
  critic: null,
  silent: [],
  repeated: [],
  changes: [],
  shadow_test: null,
  identity: null,
  requeries: 0,
  identity_rounds: 0,
  drift_restart: false,
  forced: false,
  notes: [],
})

export interface StepResult {
  outcome: Outcome
  staged?: Partial<Staged>
}

/**
 * Contract: reads `staged`, returns what it adds; never writes to it. Before it changes anything outside it looks at
 * `signal`: once that is aborted, nobody waits for it any more. May reject: the cycle fails.
 */
export type StepWork = (
  means: Means,
  staged: Readonly<Staged>,
  cycle: CycleIdentity,
  signal: AbortSignal,
) => Promise<StepResult>

export interface CycleIdentity {
  number: number
  trigger: string
  /** joins its entries in the ledger */
  name: string
}

/** Why all changes are a person's, where a verdict against them made them so (channel B). */
export const reviewOf = ({ forced, identity }: Readonly<Staged>): string | undefined =>
  forced ? `the identity check said ${identity}` : undefined

export const perceived = ({ perception }: Readonly<Staged>): Perception => {
  if (perception === null) throw new TypeError('nothing was perceived')
  return perception
}
