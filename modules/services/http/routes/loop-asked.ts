/** The way of the routes to the meta-loop and its metrics, and the one answer where they are not there. */
import type { MetaLoopApi, Scores } from '../../../contracts/meta-loop.ts'
import type { ControlMetricsApi } from '../../../contracts/meta-metrics.ts'
import type { Handle } from '../../../contracts/module.ts'
import type { RolloutsApi } from '../../../contracts/proposals.ts'
import { coded, codeOf } from '../../../lib/errors.ts'
import type { Desk } from './route.ts'

export const LOOP = 'meta-loop'

export const loopOf = ({ kernel }: Desk): Handle<MetaLoopApi> => kernel.getApi<MetaLoopApi>(LOOP)
export const metricsOf = ({ kernel }: Desk): Handle<ControlMetricsApi> =>
  kernel.getApi<ControlMetricsApi>('control/metrics')
export const rolloutsOf = ({ kernel }: Desk): Handle<RolloutsApi> => kernel.getApi<RolloutsApi>('rollouts')

/** A root without the loop has no wrong address: it lacks a part, so the answer is 503 and not 404. */
export async function there<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (thrown) {
    if (codeOf(thrown) !== 'service_not_found') throw thrown
    const { api = LOOP } = ((thrown as { details?: unknown }).details ?? {}) as { api?: string }
    throw coded('loop_missing', { api })
  }
}

/** As the AROS clients know scores: the goals beside the whole. */
export const flatScores = (scores: Scores | null): Record<string, number | null | string[]> | null =>
  scores === null
    ? null
    : { ...scores.goals, aggregate: scores.aggregate, below_threshold: [...scores.below_threshold] }
