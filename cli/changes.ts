/** The commands about changes: what one would touch, and taking one back. */
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { PlannedChange, ProposedFile, ReloadResult } from '../modules/contracts/kernel.ts'
import { coded, describeError, fromErrorData } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { dim, MOVED, print, printJson, red, reloadLine } from './output.ts'

/** Without files: what stands on disk and does not run. `--with` holds what the one file would hold. */
async function plan({ root, json }: Common, files: string[], options: { with?: string }): Promise<void> {
  if (options.with !== undefined && files.length !== 1)
    throw coded('usage', { reason: '--with goes with exactly one file' })
  const proposed: ProposedFile[] = files.map((file) => ({
    path: relative(root, resolve(root, file)),
    ...(options.with === undefined ? {} : { text: readText(options.with) }),
  }))
  const { changes } = await new Client(root).post<{ changes: PlannedChange[] }>(
    '/api/plan',
    files.length === 0 ? {} : { files: proposed },
  )
  if (json) {
    printJson(changes)
    return
  }
  if (changes.length === 0) {
    print(files.length === 0 ? 'what runs is what stands on disk' : 'no service is touched')
    return
  }
  for (const change of changes) print(describe(change))
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
      .description('what a change of these files would touch; without files, what stands on disk and does not run')
      .option('--with <file>', 'what the one file would hold')
      .action((files: string[], options: { with?: string }) => plan(common(), files, options)),
    '[{api, change, generation, files, keys, mode, state, together_with, callers, in_flight, error}]',
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
      .description('put the bytes before the last change back, and run them')
      .action((api: string) => goBack(common(), api, 'undo')),
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
