/**
 * Step 3: what the rules and the critic say of what was perceived. When nothing is known to judge by it looks again, at
 * most twice (channel A). After a failed shadow test it takes back what it said, and only tells (channel D).
 */
import type { CriticOutput } from '../../../contracts/meta-loop.ts'
import type { MetricDescriptor, MetricSnapshot, OperationMetrics } from '../../../contracts/meta-metrics.ts'
import { reasonOf } from '../../../lib/errors.ts'
import { firedMemory } from '../history.ts'
import type { Concluded } from '../judgement.ts'
import { liveConfigs } from '../live.ts'
import type { Means } from '../means.ts'
import type { Known } from '../rules/custom.ts'
import { perceived, type StepWork } from '../staged.ts'

const REQUERIES_MAX = 2
const UNSAFE_CONFIDENCE = 0.4
const EARLIER_MAX = 100

export const critique: StepWork = async (means, staged) => {
  const { judgement, system } = means
  const { shadow_test: test, critic: said } = staged
  if (said !== null && test?.passed === false)
    return { outcome: 'done', staged: { critic: withdrawn(said, test.reason), changes: [] } }
  const perception = perceived(staged)
  const { findings, silent, repeated } = await conclusion(means, perception.snapshot, perception.operation)
  const live = liveConfigs(await system.configs())
  const critic = judgement.criticize(perception, findings, live.valueOf)
  const isBlind = critic.action === 'NO_ACTION' && perception.operation.event_count === 0
  const known = { critic, silent, repeated }
  if (isBlind && staged.requeries < REQUERIES_MAX)
    return { outcome: 'no_data', staged: { ...known, requeries: staged.requeries + 1 } }
  return { outcome: 'done', staged: known }
}

/** What the rules say of a snapshot. */
export async function conclusion(
  means: Means,
  snapshot: MetricSnapshot,
  operation: OperationMetrics,
): Promise<Concluded> {
  const { judgement, metrics, kernel } = means
  const { snapshots } = await metrics.list({ until: snapshot.at, limit: EARLIER_MAX })
  const earlier = snapshots.filter(({ id }) => id !== snapshot.id).reverse()
  const catalogue = await metrics.catalogue()
  readCustom(means, catalogue)
  return judgement.conclude({
    snapshot,
    operation,
    earlier,
    catalogue,
    memory: await firedMemory(means),
    now: kernel.clock.now(),
  })
}

/** Rules that cannot be used are told; those before them stay in force. */
export function readCustom({ judgement, kernel }: Means, catalogue: readonly MetricDescriptor[]): void {
  try {
    judgement.readCustom(catalogue)
  } catch (thrown) {
    kernel.log.warn(`the rules of the config are not used: ${reasonOf(thrown)}`)
    kernel.events.emit('meta.rules_refused', { reason: reasonOf(thrown) })
  }
}

/** What somebody's new rule is read by. One that is in force may outlive the service it names. */
export async function knownNow({ judgement, metrics, system }: Means): Promise<Known> {
  const services = (await system.services()).map(({ api }) => api).filter((api) => api !== 'kernel')
  return { ...judgement.known(await metrics.catalogue()), services }
}

const withdrawn = (said: CriticOutput, reason: string): CriticOutput => ({
  ...said,
  action: 'ALERT',
  reason: `the shadow test failed: ${reason}`,
  confidence: UNSAFE_CONFIDENCE,
  changes: [],
})
