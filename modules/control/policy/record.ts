/** A verdict as the ledger keeps it: who wanted what, what was said to it and by which rule, in a few words a change. Pure. */
import type { LedgerInput } from '../../contracts/ledger.ts'
import type { Change, PolicyQuestion, PolicyVerdict } from '../../contracts/policy.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { shortJson } from '../../lib/short-json.ts'

/** Entries of this action are counted against the limits of changes. */
export const RATED = 'policy_decided'

const CHANGES_MAX = 20
const TEXT_MAX = 200

export function entryOf({ origin, actor, changes, cycle }: PolicyQuestion, verdict: PolicyVerdict): LedgerInput {
  const { tier, rule, message, altitude, impact } = verdict
  const [first] = changes.filter(({ kind }) => kind !== 'tool')
  const resource = nameOf(first ?? (changes[0] as Change))
  const shown = changes.slice(0, CHANGES_MAX).map(shownAs)
  return {
    actor: actor.slice(0, TEXT_MAX),
    origin,
    action: RATED,
    resource: resource.slice(0, TEXT_MAX),
    outcome: tier,
    reason: `${rule}: ${message}`.slice(0, 2_000),
    ...(cycle === undefined ? {} : { cycle }),
    payload: { rule, altitude, impact, changes: shown, changes_total: changes.length },
  }
}

function nameOf(change: Change): string {
  switch (change.kind) {
    case 'file':
      return change.path
    case 'value':
      return change.file
    case 'grant':
      return `service:${change.service}`
    case 'tool':
      return `tool:${change.tool}`
    default:
      return change satisfies never
  }
}

/** Values in a few words: they may be secrets, and large. */
function shownAs(change: Change): JsonMap {
  switch (change.kind) {
    case 'file':
      return { file: change.path, operation: change.operation }
    case 'value':
      return { file: change.file, key: change.key, old: shortJson(change.old), new: shortJson(change.new) }
    case 'grant':
      return { service: change.service, grant: change.grant.slice(0, TEXT_MAX) }
    case 'tool':
      return { tool: change.tool }
    default:
      return change satisfies never
  }
}
