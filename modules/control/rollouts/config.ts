/** What `rollouts` is configured with, and the limits that are no setting. */
import { z } from 'zod'

const share = z.number().min(0).max(1)
const ms = z.number().int().positive()

export const configSchema = z.object({
  /** how long a change is measured before it is judged; an inconclusive one as long again */
  window_ms: ms.default(60_000),
  /** calls of its service in that time; with fewer, nothing is concluded */
  samples_min: z.number().int().positive().default(50),
  /** how often is looked */
  check_ms: ms.min(10).default(1_000),
  /** after a change goes live, how long its calls are not yet timed: code that has just been loaded is slow */
  settle_ms: z.number().int().min(0).default(1_000),
  /** how long services may take to take a change */
  take_ms: ms.default(30_000),
  /** a guard may be worse by this share */
  tolerance: share.default(0.05),
  /** a target has to be better by this share, where the proposal says nothing */
  min_effect: share.default(0.05),
  /** times that differ by less are the same */
  latency_floor_ms: z.number().min(0).default(0.2),
  /** what gets better because other programs leave the processor alone is no effect of a change (known on Linux) */
  heed_other_work: z.boolean().default(true),
  /** so many changes taken back within `pause_ms`: the system proposes nothing new */
  restores_max: z.number().int().positive().default(3),
  pause_ms: ms.default(3_600_000),
  open_max: z.number().int().positive().default(200),
  /** of all texts of a proposal */
  bytes_max: z.number().int().positive().default(1_048_576),
  /** proposals that are over, with the bytes before them */
  kept_max: z.number().int().positive().default(1_000),
})

export type Config = z.infer<typeof configSchema>

export const EDITS_MAX = 50
export const LIST_MAX = 500
/** of a diff, as a person gets it to decide on */
export const DIFF_CHARS_MAX = 200_000
