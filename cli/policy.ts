/** What the policy would say to a change of the system, and by which rules. Asks only: nothing is done or counted. */
import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Change } from '../modules/contracts/policy.ts'
import type { Json } from '../modules/contracts/seams.ts'
import { coded } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { allConfigs } from './lists.ts'
import { dim, fields, green, print, printJson, red } from './output.ts'

interface CheckOptions {
  delete: boolean
  with?: string
  tool?: string
  actor?: string
}

/** `key=value`, the value as JSON where it is JSON. */
function pairOf(text: string): [string, Json] {
  const at = text.indexOf('=')
  if (at < 1) throw coded('usage', { reason: `${text} is no key=value` })
  const value = text.slice(at + 1)
  try {
    return [text.slice(0, at), JSON.parse(value) as Json]
  } catch {
    return [text.slice(0, at), value]
  }
}

function changesOf({ root }: Common, subject: string | undefined, pairs: string[], options: CheckOptions): Change[] {
  if (options.tool !== undefined) {
    const given = subject === undefined ? pairs : [subject, ...pairs]
    return [{ kind: 'tool', tool: options.tool, params: Object.fromEntries(given.map(pairOf)) }]
  }
  if (subject === undefined) throw coded('usage', { reason: 'name a file, or --tool' })
  const path = relative(root, resolve(root, subject))
  if (pairs.length > 0)
    return pairs.map(pairOf).map(([key, value]) => ({ kind: 'value', file: path, key, new: value, old: undefined }))
  const operation = options.delete ? 'delete' : existsSync(join(root, path)) ? 'modify' : 'create'
  const text = options.with === undefined ? {} : { text: readFileSync(options.with, 'utf8') }
  return [{ kind: 'file', path, operation, ...text }]
}

/** Of values: what they are now. */
async function withOld(client: Client, changes: Change[]): Promise<Change[]> {
  if (changes.every(({ kind }) => kind !== 'value')) return changes
  const configs = await allConfigs(client)
  return changes.map((change) => {
    if (change.kind !== 'value') return change
    const config = configs.find(({ file }) => file === change.file)
    const old = config === undefined ? undefined : valueOf(config.values, change.key)
    return old === undefined ? change : { ...change, old }
  })
}

/** `harness.retry_limit` stands in the map `harness`. */
function valueOf(values: readonly { key: string; value: Json }[], key: string): Json | undefined {
  for (const { key: top, value } of values) {
    if (top === key) return value
    if (!key.startsWith(`${top}.`)) continue
    const steps = key.slice(top.length + 1).split('.')
    return steps.reduce<Json | undefined>((at, step) => (at as Record<string, Json> | undefined)?.[step], value)
  }
  return undefined
}

async function check(
  common: Common,
  { setExitCode }: Cli,
  asked: { subject: string | undefined; pairs: string[]; options: CheckOptions; explain: boolean },
): Promise<void> {
  const { subject, pairs, options, explain } = asked
  const client = new Client(common.root)
  const changes = await withOld(client, changesOf(common, subject, pairs, options))
  const actor = options.actor === undefined ? {} : { actor: options.actor }
  const answer = await client.ask('POST /api/policy/check', { body: { changes, ...actor } })
  const { tier, rule, message } = answer.verdict
  if (common.json) printJson(answer)
  else if (explain) print(answer.text)
  else {
    const color = tier === 'AUTO_APPROVE' ? green : tier === 'NEVER' ? red : (text: string) => text
    print(`${color(tier)}  ${rule}  ${dim(message)}`)
  }
  if (tier === 'NEVER') setExitCode(1)
}

async function show({ root, json }: Common): Promise<void> {
  const found = await new Client(root).ask('GET /api/policy')
  if (json) {
    printJson(found)
    return
  }
  const { rules, directions, profiles, ...levels } = found
  print(fields({ ...levels, profiles: Object.keys(profiles), directions: Object.keys(directions) }))
  for (const { name, tier, message = '' } of rules) print(`${tier}  ${name}  ${dim(message)}`)
}

export function addPolicy(program: Command, cli: Cli): void {
  const { common } = cli
  const policy = program.command('policy').description('what the system may change itself')
  prints(
    policy
      .command('show')
      .description('what it judges by now: profile, autonomy, limits, the rules of your own')
      .action(() => show(common())),
    '{profile, autonomy, production, notices, review_calls, altitudes, rules, directions, profiles}',
  )
  const command = (name: string, description: string, explain: boolean): Command =>
    prints(
      policy
        .command(`${name} [file] [values...]`)
        .description(description)
        .option('--tool <name>', 'a call of this tool, with its parameters as key=value')
        .option('--delete', 'the file would be deleted', false)
        .option('--with <file>', 'what the file would hold')
        .option('--actor <name>', 'who would do it')
        .action((subject: string | undefined, pairs: string[], options: CheckOptions) =>
          check(common(), cli, { subject, pairs, options, explain }),
        ),
      '{verdict, text}',
    )
  command('check', 'would a change by the system be allowed, and which rule says so; exit code 1 for never', false)
  command('explain', 'the same, with every rule that was asked', true)
}
