/**
 * Step 4: each change the critic wants, from the value that is there now, with the tier the policy gives it; then a test
 * against what tasks came to lately (channel C). Nothing is written. While the system is frozen nothing is wanted.
 */
import type { OperationEvent } from '../../../contracts/meta-metrics.ts'
import type { Altitude } from '../../../contracts/policy.ts'
import { canonicalJson } from '../../../lib/canonical-json.ts'
import { shortHash } from '../../../lib/hash.ts'
import { liveConfigs } from '../live.ts'
import type { Means } from '../means.ts'
import { shadowTest } from '../shadow-test.ts'
import { reviewOf, type CycleIdentity, type StagedChange, type Staged, type StepWork } from '../staged.ts'

export const policyRevision: StepWork = async (means, staged, cycle) => {
  const { notes } = staged
  const wanted = staged.critic?.changes ?? []
  if (wanted.length === 0) return { outcome: 'done', staged: { changes: [] } }
  if ((await means.system.status()).frozen !== 'none')
    return { outcome: 'done', staged: { changes: [], notes: [...notes, 'the system is frozen: nothing is proposed'] } }
  const live = liveConfigs(await means.system.configs())
  const changes: StagedChange[] = []
  const off: string[] = []
  const altitudes: ReadonlySet<Altitude> = new Set(means.config.altitudes)
  for (const change of wanted) {
    const old = live.valueOf(change.file, change.key)
    if (old === undefined || canonicalJson(old) === canonicalJson(change.new)) continue
    const finding = staged.critic?.findings.find(
      ({ rule, change: its }) => rule === change.for && its?.key === change.key,
    )
    const fingerprint = finding?.fingerprint ?? shortHash(canonicalJson([change.for, change.file, change.key]))
    const unjudged: StagedChange = { ...change, old, tier: 'HUMAN_REVIEW', fingerprint }
    const { altitude, judged: staging } = await judged(means, unjudged, staged, cycle)
    if (altitudes.has(altitude)) changes.push(staging)
    else off.push(`${change.file} ${change.key} is ${altitude}, which the loop does not propose`)
  }
  const told = [...notes, ...off.filter((one) => !notes.includes(one))]
  if (changes.length === 0 || staged.shadow_test !== null) return { outcome: 'done', staged: { changes, notes: told } }
  const { shadow_test_window: window } = means.config.meta_loop
  const shadow_test = shadowTest(changes, await outcomes(means, window))
  return { outcome: shadow_test.passed ? 'done' : 'unsafe', staged: { changes, shadow_test, notes: told } }
}

async function judged(
  { policy, kernel }: Means,
  change: StagedChange,
  staged: Readonly<Staged>,
  { name }: CycleIdentity,
): Promise<{ altitude: Altitude; judged: StagedChange }> {
  const { file, key, old, new: next } = change
  const review = reviewOf(staged)
  const { tier, altitude } = await policy.check({
    origin: 'self',
    actor: kernel.api,
    changes: [{ kind: 'value', file, key, old, new: next }],
    undo: [{ operation: 'restore_value', target: `${file} ${key}` }],
    cycle: name,
    ...(review === undefined ? {} : { review }),
  })
  return { altitude, judged: { ...change, tier } }
}

/** Newest first. */
async function outcomes({ metrics, config }: Means, limit: number): Promise<boolean[]> {
  const types: OperationEvent['type'][] = ['task_complete', 'task_failed']
  const { events } = await metrics.recorded({ bot_id: config.bot_id, types, limit })
  return events.map(({ type, data }) => type === 'task_complete' && data['status'] !== 'failed')
}
