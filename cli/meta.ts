/**
 * The commands of the meta-loop: how it stands, what happened since somebody last looked, and what it can be told. When
 * that was stands in `runtime/brief.json` of the root; a look with `--since` does not move it.
 */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { coded } from '../modules/lib/errors.ts'
import { realFileSystem } from '../modules/lib/file-system.ts'
import type { ApiAnswer } from './api.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { sinceOf } from './history.ts'
import { dim, print, printJson, table } from './output.ts'
import { payloadOf } from './payload.ts'
import { addRules } from './rules.ts'

const FIRST_LOOK = '24h'
const CYCLE_MS = 600_000
const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const
const TYPES = ['builtin', 'custom'] as const

/** `mm status --meta` */
export async function metaStatus({ root, json }: Common): Promise<void> {
  const status = await new Client(root).ask('GET /api/meta/status')
  if (json) printJson(status)
  else for (const line of [...status.bars, status.line]) print(line)
}

// --- mm brief ---------------------------------------------------------------------------------------------------------

const lookFile = (root: string): string => join(root, 'runtime', 'brief.json')

/** By user: several people may share a root. */
function looks(root: string): Record<string, number> {
  try {
    const read = JSON.parse(readFileSync(lookFile(root), 'utf8')) as { looked_at?: Record<string, number> }
    return read.looked_at ?? {}
  } catch {
    // Nobody has looked yet, or nobody knows when: a day is told.
    return {}
  }
}

async function brief({ root, json }: Common, { since: asked }: { since?: string }): Promise<void> {
  const user = userInfo().username
  const known = looks(root)
  const since = asked === undefined ? (known[user] ?? sinceOf(FIRST_LOOK)) : sinceOf(asked)
  const told = await new Client(root).ask('GET /api/meta/brief', { query: { since } })
  if (json) printJson(told)
  else for (const line of told.lines) print(line)
  if (asked === undefined)
    realFileSystem.write(lookFile(root), `${JSON.stringify({ looked_at: { ...known, [user]: told.until } })}\n`)
}

// --- mm meta ----------------------------------------------------------------------------------------------------------

interface TriggerOptions {
  emergency: boolean
  wait: boolean
}

async function trigger(
  { root, json }: Common,
  { emergency, wait }: TriggerOptions,
  setExitCode: Cli['setExitCode'],
): Promise<void> {
  const client = new Client(root)
  const asked = { trigger: emergency ? ('emergency' as const) : ('manual' as const) }
  if (!wait) {
    const begun = await client.ask('POST /api/meta-loop/trigger', { body: asked })
    if (json) printJson(begun)
    else print(begun.status === 'throttled' ? `throttled: ${begun.message}` : begun.message)
    if (begun.status !== 'started') setExitCode(1)
    return
  }
  const body = { method: 'trigger', args: [asked], deadline_ms: CYCLE_MS }
  const { result } = await client.ask('POST /api/services/{api}/call', { params: { api: 'meta-loop' }, body })
  const cycle = result as { status: string; summary: string }
  if (json) printJson(cycle)
  else print(cycle.summary)
  if (cycle.status !== 'completed') setExitCode(1)
}

interface SignalOptions {
  priority: string
  ttl?: string
}

async function signal(
  { root, json }: Common,
  source: string,
  text: string | undefined,
  { priority, ttl }: SignalOptions,
): Promise<void> {
  const known = PRIORITIES.find((one) => one === priority)
  if (known === undefined) throw coded('usage', { reason: `--priority is ${PRIORITIES.join(', ')}` })
  const ttl_s = ttl === undefined ? undefined : Number(ttl)
  if (ttl_s !== undefined && !(ttl_s > 0)) throw coded('usage', { reason: '--ttl is a number of seconds' })
  const body = { source, priority: known, payload: payloadOf(text), ...(ttl_s === undefined ? {} : { ttl_s }) }
  const queued = await new Client(root).ask('POST /api/meta-loop/signal', { body })
  if (json) printJson(queued)
  else print(`queued as ${queued.id}; the next cycle reads it`)
}

type Rule = ApiAnswer<'GET /api/meta/rules'>['rules'][number]

async function rules({ root, json }: Common, { type }: { type?: string }): Promise<void> {
  const known = TYPES.find((one) => one === type)
  if (type !== undefined && known === undefined) throw coded('usage', { reason: `--type is ${TYPES.join(' or ')}` })
  const query = known === undefined ? {} : { type: known }
  const { rules: found } = await new Client(root).ask('GET /api/meta/rules', { query })
  if (json) printJson(found)
  else if (found.length === 0) print('there are none')
  else print(table([['RULE', 'TYPE', 'SEVERITY', 'HOLDS WHEN', ''], ...found.map(rowOf)]))
}

const SIGNS = { lt: '<', le: '≤', gt: '>', ge: '≥', eq: '=', ne: '≠' } as const

function rowOf({ type, rule }: Rule): string[] {
  const conditions = rule.conditions.map(
    (one) => `${one.metric} ${SIGNS[one.comparator]} ${Number(one.threshold.toPrecision(6))}`,
  )
  const off = rule.enabled === false ? ' (off)' : ''
  return [rule.name + off, type, rule.severity, conditions.join(' and '), dim(rule.description ?? '')]
}

async function away({ root, json }: Common, word: string): Promise<void> {
  if (word !== 'on' && word !== 'off') throw coded('usage', { reason: 'mm meta away on, or mm meta away off' })
  const query = { activate: word === 'on' ? ('true' as const) : ('false' as const) }
  const told = await new Client(root).ask('POST /api/meta-loop/nirmana', { query })
  if (json) printJson(told)
  else for (const line of linesOf(told)) print(line)
}

function linesOf({ mode, briefing }: ApiAnswer<'POST /api/meta-loop/nirmana'>): string[] {
  const cadence = `cadence: ${mode}`
  if (briefing === undefined) return [`${cadence}; \`mm meta away off\` tells what happened`]
  if (briefing === null) return [`${cadence}; nobody was away`]
  return [cadence, briefing.summary, ...briefing.recent_activity]
}

export function addMeta(program: Command, cli: Cli): void {
  const { common, setExitCode } = cli
  prints(
    program
      .command('brief')
      .description('what happened since you last looked, in eight lines at most')
      .option('--since <when>', 'since then instead: 30m, 24h, 7d, yesterday, or 2026-11-22T08:00')
      .action((options: { since?: string }) => brief(common(), options)),
    '{since, until, lines}',
  )
  const meta = program.command('meta').description('the meta-loop, which watches the system and proposes')
  prints(
    meta
      .command('trigger')
      .description('start a cycle; exit code 1 when the cadence refuses it')
      .option('--emergency', 'past the smallest interval and the hourly limit', false)
      .option('--wait', 'until it has ended, and tell what became of it', false)
      .action((options: TriggerOptions) => trigger(common(), options, setExitCode)),
    '{status, message}; with `--wait` the whole cycle',
  )
  prints(
    meta
      .command('signal <source> [payload]')
      .description('tell the next cycle something; the payload is a JSON object or text')
      .option('--priority <name>', 'low, normal, high or urgent', 'normal')
      .option('--ttl <seconds>', 'how long it is worth something; an hour without it')
      .action((source: string, payload: string | undefined, options: SignalOptions) =>
        signal(common(), source, payload, options),
      ),
    '{status, source, id}',
  )
  prints(
    meta
      .command('rules')
      .description('the rules it looks by')
      .option('--type <type>', 'only builtin, or custom')
      .action((options: { type?: string }) => rules(common(), options)),
    '[{type, rule}]',
  )
  addRules(meta, cli)
  prints(
    meta
      .command('away <on|off>')
      .description('on: cycles come more often; off: what happened meanwhile')
      .action((word: string) => away(common(), word)),
    '{status, mode, briefing}',
  )
}
