/** Step 1: measures, scores, and reads what was left for this cycle: signals, and the last commit (channel G). */
import type { JsonMap } from '../../../contracts/seams.ts'
import { fresh, type StepWork } from '../staged.ts'
import { LAST_COMMIT } from '../kept.ts'

const WEEK_MS = 7 * 86_400_000

export const perceive: StepWork = async (means, before, _cycle, signal) => {
  const { kernel, config, judgement, metrics, store, inbox, system } = means
  const snapshot = await metrics.take()
  const operation = await metrics.operation({ bot_id: config.bot_id })
  const week = await metrics.operation({ bot_id: config.bot_id, window_ms: WEEK_MS })
  const tools = (await system.tools()).length
  const judged = judgement.perceive(snapshot, operation, { week, tools })
  // Files are taken last, and by a cycle that is still waited for.
  signal.throwIfAborted()
  const { signals, expired, bad } = inbox.drain()
  for (const { file, reason } of bad) {
    kernel.log.warn(`runtime/signals/bad/${file} is no signal: ${reason}`)
    kernel.events.emit('meta.signal_bad', { file, reason })
  }
  const queued = [...before.queued, ...signals]
  const perception = {
    snapshot,
    operation,
    ...judged,
    queued,
    expired: before.expired + expired,
    last_commit: (store.get(LAST_COMMIT) ?? null) as JsonMap | null,
  }
  const { notes } = before
  const told = bad.length === 0 ? notes : [...notes, `${bad.length} signals could not be read`]
  return {
    outcome: 'done',
    staged: { ...keptOf(before), perception, queued, expired: perception.expired, notes: told },
  }
}

/** A new look begins anew; what bounds the looks goes on. */
function keptOf(before: Parameters<StepWork>[1]): ReturnType<typeof fresh> {
  const { requeries, identity_rounds, drift_restart } = before
  return { ...fresh(), requeries, identity_rounds, drift_restart }
}
