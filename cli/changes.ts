/** The commands about changes: what one would touch, taking one back, and what a root holds that cannot run. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type {
  CheckReport,
  EffectiveConfig,
  PlannedChange,
  ProposedFile,
  ReloadResult,
} from '../modules/contracts/kernel.ts'
import { coded, describeError, fromErrorData } from '../modules/lib/errors.ts'
import { MM } from './child.ts'
import { Client } from './client.ts'
import type { Common } from './commands.ts'
import { dim, print, printJson, red, reloadLine, table } from './output.ts'

/** Without files: what stands on disk and does not run. `--with` holds what the one file would hold. */
export async function plan({ root, json }: Common, files: string[], options: { with?: string }): Promise<void> {
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

/** `rollback` and `undo`: both are movements, told like a reload. */
export async function goBack({ root, json }: Common, api: string, way: 'rollback' | 'undo'): Promise<void> {
  const result = await new Client(root).post<ReloadResult>(`/api/services/${encodeURIComponent(api)}/${way}`)
  if (json) printJson(result)
  else if (result.ok && result.generation === null) print(`${api}  stopped`)
  else if (result.ok) print(reloadLine({ api, ...result }))
  if (!result.ok && result.error !== null) throw fromErrorData(result.error)
}

export async function dumpConfigs({ root, json }: Common, api: string | undefined): Promise<void> {
  const query = api === undefined ? '' : `?service=${encodeURIComponent(api)}`
  const { configs } = await new Client(root).get<{ configs: EffectiveConfig[] }>(`/api/configs${query}`)
  if (json) {
    printJson(configs)
    return
  }
  for (const config of configs) {
    print(`${config.api}  ${config.file}  prog ${config.prog}`)
    const rows = config.values.map(({ key, value, origin }) => [`  ${key}:`, JSON.stringify(value), dim(origin)])
    if (rows.length > 0) print(table(rows))
    for (const file of config.shadowed) print(dim(`  ${file} has a lower version`))
    if (config.error !== null) print(`  ${red(describeError(config.error))}`)
  }
}

/** Works without a running system, and beside one: a process of its own loads the modules and starts nothing. */
export function inspect(root: string): CheckReport {
  if (!existsSync(join(root, 'configs'))) throw coded('root_missing', { root, part: 'configs/' })
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-node-snapshot', MM, 'run', '--check', '--root', root], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  })
  // A module may print while it is loaded: the report is the last line.
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(line) as CheckReport
  } catch {
    throw coded('no_kernel', { reason: stderr.trim().split('\n').at(-1) ?? 'it ended without a report' })
  }
}

export function validate({ root, json }: Common, setExitCode: (code: number) => void): void {
  const report = inspect(root)
  if (report.errors.length > 0) setExitCode(1)
  if (json) {
    printJson(report)
    return
  }
  for (const error of report.errors) print(`${red(describeError(error))}\n  ${error.hint}`)
  const count = report.errors.length === 1 ? '1 error' : `${report.errors.length} errors`
  print(`${report.services} services, ${count}`)
}
