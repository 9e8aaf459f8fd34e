/**
 * Rules of one's own from the command line: put in, tried on the snapshots there are, taken out. What is written is the
 * config of the meta-loop, by a change of the person who asks, which `mm undo` takes back.
 */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { parse } from 'yaml'
import { coded, reasonOf } from '../modules/lib/errors.ts'
import { lineDiff } from '../modules/lib/line-diff.ts'
import type { ApiAnswer, ApiInput } from './api.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { print, printJson } from './output.ts'

type Draft = NonNullable<ApiInput<'POST /api/meta/rules/draft'>['body']>
type Rule = NonNullable<Draft['set']>

/** A rule changes no call: there is nothing to be measured. */
const AT_ONCE = { window_ms: 1_000, samples_min: 0 }

function readRule(text: string): Rule {
  try {
    return parse(text) as Rule
  } catch (thrown) {
    throw coded('usage', { reason: `the rule is no YAML or JSON: ${reasonOf(thrown)}` })
  }
}

async function preview({ root, json }: Common, rule: Rule): Promise<void> {
  const told = await new Client(root).ask('POST /api/meta/rules/preview', { body: { rule } })
  if (json) printJson(told)
  else print(`it would have held in ${told.fires} of ${told.points.length} snapshots`)
}

async function write({ root, json }: Common, body: Draft, title: string): Promise<void> {
  const client = new Client(root)
  const { file, base_hash, before, text } = await client.ask('POST /api/meta/rules/draft', { body })
  const change = await client.ask('POST /api/changes', {
    body: {
      actor: userInfo().username,
      service: 'meta-loop',
      title,
      intent: title,
      edits: [{ path: file, base_hash, text }],
      verify: AT_ONCE,
    },
  })
  if (json) printJson(change)
  else tell(change, file, lineDiff(before, text).patch)
}

function tell({ id, state, message }: ApiAnswer<'POST /api/changes'>, file: string, diff: string): void {
  print(diff.trimEnd())
  print(`${id}  ${state}  ${message}`)
  print(`\`mm undo ${id}\` puts ${file} back`)
}

export function addRules(meta: Command, { common }: Cli): void {
  prints(
    meta
      .command('set-rule <rule>')
      .description('put a rule of your own in, or in the place of the one of its name; YAML or JSON, as in the config')
      .option('--preview', 'only tell of how many snapshots it would have held', false)
      .action((text: string, options: { preview: boolean }) => {
        const rule = readRule(text)
        return options.preview ? preview(common(), rule) : write(common(), { set: rule }, `rule ${rule.name}`)
      }),
    'the change, as `mm show change` shows it; with `--preview` {fires, points}',
  )
  prints(
    meta
      .command('remove-rule <name>')
      .description('take a rule of your own out')
      .action((name: string) => write(common(), { remove: name }, `without rule ${name}`)),
    'the change, as `mm show change` shows it',
  )
}
