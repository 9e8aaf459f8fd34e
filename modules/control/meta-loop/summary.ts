/** A cycle in words a person reads: what it saw, with the numbers before and after and their targets, and what it did. Pure. */
import type { Cycle, GoalGap } from '../../contracts/meta-loop.ts'

const FINDINGS_MAX = 5

/** `before`: the last that was completed. */
export function summaryOf(cycle: Cycle, before: Cycle | null): string {
  const name = cycle.number === 0 ? 'no cycle' : `cycle ${cycle.number}`
  const head = `${name} (${cycle.trigger}) ${cycle.status}${cycle.reason === null ? '' : `: ${cycle.reason}`}`
  return [
    head,
    ...scored(cycle, before),
    ...cycle.gaps.flatMap((gap) => shownGap(gap, before)),
    ...seen(cycle),
    ...done(cycle),
  ].join('; ')
}

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined ? 'unknown' : String(Number(value.toPrecision(4)))

function scored({ scores }: Cycle, before: Cycle | null): string[] {
  if (scores === null) return []
  const was = before?.scores?.aggregate
  const below = scores.below_threshold.length === 0 ? '' : `, below threshold: ${scores.below_threshold.join(' ')}`
  return [`score ${shown(scores.aggregate)} (before ${shown(was)})${below}`]
}

function shownGap({ goal, current, target, gap }: GoalGap, before: Cycle | null): string[] {
  if (gap === null) return []
  const was = before?.gaps.find((one) => one.goal === goal)?.current
  return [`${goal} ${shown(current)} (before ${shown(was)}, target ${shown(target)})`]
}

const seen = ({ findings }: Cycle): string[] =>
  findings.length === 0
    ? []
    : [
        `${findings.length} findings: ${findings
          .slice(0, FINDINGS_MAX)
          .map(({ rule }) => rule)
          .join(' ')}`,
      ]

function done({ proposals, applied, pending, notes }: Cycle): string[] {
  const counts =
    proposals.length === 0
      ? []
      : [`${proposals.length} proposals, ${applied.length} applied, ${pending.length} waiting`]
  return [...counts, ...notes]
}
