/**
 * How the loop itself does, from entries of the ledger and nothing else: so whoever reads the ledger comes to the same
 * numbers. A change is the loop's where it proposed it, or asked for the improvement that did. Pure.
 */
import type { LedgerEntry } from '../../contracts/ledger.ts'
import type { LoopHealth } from '../../contracts/meta-loop.ts'
import type { JsonMap } from '../../contracts/seams.ts'

/** `entries`: of the actions of `HEALTH_ACTIONS`, in the order of the ledger. `actor`: the name of the loop's service. */
export function healthOf(entries: readonly LedgerEntry[], actor: string): LoopHealth {
  const began = new Map<string, number>()
  const latencies: number[] = []
  const asked = new Set<string>()
  for (const { action, actor: by, payload = {} } of entries)
    if (action === 'improvement_asked' && by === actor) asked.add(String(payload['improvement']))
  const own = new Set<string>()
  const live = new Set<string>()
  const judged = new Map<string, boolean>()
  let [held, looked] = [0, 0]
  for (const { action, actor: by, cycle = '', time, outcome, payload = {} } of entries) {
    const start = began.get(cycle)
    if (action === 'cycle_begun') began.set(cycle, time)
    else if (action === 'cycle_ended' && start !== undefined) {
      latencies.push(time - start)
      held += Number(payload['rules_held'] ?? 0)
      looked += Number(payload['rules_asked'] ?? 0)
    } else if (action === 'change_proposed') {
      if (by === actor || asked.has(parentOf(payload))) own.add(cycle)
    } else if (!own.has(cycle)) continue
    else if (action === 'change_live') live.add(cycle)
    else if (action === 'change_verified' && outcome === 'confirmed') judged.set(cycle, true)
    else if (TAKEN_BACK.has(action)) judged.set(cycle, false)
  }
  const kept = [...judged.values()].filter(Boolean).length
  const takenBack = [...live].filter((cycle) => judged.get(cycle) === false).length
  return {
    cycles: latencies.length,
    cycle_latency_ms: shareOf(
      latencies.reduce((sum, ms) => sum + ms, 0),
      latencies.length,
    ),
    directive_success_rate: shareOf(kept, judged.size),
    rollback_rate: shareOf(takenBack, live.size),
    policy_match_rate: shareOf(held, looked),
  }
}

/** The improvement that led to a change. */
const parentOf = ({ lineage }: JsonMap): string => String((lineage as JsonMap | undefined)?.['parent'] ?? '')

const TAKEN_BACK: ReadonlySet<string> = new Set(['change_restored', 'change_undone', 'change_failed'])

export const HEALTH_ACTIONS = [
  'cycle_begun',
  'cycle_ended',
  'improvement_asked',
  'change_proposed',
  'change_live',
  'change_verified',
  ...TAKEN_BACK,
] as const

const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)
