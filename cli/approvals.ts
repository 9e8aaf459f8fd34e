/**
 * The commands for what waits for a person: list it, look at it, allow it, refuse it. What is decided is a turn of the
 * assistant, which goes on, or an action that was parked, which is done; the id says which.
 */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { Approval } from '../modules/contracts/approvals.ts'
import type { ChatAnswer } from '../modules/contracts/services.ts'
import { coded, fromErrorData } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { clockOf, dim, fields, print, printJson, table } from './output.ts'
import { createScreen, showEnd } from './prompt.ts'

async function approvals({ root, json }: Common, id?: string): Promise<void> {
  const client = new Client(root)
  if (id !== undefined) {
    show(await client.ask('GET /api/approvals/{id}', { params: { id } }), json)
    return
  }
  const { approvals: found } = await client.ask('GET /api/approvals', {})
  if (json) printJson(found)
  else if (found.length === 0) print('nothing waits for a decision')
  else {
    const rows = found.map(({ approval_id, conversation_id, actor, asked_at, impact, question, confirmed_by }) => {
      const twice = typeof confirmed_by === 'string' ? ` ${dim(`(confirmed once, by ${confirmed_by})`)}` : ''
      const from = conversation_id ?? actor ?? ''
      return [approval_id, from, impact ?? '', clockOf(asked_at), question.replaceAll(/\s+/g, ' ') + twice]
    })
    print(table([['APPROVAL', 'FROM', 'IMPACT', 'ASKED', 'QUESTION'], ...rows]))
  }
}

function show(approval: Approval, json: boolean): void {
  if (json) {
    printJson(approval)
    return
  }
  const { diff, action: _action, bases: _bases, key: _key, evidence, ...rest } = approval
  print(fields({ ...rest, asked_at: clockOf(rest.asked_at), expires_at: clockOf(rest.expires_at), evidence }))
  if (diff !== undefined) print(`\n${diff}`)
}

interface ApproveOptions {
  note?: string
  reason?: string
  scope?: string
  for?: string
}

const SCOPES = ['once', 'service', 'class'] as const
const HOUR_MS = 3_600_000

function approve(
  common: Common,
  id: string,
  { note, reason = note, scope, for: hours }: ApproveOptions,
): Promise<void> {
  const known = SCOPES.find((one) => one === scope)
  if (scope !== undefined && known === undefined) throw coded('usage', { reason: `--scope is ${SCOPES.join(', ')}` })
  const expires_in_ms = hours === undefined ? undefined : Math.round(Number(hours) * HOUR_MS)
  if (expires_in_ms !== undefined && !(expires_in_ms > 0))
    throw coded('usage', { reason: '--for is a number of hours' })
  return decide(common, id, {
    approved: true,
    ...(reason === undefined ? {} : { note: reason }),
    ...(known === undefined ? {} : { scope: known }),
    ...(expires_in_ms === undefined ? {} : { expires_in_ms }),
  })
}

async function deny(common: Common, id: string, { reason }: { reason?: string }): Promise<void> {
  if (reason === undefined || reason.trim() === '') throw coded('usage', { reason: 'Say why: --reason "…"' })
  await decide(common, id, { approved: false, note: reason })
}

interface Body {
  approved: boolean
  note?: string
  scope?: (typeof SCOPES)[number]
  expires_in_ms?: number
}

async function decide({ root, json }: Common, id: string, decision: Body): Promise<void> {
  const body = { ...decision, by: userInfo().username }
  const answer = await new Client(root).ask('POST /api/approvals/{id}', { params: { id }, body })
  if (json) printJson(answer)
  if ('conversation_id' in answer) {
    if (!json) showTurn(answer, decision.approved)
    return
  }
  const { outcome } = answer
  if (outcome?.ok === false) throw fromErrorData(outcome.value as never)
  if (!json) print(wordsOf(answer))
}

function showTurn(answer: ChatAnswer, isApproved: boolean): void {
  const screen = createScreen((text) => process.stdout.write(text))
  print(isApproved ? 'approved; the turn went on:' : 'denied; the turn went on:')
  if (answer.answer !== '') screen.lines(answer.answer)
  showEnd(answer, screen)
}

function wordsOf({ id, state, title, outcome }: Approval): string {
  switch (state) {
    case 'pending':
      return `confirmed once: ${title}\nIt is CRITICAL. Confirm it again, with a reason: mm approve ${id} --reason "…"`
    case 'approved':
      return `approved and done: ${title}\n${JSON.stringify(outcome?.value ?? null)}`
    case 'rejected':
    case 'expired':
      return `${state}: ${title}`
    default:
      return state satisfies never
  }
}

const ANSWER = 'of a turn the same as `mm chat`; of an action {id, state, title, outcome, decided_by, …}'

export function addApprovals(program: Command, { common }: Cli): void {
  prints(
    program
      .command('approvals [id]')
      .description('what waits for a person to decide; with an id, all that is known of that action')
      .action((id?: string) => approvals(common(), id)),
    '[{approval_id, source, question, asked_at, state, conversation_id, actor, target, impact}]',
  )
  prints(
    program
      .command('approve <id>')
      .description('allow it; the turn that waits goes on, the action that waits is done')
      .option('--note <text>', 'a word to the model')
      .option('--reason <text>', 'why; a second confirmation needs it')
      .option('--scope <scope>', 'what else is allowed: once, service or class')
      .option('--for <hours>', 'how long that holds; a day without it')
      .action((id: string, options: ApproveOptions) => approve(common(), id, options)),
    ANSWER,
  )
  prints(
    program
      .command('deny <id>')
      .description('refuse it; the turn that waits goes on without')
      .option('--reason <text>', 'why; the model is told')
      .action((id: string, options: { reason?: string }) => deny(common(), id, options)),
    ANSWER,
  )
}
