/**
 * One cycle: from step to step by one table, each within its own time and all within one, with a gate after each. What
 * steps gather is dropped when the cycle is aborted, fails, or a step takes too long: a late answer finds nobody waiting.
 * It tells how it went; who called it writes that down.
 */
import { STEPS, type CycleStatus, type Step } from '../../contracts/meta-loop.ts'
import { reasonOf } from '../../lib/errors.ts'
import type { Means } from './means.ts'
import { fresh, type CycleIdentity, type Outcome, type Staged, type StepResult, type StepWork } from './staged.ts'
import { critique } from './steps/critique.ts'
import { identityCheck } from './steps/identity-check.ts'
import { perceive } from './steps/perceive.ts'
import { persist } from './steps/persist.ts'
import { policyRevision } from './steps/policy-revision.ts'
import { selfModel } from './steps/self-model.ts'

const SECOND_MS = 1_000

/** Where a step leads by how it ends. The channels of AROS within one cycle are its ways back. */
const NEXT: Readonly<Record<Step, Readonly<Partial<Record<Outcome, Step | 'end'>>>>> = {
  perceive: { done: 'self_model' },
  self_model: { done: 'critique' },
  critique: { done: 'policy_revision', no_data: 'perceive' },
  policy_revision: { done: 'identity_check', unsafe: 'critique' },
  identity_check: { done: 'persist', rejected: 'policy_revision', drifted: 'perceive' },
  persist: { done: 'end' },
}

const WORK: Readonly<Record<Step, StepWork>> = {
  perceive,
  self_model: selfModel,
  critique,
  policy_revision: policyRevision,
  identity_check: identityCheck,
  persist,
}

export interface Ended {
  status: Extract<CycleStatus, 'completed' | 'aborted' | 'failed'>
  reason: string | null
  steps_completed: number
  staged: Staged
}

/** `aborted`: why somebody wants it to end, asked after each step; null: nobody does. Never rejects. */
export async function runCycle(means: Means, cycle: CycleIdentity, aborted: () => string | null): Promise<Ended> {
  const { clock } = means.kernel
  const began = clock.monotonic()
  let staged = fresh()
  let steps_completed = 0
  for (let at: Step | 'end' = 'perceive'; at !== 'end'; ) {
    const step: Step = at
    const { per_step_timeout_seconds: perStep, total_cycle_timeout_seconds: total } = means.config.cadence
    const left = total * SECOND_MS - (clock.monotonic() - began)
    const took = await timed(means, step, { staged, cycle, step_ms: perStep * SECOND_MS, left_ms: left })
    if ('failed' in took) return { status: 'failed', reason: took.failed, steps_completed, staged: dropped(staged) }
    staged = { ...staged, ...took.staged }
    steps_completed = Math.max(steps_completed, STEPS.indexOf(step) + 1)
    const next: Step | 'end' | undefined = NEXT[step][took.outcome]
    if (next === undefined) throw new TypeError(`${step} does not end with ${took.outcome}`)
    const reason = next === 'end' ? null : aborted()
    if (reason !== null) return { status: 'aborted', reason, steps_completed, staged: dropped(staged) }
    at = next
  }
  return { status: 'completed', reason: null, steps_completed, staged }
}

interface Timed {
  staged: Readonly<Staged>
  cycle: CycleIdentity
  step_ms: number
  left_ms: number
}

async function timed(
  means: Means,
  step: Step,
  { staged, cycle, step_ms, left_ms }: Timed,
): Promise<StepResult | { failed: string }> {
  const over = new AbortController()
  const ms = Math.max(0, Math.min(step_ms, left_ms))
  const late = means.kernel.sleep(ms, over.signal).then((): { failed: string } => ({
    failed: left_ms <= step_ms ? `the cycle took too long, in ${step}` : `${step} took longer than ${step_ms} ms`,
  }))
  try {
    return await Promise.race([WORK[step](means, staged, cycle, over.signal), late])
  } catch (thrown) {
    return { failed: `${step}: ${reasonOf(thrown)}` }
  } finally {
    over.abort()
  }
}

/** What it had seen stays as evidence; what it would have done is gone. */
const dropped = (staged: Staged): Staged => ({ ...staged, changes: [], self_model: null })
