/** AROS 24, 26, 28: which changes of a value go through, from which distance on a person decides, and what never happens. */
import { expect, it } from 'vitest'
import type { Direction, Tier } from '../../../modules/contracts/policy.ts'
import type { Json } from '../../../modules/contracts/seams.ts'
import { classify } from '../../../modules/control/policy/classify.ts'
import { DIRECTIONS } from '../../../modules/control/policy/directions.ts'

const KNOWN: Record<string, Direction> = {
  ...DIRECTIONS,
  'harness.n': { tighter: 'neither' },
  'critic.threshold': { tighter: 'neither' },
}

function tierOf(key: string, old: Json | undefined, next: Json | undefined, approved?: Json): Tier {
  const change = { kind: 'value' as const, file: 'configs/a.yml', key, old, new: next }
  return classify(approved === undefined ? change : { ...change, approved }, KNOWN[key]).tier
}

const [A, H, N] = ['AUTO_APPROVE', 'HUMAN_REVIEW', 'NEVER'] as const

it.each<[string, Json | undefined, Json | undefined, Tier]>([
  ['harness.retry_limit', 10, 12, A],
  ['harness.retry_limit', 10, 13, H],
  ['harness.retry_limit', 3, 4, H],
  ['harness.retry_limit', 5, 4, A],
  // Tightening has a floor: half of what was approved.
  ['harness.retry_limit', 10, 5, A],
  ['harness.retry_limit', 10, 4, H],
  ['harness.retry_limit', 10, 0, H],
  // Lower is tighter here, whatever the original's table says.
  ['meta_loop.drift_threshold', 0.5, 0.4, A],
  ['meta_loop.drift_threshold', 0.5, 0.6, A],
  ['meta_loop.drift_threshold', 0.5, 0.61, H],
  ['meta_loop.drift_threshold', 0.3, 9, H],
  ['goals.success_rate', 0.9, 0.91, H],
  ['meta_goals.G1', 0.8, 0.8, H],
  ['unknown.word', 'a', 'b', H],
  ['unknown.number', 10, 11, H],
  ['meta_loop.anything', 1, 1, H],
  ['cadence.mode', 'balanced', 'frozen', A],
  ['cadence.mode', 'balanced', 'endless', H],
  ['cadence.min_interval_between_cycles_seconds', 180, 150, A],
  ['cadence.min_interval_between_cycles_seconds', 180, 1, H],
  ['cadence.min_interval_between_cycles_seconds', 180, 260, A],
  ['harness.n', 0, 0.2, A],
  ['harness.n', 0, 0.3, H],
  ['critic.threshold', 1, 0, H],
  ['harness.retry_limit', null, 999_999, H],
  ['harness.retry_limit', undefined, 3, H],
  ['harness.retry_limit', 3, undefined, H],
  ['harness.retry_limit', 10, '11', H],
  ['meta_events.anything', 1, 1, N],
  ['critic.enabled', true, false, N],
  ['permissions.human_review_required', true, false, N],
  ['adversarial.level', 1, 1, N],
])('%s: %s → %s is %s', (key, old, next, tier) => {
  expect(tierOf(key, old, next)).toBe(tier)
})

it('steps do not add up: each is measured from the value a person approved', () => {
  expect(tierOf('harness.retry_limit', 12, 14, 10)).toBe(H)
  expect(tierOf('harness.retry_limit', 12, 12, 10)).toBe(A)
  expect(tierOf('harness.retry_limit', 8, 7, 10)).toBe(A)
  let value = 10
  for (let step = 0; step < 50; step++) {
    const next = value * 1.1
    if (tierOf('harness.retry_limit', value, next, 10) === A) value = next
  }
  expect(value).toBeLessThanOrEqual(12)
  for (let step = 0; step < 50; step++) {
    const next = value * 0.9
    if (tierOf('harness.retry_limit', value, next, 10) === A) value = next
  }
  expect(value).toBeGreaterThanOrEqual(5)
})
