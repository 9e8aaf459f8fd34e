/** The commands that look back: what changed, what differs between two versions, and why something is as it is. */
import type { Command } from 'commander'
import type { FileDifference, Happening } from '../modules/contracts/history.ts'
import { coded } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { clockOf, dim, green, print, printJson, red, table } from './output.ts'
import { printProposals, proposalsSince } from './proposals.ts'

interface ChangesOptions {
  since: string
  service?: string
  lines: string
  all: boolean
  proposed: boolean
}

/** What happened, and beside it what was proposed. As JSON the one or the other. */
async function changes(
  { root, json }: Common,
  { since, service, lines, all, proposed: onlyProposed }: ChangesOptions,
): Promise<void> {
  const limit = Number(lines)
  if (!(Number.isInteger(limit) && limit >= 0)) throw coded('usage', { reason: '--lines is a number' })
  const query = {
    since: sinceOf(since),
    limit,
    all: all ? 'true' : 'false',
    ...(service === undefined ? {} : { service }),
  } as const
  const client = new Client(root)
  const proposed = json && !onlyProposed ? [] : await proposalsSince(client, query.since, service)
  const { changes: found } = onlyProposed ? { changes: [] } : await client.ask('GET /api/history', { query })
  if (json) {
    printJson(onlyProposed ? proposed : found)
    return
  }
  if (found.length > 0) print(table(found.map(rowOf)))
  if (found.length > 0 && proposed.length > 0) print('')
  if (proposed.length > 0) printProposals(proposed)
  if (found.length + proposed.length === 0) print(`nothing changed since ${clockOf(query.since)}`)
}

const rowOf = ({ time, id, text }: Happening): string[] => [dim(clockOf(time)), dim(id), text]

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `30m`, `24h`, `7d`, `yesterday`, or a date as `2026-11-20` or `2026-11-20T08:00`. Epoch milliseconds. */
export function sinceOf(text: string): number {
  const [, count, unit] = /^(\d+)\s*([smhdw])$/.exec(text) ?? []
  if (unit !== undefined) return Math.max(0, Date.now() - Number(count) * (UNITS[unit] ?? 0))
  if (text === 'yesterday') return new Date().setHours(0, 0, 0, 0) - (UNITS['d'] ?? 0)
  const date = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text)
  if (Number.isNaN(date))
    throw coded('usage', { reason: '--since is a time as 30m, 24h, 7d, yesterday, 2026-11-20 or 2026-11-20T08:00' })
  return Math.max(0, date)
}

async function diff({ root, json }: Common, api: string, from?: string, to?: string): Promise<void> {
  const query = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  const found = await new Client(root).ask('GET /api/services/{api}/diff', { params: { api }, query })
  if (json) {
    printJson(found)
    return
  }
  const name = ({ label, generation, time }: typeof found.from): string =>
    `${label}${generation === null || label === `g${generation}` ? '' : ` (g${generation})`}${time === null ? '' : ` of ${clockOf(time)}`}`
  print(dim(`${api}: ${name(found.from)} → ${name(found.to)}`))
  for (const file of found.files) print(colored(file))
  if (found.files.length > 0) return
  print('nothing differs')
  if (from === undefined)
    print(dim(`mm changes --service ${api} lists its versions; mm diff ${api} g1 compares one with what runs`))
}

const colored = ({ patch }: FileDifference): string =>
  patch
    .trimEnd()
    .split('\n')
    .map((line) =>
      /^(---|\+\+\+|@@)/.test(line)
        ? dim(line)
        : line.startsWith('-')
          ? red(line)
          : line.startsWith('+')
            ? green(line)
            : line,
    )
    .join('\n')

async function why({ root, json }: Common, subject: string): Promise<void> {
  const found = await new Client(root).ask('GET /api/why/{subject}', { params: { subject } })
  if (json) {
    printJson(found)
    return
  }
  print(
    table(found.lines.map(({ time, id, text }) => [dim(time === null ? 'now' : clockOf(time)), dim(id ?? ''), text])),
  )
  if (found.next.length > 0) print('')
  print(table(found.next.map(({ command, does }) => [`  ${command}`, dim(does)])))
}

export function addHistory(program: Command, { common }: Cli): void {
  prints(
    program
      .command('changes')
      .description('what changed since a time, over restarts')
      .option('--since <time>', '30m, 24h, 7d, yesterday, or a date', '24h')
      .option('--service <service>', 'only this service')
      .option('-n, --lines <number>', 'how many, the newest', '100')
      .option('--all', 'also what changed nothing: failures, restarts', false)
      .option('--proposed', 'only changes that were proposed, and where they stand', false)
      .action((options: ChangesOptions) => changes(common(), options)),
    '[{id, time, type, api, text, change, files, data}]',
  )
  prints(
    program
      .command('diff <service> [from] [to]')
      .description(
        'what differs between two versions (g2, h12, live, disk); without any, what runs and what stands on disk',
      )
      .action((api: string, from?: string, to?: string) => diff(common(), api, from, to)),
    '{api, from, to, files}',
  )
  prints(
    program
      .command('why <subject>')
      .description('why: a service by its name, a change by its id (h12), a call by its trace id')
      .action((subject: string) => why(common(), subject)),
    '{subject, kind, lines, next}',
  )
}
