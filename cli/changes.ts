/** The commands about changes: what one would touch, and taking one back. */
import { existsSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { PlannedChange, ProposedFile, ReloadResult } from '../modules/contracts/kernel.ts'
import { coded, describeError, fromErrorData } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { allServices } from './lists.ts'
import { isProposal, undoProposal } from './proposals.ts'
import { dim, MOVED, print, printJson, red, reloadLine } from './output.ts'

/** Without files: what stands on disk and does not run, of one service when it is named. `--with`: what the one file would hold. */
async function plan({ root, json }: Common, files: string[], options: { with?: string }): Promise<void> {
  if (options.with !== undefined && files.length !== 1)
    throw coded('usage', { reason: '--with goes with exactly one file' })
  const client = new Client(root)
  const changes = (await isService(client, root, files))
    ? (await planned(client)).filter(({ api }) => api === files[0])
    : await planned(client, proposed(root, files, options.with))
  if (json) {
    printJson(changes)
    return
  }
  if (changes.length === 0) {
    print(files.length === 0 ? 'what runs is what stands on disk' : 'no service is touched')
    return
  }
  for (const change of changes) print([describe(change), ...powerLines(change)].join('\n'))
}

async function planned(client: Client, files: readonly ProposedFile[] = []): Promise<PlannedChange[]> {
  const body = files.length === 0 ? {} : { files }
  return (await client.post<{ changes: PlannedChange[] }>('/api/plan', body)).changes
}

const proposed = (root: string, files: readonly string[], other: string | undefined): ProposedFile[] =>
  files.map((file) => ({
    path: relative(root, resolve(root, file)),
    ...(other === undefined ? {} : { text: readText(other) }),
  }))

/** A file goes before a service of the same name. */
async function isService(client: Client, root: string, [name = '', ...more]: readonly string[]): Promise<boolean> {
  if (name === '' || more.length > 0 || existsSync(resolve(root, name))) return false
  return (await allServices(client)).some(({ api }) => api === name)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw coded('file_missing', { path: file })
  }
}

function describe(change: PlannedChange): string {
  const { api, generation, callers, together_with, files, keys, error, in_flight } = change
  const names = (label: string, list: string[]): string[] => (list.length === 0 ? [] : [`${label} ${list.join(', ')}`])
  const details = [
    ...names('files', files),
    ...names('keys', keys),
    ...(change.mode === null ? [] : [change.mode]),
    ...(change.state === 'none' ? [] : [`state ${change.state}`]),
    ...names('together with', together_with),
    ...names('called by', callers),
    ...(in_flight === 0 ? [] : [`${in_flight} calls in flight`]),
  ]
  const line = `${api}  ${change.change}${generation === null ? '' : `  g${generation} serves`}  ${dim(details.join('; '))}`
  return error === null ? line : `${line}\n  ${red(describeError(error))}\n  ${error.hint}`
}

/** What the change adds to its powers, and what it takes away. */
function powerLines({ powers }: PlannedChange): string[] {
  if (powers === null) return []
  const { granted, used, missing } = powers
  const open = 'every power, outside of a sandbox'
  const lines = [
    difference('granted', granted.before ?? [open], granted.after ?? [open]),
    difference('used', used.before, used.after),
    ...(missing.length === 0 ? [] : [red(`missing  ${missing.join(', ')}: refused until its config grants it`)]),
  ].filter((line) => line !== '')
  return (lines.length === 0 ? [dim('powers as before')] : lines).map((line) => `  ${line}`)
}

function difference(label: string, before: readonly string[], after: readonly string[]): string {
  const added = after.filter((one) => !before.includes(one)).map((one) => `+ ${one}`)
  const gone = before.filter((one) => !after.includes(one)).map((one) => `- ${one}`)
  const parts = [...added, ...gone]
  return parts.length === 0 ? '' : `${label.padEnd(8)} ${parts.join(', ')}`
}

/** All three are movements, told like a reload. */
async function goBack({ root, json }: Common, api: string, way: 'rollback' | 'undo' | 'release'): Promise<void> {
  const result = await new Client(root).post<ReloadResult>(`/api/services/${encodeURIComponent(api)}/${way}`)
  if (json) printJson(result)
  else if (result.ok && result.generation === null) print(`${api}  stopped`)
  else if (result.ok) print(reloadLine({ api, ...result }))
  if (!result.ok && result.error !== null) throw fromErrorData(result.error)
}

export function addChanges(program: Command, { common }: Cli): void {
  prints(
    program
      .command('plan [files...]')
      .description(
        'what a change of these files would touch, and what becomes of powers; without files, or for a service, what stands on disk and does not run',
      )
      .option('--with <file>', 'what the one file would hold')
      .action((files: string[], options: { with?: string }) => plan(common(), files, options)),
    '[{api, change, generation, files, keys, mode, state, together_with, callers, in_flight, powers, error}]',
  )
  prints(
    program
      .command('rollback <service>')
      .description('put the version before back; the disk stays as it is')
      .action((api: string) => goBack(common(), api, 'rollback')),
    MOVED,
  )
  prints(
    program
      .command('undo <service>')
      .description(
        'put the bytes before the last change of a service, or before a proposed change (c12), back, and run them',
      )
      .option('--reason <text>', 'of a proposed change: why')
      .action((name: string, { reason }: { reason?: string }) =>
        isProposal(name) ? undoProposal(common(), name, reason) : goBack(common(), name, 'undo'),
      ),
    MOVED,
  )
  prints(
    program
      .command('release <service>')
      .description('let a module that broke its limits too often out of quarantine, and start it')
      .action((api: string) => goBack(common(), api, 'release')),
    MOVED,
  )
}
