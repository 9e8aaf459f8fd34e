/** What a month says in one line, as docs/reliability.md holds it. */
import { tell } from '../../support/nightly.ts'
import type { Month } from './run.ts'

export function tellMonth({ plan, found, false_proposals, violations, ...month }: Month): void {
  const { cycles, throttled, proposals, states, calls, events, ledger_entries, seconds } = month
  tell('a month', {
    seed: plan.seed,
    days: plan.days,
    seconds,
    calls,
    events,
    cycles,
    throttled,
    proposals,
    states,
    for_nothing: false_proposals.length,
    ledger_entries,
    seen_after_min: Object.fromEntries(found.map(({ kind, after_min }) => [kind, after_min])),
    violations: violations.length,
  })
}
