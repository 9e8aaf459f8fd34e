/**
 * Changes that were proposed, for the commands that show and undo changes: the lines beside what the history knows, one
 * of them with everything that was said about it, and its way back.
 */
import { userInfo } from 'node:os'
import type { Evidence, Proposal, Verification } from '../modules/contracts/proposals.ts'
import { codeOf } from '../modules/lib/errors.ts'
import type { ApiAnswer } from './api.ts'
import { Client } from './client.ts'
import type { Common } from './common.ts'
import { clockOf, dim, fields, green, print, printJson, red, table } from './output.ts'

type Line = ApiAnswer<'GET /api/changes'>['changes'][number]

/** Whether a name is that of a proposal. */
export const isProposal = (name: string): boolean => /^c[1-9]\d*$/.test(name)

/** None where nobody leads proposals. Since: epoch ms. */
export async function proposalsSince(client: Client, since: number, service?: string): Promise<Line[]> {
  try {
    const query = service === undefined ? {} : { service }
    const { changes } = await client.ask('GET /api/changes', { query })
    return changes.filter(({ changed_at }) => changed_at >= since)
  } catch (thrown) {
    if (codeOf(thrown) === 'service_not_found') return []
    throw thrown
  }
}

const GOOD = new Set(['confirmed', 'watching'])
const BAD = new Set(['refused', 'failed', 'restored', 'stale'])
const colored = (state: string): string => (GOOD.has(state) ? green(state) : BAD.has(state) ? red(state) : state)

export function printProposals(found: readonly Line[]): void {
  const rows = found.map(({ id, state, service, title, changed_at, message }) => {
    return [dim(clockOf(changed_at)), id, colored(state), service, `${title.replaceAll(/\s+/g, ' ')}: ${message}`]
  })
  print(table([['AT', 'CHANGE', 'STATE', 'SERVICE', 'WHAT'], ...rows]))
}

export async function showProposal({ root, json }: Common, id: string): Promise<void> {
  const found = await new Client(root).ask('GET /api/changes/{id}', { params: { id } })
  if (json) {
    printJson(found)
    return
  }
  const { service, title, actor, origin, intent, reason, touches, approved_by, cost_usd, message } = found
  const { approval_id, occurrences, generations, ledger } = found
  const at = found.live_at === null ? {} : { live_at: clockOf(found.live_at) }
  const policy =
    found.verdict === null ? null : `${found.verdict.tier} by ${found.verdict.rule}: ${found.verdict.message}`
  print(`${id}  ${colored(found.state)}  ${message}`)
  print(
    fields({
      title,
      service,
      touches,
      actor,
      origin,
      intent,
      reason: reason ?? null,
      policy,
      approval_id,
      approved_by,
    }),
  )
  print(fields({ ...at, generations, cost_usd: cost_usd ?? null, occurrences, ledger }))
  printChecks(found.evidence ?? [])
  printVerifications(found)
  print(`\n${found.diff}`)
  for (const hint of hintsOf(found)) print(dim(hint))
}

function printChecks(evidence: readonly Evidence[]): void {
  if (evidence.length === 0) return
  print(
    table(evidence.map(({ check, outcome, message }) => ['check', check, outcome, message.replaceAll(/\s+/g, ' ')])),
  )
}

function printVerifications({ verifications, before }: Proposal): void {
  if (before !== null && verifications.length === 0) print(fields({ before }))
  for (const { round, verdict, message, window_ms, guards, target } of verifications) {
    print(`measured ${round}  ${verdict} after ${Math.round(window_ms / 100) / 10} s  ${message}`)
    const shown = target === null ? guards : [target, ...guards]
    print(table(shown.map(rowOf)))
  }
}

type Comparison = Verification['guards'][number]

function rowOf({ service, metric, before, after, change, outcome }: Comparison): string[] {
  const number = (value: number | null): string => (value === null ? '-' : String(Math.round(value * 1_000) / 1_000))
  const by = change === null ? '' : `${Math.round(change * 1_000) / 10} %`
  return ['', service, metric, `${number(before.value)} → ${number(after.value)}`, by, outcome]
}

function hintsOf({ id, state, approval_id }: Proposal): string[] {
  if (state === 'waiting' && approval_id !== null)
    return [`mm approve ${approval_id}`, `mm deny ${approval_id} --reason "…"`]
  return GOOD.has(state) ? [`mm undo ${id} puts the bytes before it back`] : []
}

export async function undoProposal({ root, json }: Common, id: string, reason?: string): Promise<void> {
  const body = { by: userInfo().username, ...(reason === undefined ? {} : { reason }) }
  const found = await new Client(root).ask('POST /api/changes/{id}/undo', { params: { id }, body })
  if (json) printJson(found)
  else print(`${id}  ${found.state}  ${found.touches.join(', ')}: the bytes before it are back`)
}
