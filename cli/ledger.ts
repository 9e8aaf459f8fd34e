/** The commands for the record of decisions and changes: its newest entries, its cycles, whether it is what was written. */
import type { Command } from 'commander'
import type { LedgerEntry } from '../modules/contracts/ledger.ts'
import { coded } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { clockOf, dim, print, printJson, table } from './output.ts'

const PAGE = 500

interface TailOptions {
  lines: string
  actor?: string
  action?: string
}

function countOf(lines: string): number {
  const limit = Number(lines)
  if (Number.isInteger(limit) && limit > 0) return limit
  throw coded('usage', { reason: '--lines is a number' })
}

async function tail({ root, json }: Common, { lines, ...wanted }: TailOptions): Promise<void> {
  const { entries } = await new Client(root).ask('GET /api/ledger', { query: { limit: countOf(lines), ...wanted } })
  if (json) printJson(entries)
  else if (entries.length === 0) print('nothing has been recorded yet')
  else print(table([['ENTRY', 'AT', 'BY', 'WHAT', 'TO', 'OUTCOME', 'WHY'], ...entries.map(rowOf)]))
}

const rowOf = ({ sequence, time, actor, action, resource, outcome, reason = '' }: LedgerEntry): string[] => [
  String(sequence),
  clockOf(time),
  actor,
  action,
  resource,
  outcome,
  dim(reason.replaceAll(/\s+/g, ' ')),
]

async function verify({ root, json }: Common, { setExitCode }: Cli): Promise<void> {
  const checked = await new Client(root).ask('GET /api/ledger/verify', {})
  const { valid, entries, head, at, fault } = checked
  if (json) printJson(checked)
  else if (valid) print(`${entries} entries, all as they were written; head ${head === null ? '-' : head.hash}`)
  else print(`entry ${at} is not what was written: ${fault}. ${entries} entries before it are right`)
  if (!valid) setExitCode(1)
}

/** One entry a line, oldest first. */
async function exportAll({ root }: Common): Promise<void> {
  const client = new Client(root)
  for (let after = 0; ; ) {
    const { entries } = await client.ask('GET /api/ledger', { query: { after, limit: PAGE } })
    for (const entry of entries) print(JSON.stringify(entry))
    const last = entries.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}

async function evolution({ root, json }: Common, { lines, jsonl }: { lines: string; jsonl: boolean }): Promise<void> {
  const { cycles } = await new Client(root).ask('GET /api/ledger/cycles', { query: { limit: countOf(lines) } })
  if (jsonl) for (const line of cycles) print(JSON.stringify(line))
  else if (json) printJson(cycles)
  else if (cycles.length === 0) print('no cycle has been recorded yet')
  else {
    const rows = cycles.map(({ cycle, started_at, actor, actions, outcome, from, to }) => {
      return [cycle, clockOf(started_at), actor, outcome, `${from}–${to}`, dim(actions.join(' → '))]
    })
    print(table([['CYCLE', 'BEGAN', 'BY', 'OUTCOME', 'ENTRIES', 'STEPS'], ...rows]))
  }
}

async function replay({ root, json }: Common, cycle: string): Promise<void> {
  const { entries } = await new Client(root).ask('GET /api/ledger/cycles/{cycle}', { params: { cycle } })
  if (json) printJson(entries)
  else print(table(entries.map(rowOf)))
}

const ENTRIES = '[{sequence, time, actor, origin, action, resource, outcome, reason, cycle, payload, hash}]'

export function addLedger(program: Command, cli: Cli): void {
  const { common } = cli
  const ledger = program.command('ledger').description('the record of every decision and change')
  prints(
    ledger
      .command('tail')
      .description('its newest entries')
      .option('--lines <n>', 'so many', '20')
      .option('--actor <name>', 'only of this one')
      .option('--action <name>', 'only this, as approval_approved')
      .action((options: TailOptions) => tail(common(), options)),
    ENTRIES,
  )
  prints(
    ledger
      .command('verify')
      .description('whether all of it is what was written; exit code 1 when not')
      .action(() => verify(common(), cli)),
    '{valid, entries, head, at, fault}',
  )
  prints(
    ledger
      .command('export')
      .description('all of it, one entry a line')
      .action(() => exportAll(common())),
    'one JSON object a line',
  )
  prints(
    ledger
      .command('evolution')
      .description('one line for each cycle, whatever became of it')
      .option('--lines <n>', 'so many', '50')
      .option('--jsonl', 'one JSON object a line', false)
      .action((options: { lines: string; jsonl: boolean }) => evolution(common(), options)),
    '[{cycle, started_at, ended_at, actor, outcome, actions, entries, from, to}]',
  )
  prints(
    ledger
      .command('replay <cycle>')
      .description('every entry of one cycle')
      .action((cycle: string) => replay(common(), cycle)),
    ENTRIES,
  )
}
