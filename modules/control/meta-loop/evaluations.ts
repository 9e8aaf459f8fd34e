/**
 * Channel F: what a change did for the agent, judged when enough sessions have begun since, against what was measured and
 * stored when it went live. The verdict comes once, as a signal the next cycle perceives. Lower tokens a task are better.
 */
import type { JsonMap } from '../../contracts/seams.ts'
import type { Means } from './means.ts'
import { writeReadable } from './readable.ts'

/** AROS: more than 5 % better, more than 10 % worse. */
const BETTER = -0.05
const WORSE = 0.1
const LIVE_MAX = 500

export interface Evaluation {
  eval_id: string
  created_at: number
  policy_change: { cycle: number | null; proposal: string; change: string }
  sessions_required: number
  /** as it was when the change went live */
  baseline: { tokens_per_task: number | null }
  status: 'pending' | 'done'
}

export type DelayedVerdict = 'CONFIRMED' | 'DEGRADED' | 'INCONCLUSIVE'

/** Pure. */
export function delayedVerdict(
  old: number | null,
  now: number | null,
): { verdict: DelayedVerdict; delta: number | null } {
  if (old === null || now === null || old === 0) return { verdict: 'INCONCLUSIVE', delta: null }
  const delta = (now - old) / old
  return { verdict: delta < BETTER ? 'CONFIRMED' : delta > WORSE ? 'DEGRADED' : 'INCONCLUSIVE', delta }
}

/**
 * One for each change of the loop that is live and has none: some go live long after their cycle, when their values
 * before have been measured, or a person has said yes.
 */
export async function evaluateLater(means: Means): Promise<void> {
  const { kernel, config, metrics, rollouts, store } = means
  const { proposals } = await rollouts.list({ state: 'watching', limit: LIVE_MAX })
  const fresh = proposals.filter(({ id, actor }) => actor === kernel.api && !store.hasEvaluation(nameOf(id)))
  if (fresh.length === 0) return
  const { tokens_per_task } = await metrics.operation({ bot_id: config.bot_id })
  for (const { id, title } of fresh) {
    // The watch and a cycle may both be here: what was measured first stands.
    if (store.hasEvaluation(nameOf(id))) continue
    const evaluation: Evaluation = {
      eval_id: nameOf(id),
      created_at: kernel.clock.now(),
      policy_change: { cycle: store.cycleOf(id), proposal: id, change: title },
      sessions_required: config.cadence.delayed_eval_sessions,
      baseline: { tokens_per_task },
      status: 'pending',
    }
    store.saveEvaluation(evaluation.eval_id, true, asJson(evaluation))
  }
  writeEvaluations(means)
}

const nameOf = (proposal: string): string => `e-${proposal}`

/** Called before a cycle perceives, and by the watch clock; one after the other. */
export async function settleEvaluations(means: Means): Promise<void> {
  await evaluateLater(means)
  for (const evaluation of pendingOf(means)) await settle(means, evaluation)
}

async function settle(means: Means, evaluation: Evaluation): Promise<void> {
  const { kernel, config, metrics, store, inbox } = means
  const { bot_id } = config
  const { created_at, sessions_required, baseline, eval_id } = evaluation
  const { events } = await metrics.recorded({
    bot_id,
    types: ['session_start'],
    since: created_at,
    limit: sessions_required,
  })
  if (events.length < sessions_required) return
  const window_ms = Math.max(1, kernel.clock.now() - created_at)
  const { tokens_per_task } = await metrics.operation({ bot_id, window_ms })
  const { verdict, delta } = delayedVerdict(baseline.tokens_per_task, tokens_per_task)
  const payload = {
    eval_id,
    verdict,
    delta,
    metric: 'tokens_per_task',
    old: baseline.tokens_per_task,
    new: tokens_per_task,
    policy_change: asJson(evaluation.policy_change),
  }
  // The watch and a cycle may both be here: who comes second finds it done.
  if (!pendingOf(means).some((one) => one.eval_id === eval_id)) return
  // Its signal and its end are two files: a process killed between them tells it again, never not at all.
  inbox.push({ source: 'policy_delta', payload })
  store.saveEvaluation(eval_id, false, asJson({ ...evaluation, status: 'done', verdict, delta }))
  writeEvaluations(means)
  await metrics.record({ bot_id, type: 'policy_delta', session_id: null, data: { eval_id, verdict, delta } })
}

/** A change may be live before its cycle is written beside it: who asks later knows it. */
const pendingOf = ({ store }: Pick<Means, 'store'>): Evaluation[] =>
  (store.pendingEvaluations() as unknown as Evaluation[]).map((one) => {
    const { cycle, proposal } = one.policy_change
    return { ...one, policy_change: { ...one.policy_change, cycle: cycle ?? store.cycleOf(proposal) } }
  })

const writeEvaluations = (means: Means): void =>
  writeReadable(means, 'pending-evaluations.yml', { pending: pendingOf(means) })

const asJson = (value: object): JsonMap => JSON.parse(JSON.stringify(value)) as JsonMap
