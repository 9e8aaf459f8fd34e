/** The commands about configs: what a root holds that cannot run, and where the values of a running one come from. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { CheckReport } from '../modules/contracts/kernel.ts'
import { coded, describeError } from '../modules/lib/errors.ts'
import { MM } from './child.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { allConfigs } from './lists.ts'
import { dim, print, printJson, red, table } from './output.ts'
import { withProgress } from './progress.ts'

async function dumpConfigs({ root, json }: Common, api: string | undefined): Promise<void> {
  const configs = await allConfigs(new Client(root), api)
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
export async function inspect(root: string): Promise<CheckReport> {
  if (!existsSync(join(root, 'configs'))) throw coded('root_missing', { root, part: 'configs/' })
  const { stdout, stderr } = await runCheck(root)
  // A module may print while it is loaded: the report is the last line.
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(line) as CheckReport
  } catch {
    throw coded('no_kernel', { reason: stderr.trim().split('\n').at(-1) ?? 'it ended without a report' })
  }
}

function runCheck(root: string): Promise<{ stdout: string; stderr: string }> {
  const args = ['--no-node-snapshot', MM, 'run', '--check', '--root', root]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const read = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => (read[name] += text))
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(read))
  })
}

async function validate({ root, json }: Common, setExitCode: (code: number) => void): Promise<void> {
  const report = await withProgress('loading every module', () => inspect(root))
  if (report.errors.length > 0) setExitCode(1)
  if (json) {
    printJson(report)
    return
  }
  for (const error of report.errors) print(`${red(describeError(error))}\n  ${error.hint}`)
  const count = report.errors.length === 1 ? '1 error' : `${report.errors.length} errors`
  print(`${report.services} services, ${count}`)
}

export function addConfigs(program: Command, { common, setExitCode }: Cli): void {
  prints(
    program
      .command('validate')
      .description('what is wrong in a root, without starting anything')
      .action(() => validate(common(), setExitCode)),
    '{services, errors}',
  )
  const config = program.command('config').description('the configs of a running system')
  prints(
    config
      .command('dump [service]')
      .description('effective values, and where each comes from')
      .action((api?: string) => dumpConfigs(common(), api)),
    '[{api, file, prog, shadowed, values, error}]',
  )
}
