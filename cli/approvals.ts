/** The commands for what waits for a person: list it, allow it, refuse it. A decision shows how the turn went on. */
import { userInfo } from 'node:os'
import type { ChatAnswer, ParkedTurn } from '../modules/contracts/services.ts'
import { coded } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { print, printJson, table } from './output.ts'
import { createScreen, showEnd } from './prompt.ts'
import type { Command } from 'commander'
import { prints, type Cli, type Common } from './common.ts'

async function approvals({ root, json }: Common): Promise<void> {
  const { approvals: found } = await new Client(root).get<{ approvals: ParkedTurn[] }>('/api/approvals')
  if (json) printJson(found)
  else if (found.length === 0) print('nothing waits for a decision')
  else {
    const rows = found.map(({ approval_id, conversation_id, asked_at, question }) => {
      return [approval_id, conversation_id, new Date(asked_at).toISOString(), question.replaceAll(/\s+/g, ' ')]
    })
    print(table([['APPROVAL', 'CONVERSATION', 'ASKED', 'QUESTION'], ...rows]))
  }
}

const approve = (common: Common, id: string, { note }: { note?: string }): Promise<void> =>
  decide(common, id, { approved: true, ...(note === undefined ? {} : { note }) })

async function deny(common: Common, id: string, { reason }: { reason?: string }): Promise<void> {
  if (reason === undefined || reason.trim() === '') throw coded('usage', { reason: 'Say why: --reason "…"' })
  await decide(common, id, { approved: false, note: reason })
}

async function decide(
  { root, json }: Common,
  id: string,
  decision: { approved: boolean; note?: string },
): Promise<void> {
  const path = `/api/approvals/${encodeURIComponent(id)}`
  const answer = await new Client(root).post<ChatAnswer>(path, { ...decision, by: userInfo().username })
  if (json) {
    printJson(answer)
    return
  }
  const screen = createScreen((text) => process.stdout.write(text))
  print(decision.approved ? 'approved; the turn went on:' : 'denied; the turn went on:')
  if (answer.answer !== '') screen.lines(answer.answer)
  showEnd(answer, screen)
}

const ANSWER = 'the same as `mm chat`: how the turn went on'

export function addApprovals(program: Command, { common }: Cli): void {
  prints(
    program
      .command('approvals')
      .description('what waits for a person to decide')
      .action(() => approvals(common())),
    '[{approval_id, conversation_id, question, asked_at}]',
  )
  prints(
    program
      .command('approve <id>')
      .description('allow it; the turn that waits goes on')
      .option('--note <text>', 'a word to the model')
      .action((id: string, options: { note?: string }) => approve(common(), id, options)),
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
