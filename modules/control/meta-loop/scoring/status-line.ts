/**
 * The loop in one line of at most 500 characters, as it stands in the assistant's prompt and in `mm status --meta`. Pure.
 */
import type { MetaStatus } from '../../../contracts/meta-loop.ts'

export const LINE_CHARS_MAX = 500

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

export function statusLine(status: Omit<MetaStatus, 'line' | 'bars' | 'bot_id' | 'domains'>): string {
  const { cadence_mode, running, last_cycle, pending_approvals, scores, scores_error, gaps } = status
  const below = scores?.below_threshold ?? []
  const open = gaps.filter(({ gap }) => gap !== null && gap > 0)
  const parts = [
    `Meta-loop: ${cadence_mode}`,
    running ? 'a cycle runs' : undefined,
    last_cycle === null ? 'no cycle yet' : `last cycle #${last_cycle.number} ${last_cycle.status}`,
    counted(pending_approvals, 'pending approval'),
    scored(scores, scores_error),
    below.length === 0 ? undefined : `below threshold: ${below.join(' ')}`,
    open.length === 0 ? undefined : `not reached: ${open.map(({ goal }) => goal).join(' ')}`,
  ]
  return cut(`[${parts.filter((part) => part !== undefined).join(', ')}]`)
}

function scored(scores: MetaStatus['scores'], error: string | null): string {
  if (scores === null) return error === null ? 'no scores' : `no scores: ${error}`
  return scores.aggregate === null ? 'score unknown' : `score ${scores.aggregate}`
}

/** One line, whatever a message brought with it. */
function cut(line: string): string {
  const flat = line.replaceAll(/\s+/g, ' ')
  return flat.length <= LINE_CHARS_MAX ? flat : `${flat.slice(0, LINE_CHARS_MAX - 2)}…]`
}
