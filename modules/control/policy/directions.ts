/**
 * Which way each value makes the system stricter, and how far it may go at all. A value has a direction by its key
 * wherever it stands (`section.key`), or only in configs of one module (`agents/assistant steps_max`): the same word
 * means something else elsewhere. What stands in no row is for a person. Pure; operators add rows in the policy's config.
 */
import type { Change, Direction } from '../../contracts/policy.ts'

export type Directions = Readonly<Record<string, Direction>>

/** The kernel lays what stands there over the other keys. */
const PARAMS = 'params.'

/** `prog`: what the config of the change runs, as it says it itself. */
export function directionOf(change: Change, prog: unknown, directions: Directions): Direction | undefined {
  if (change.kind !== 'value') return undefined
  const { key } = change
  const plain = key.startsWith(PARAMS) ? key.slice(PARAMS.length) : key
  const rows = typeof prog === 'string' ? [`${prog} ${plain}`, key] : [key]
  const row = rows.find((one) => Object.hasOwn(directions, one))
  return row === undefined ? undefined : directions[row]
}

/** The directions that ship: AROS' keys, and every value that the loop's own rules and knobs turn. */
export const DIRECTIONS: Directions = {
  'harness.retry_limit': { tighter: 'lower', min: 0 },
  'harness.max_chain_depth': { tighter: 'lower', min: 1 },
  'harness.max_batch_size': { tighter: 'lower', min: 1 },
  'cadence.max_cycles_per_hour': { tighter: 'lower', min: 0 },
  'cadence.max_cycles_per_day': { tighter: 'lower', min: 0 },
  'cadence.max_emergency_per_hour': { tighter: 'lower', min: 0 },
  'cadence.min_interval_between_cycles_seconds': { tighter: 'higher', min: 1 },
  'cadence.mode': { tighter: 'neither', values: ['balanced', 'aggressive', 'conservative', 'frozen'] },
  'meta_loop.shadow_test_window': { tighter: 'lower', min: 1 },
  'meta_loop.drift_threshold': { tighter: 'lower', min: 0.05, max: 1 },
  // With one step an assistant could call a tool and never say what came of it.
  'agents/assistant steps_max': { tighter: 'lower', min: 2, max: 100 },
  'control/meta-loop confidence_min': { tighter: 'higher', min: 0.5, max: 1 },
  'inference/ask depth_max': { tighter: 'lower', min: 1, max: 10 },
  'inference/openai retries': { tighter: 'lower', min: 0, max: 10 },
  'inference/openai temperature': { tighter: 'lower', min: 0, max: 2 },
  'services/tools deadline_ms': { tighter: 'lower', min: 5_000, max: 600_000 },
}
