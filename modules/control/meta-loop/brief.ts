/** What happened since somebody last looked, in eight lines at most, with numbers; and what happened while he was away. Pure. */
import type { Briefing, CadenceMode, Cycle, LoopAlert } from '../../contracts/meta-loop.ts'
import type { Proposal } from '../../contracts/proposals.ts'

export interface BriefFacts {
  /** epoch milliseconds */
  since: number
  mode: CadenceMode
  /** since then, newest first */
  cycles: readonly Cycle[]
  /** of the loop, that changed since then */
  proposals: readonly Proposal[]
  /** that wait now */
  waiting: readonly Proposal[]
  alerts: readonly LoopAlert[]
}

const ACTIVITY_MAX = 5
const LINES_MAX = 8

export function briefOf({ since, mode, cycles, proposals, waiting, alerts }: BriefFacts): string[] {
  const newest = cycles.find(({ scores }) => scores !== null)
  const open = (newest?.gaps ?? []).filter(({ gap }) => gap !== null && gap > 0)
  const told = alerts.filter(({ at }) => at >= since)
  const lines = [
    `Since ${new Date(since).toISOString()}: ${cycles.length} attempts at a cycle (${counts(cycles.map(({ status }) => status))}), cadence ${mode}`,
    `${proposals.length} proposals changed (${counts(proposals.map(({ state }) => state))})`,
    `${waiting.length} wait for you${
      waiting.length === 0
        ? ''
        : `: ${waiting
            .slice(0, ACTIVITY_MAX)
            .map(({ id }) => id)
            .join(' ')}`
    }`,
    `Score ${newest?.scores?.aggregate ?? 'unknown'}; below threshold: ${newest?.scores?.below_threshold.join(' ') || 'none'}`,
    `Not reached: ${open.map(({ goal, current, target }) => `${goal} ${current} of ${target}`).join(', ') || 'nothing that is measured'}`,
    `${sum(cycles, ({ findings }) => findings.length)} findings, ${sum(cycles, (one) => one.queued_signals.length)} signals read, ${sum(cycles, (one) => one.signals_expired)} expired`,
    `${told.length} alerts${
      told.length === 0
        ? ''
        : `: ${told
            .slice(0, ACTIVITY_MAX)
            .map(({ message }) => message)
            .join('; ')}`
    }`,
  ]
  return lines.slice(0, LINES_MAX)
}

export function briefingOf({ cycles, waiting, since, proposals }: Omit<BriefFacts, 'mode' | 'alerts'>): Briefing {
  const begun = cycles.filter(({ number }) => number > 0)
  const completed = begun.filter(({ status }) => status === 'completed')
  const decisions = proposals.filter(({ created_at }) => created_at >= since)
  return {
    cycles_run: begun.length,
    cycles_completed: completed.length,
    decisions_made: decisions.length,
    pending_reviews: waiting.length,
    recent_activity: begun.slice(0, ACTIVITY_MAX).map(({ summary }) => summary),
    summary: `${begun.length} cycles, ${completed.length} of them completed; ${decisions.length} changes proposed, ${waiting.length} wait for you`,
  }
}

function counts(words: readonly string[]): string {
  const counted = new Map<string, number>()
  for (const word of words) counted.set(word, (counted.get(word) ?? 0) + 1)
  return [...counted].map(([word, count]) => `${count} ${word}`).join(', ') || 'none'
}

const sum = (cycles: readonly Cycle[], of: (cycle: Cycle) => number): number =>
  cycles.reduce((total, cycle) => total + of(cycle), 0)
