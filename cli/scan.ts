/**
 * `mm scan`: what the text of modules asks for, and what in it breaks a rule: of a file or folder, of a service of the
 * running system, or of all modules of the root. For code that is trusted it is a report; a sandbox refuses by the same
 * rules. The parser is loaded only here: no other command waits for it.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { KernelServiceApi, ServiceSource } from '../modules/contracts/kernel.ts'
import type { Power, ScanFinding, ScanReport } from '../modules/contracts/sandbox.ts'
import { coded } from '../modules/lib/errors.ts'
import { realFileSystem } from '../modules/lib/file-system.ts'
import { findMetaFiles, readMeta } from '../modules/lib/meta-files.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { dim, print, printJson, red } from './output.ts'

const ARGUMENT_MAX = 80
const SOURCE = /\.([cm]?ts|[cm]?js)$/
const SKIPPED = /(^|\/)(node_modules|dist)\/|\.d\.[cm]?ts$/

async function scan({ root, json }: Common, what: string | undefined, setExitCode: Cli['setExitCode']): Promise<void> {
  const { FORBIDDEN_IMPORTS } = await import('../modules/sandbox/scan/forbidden.ts')
  const { scanSource } = await import('../modules/sandbox/scan/scan.ts')
  const texts = await textsOf(root, what)
  const forbidden = listOf(root) ?? FORBIDDEN_IMPORTS
  const report: ScanReport = scanSource(texts, { packages: [], forbidden })
  const refused = report.findings.filter((one) => one.severity === 'refuse')
  if (refused.length > 0) setExitCode(1)
  if (json) {
    printJson({ files: Object.keys(texts).length, ...report })
    return
  }
  for (const finding of report.findings) print(describe(finding))
  for (const power of report.powers) print(dim(`power    ${grantOf(power)}`))
  print(
    `${Object.keys(texts).length} files, ${refused.length} refused in a sandbox, ${report.findings.length} findings`,
  )
}

/** Path from the root, or as it was given, → text. */
async function textsOf(root: string, what: string | undefined): Promise<Record<string, string>> {
  const path = what === undefined ? join(root, 'modules') : [resolve(root, what), resolve(what)].find(existsSync)
  if (path !== undefined && existsSync(path)) return textsIn(root, path)
  if (what === undefined || /[./]/.test(what.replace(/^[\w-]+(\/[\w-]+)*$/, '')))
    throw coded('file_missing', { path: what ?? 'modules' })
  const { result } = await new Client(root).post<{ result: ServiceSource }>('/api/services/kernel/call', {
    method: 'source' satisfies keyof KernelServiceApi,
    args: [what, 'disk'],
  })
  return Object.fromEntries(Object.entries(result.files).filter(([file]) => SOURCE.test(file)))
}

function textsIn(root: string, path: string): Record<string, string> {
  const names = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, encoding: 'utf8' })
        .filter((name) => SOURCE.test(name) && !SKIPPED.test(name))
        .map((name) => join(path, name))
    : [path]
  return Object.fromEntries(names.sort().map((file) => [relative(root, file), readFileSync(file, 'utf8')]))
}

/** `forbidden_imports:` of the meta file that counts. */
function listOf(root: string): string[] | undefined {
  const [newest] = findMetaFiles(root, realFileSystem)
  if (newest === undefined) return undefined
  const list = readMeta(newest.path, readFileSync(join(root, newest.path), 'utf8'))['forbidden_imports']
  return Array.isArray(list) ? list.map(String) : undefined
}

function describe({ severity, file, line, column, message, instead, rule }: ScanFinding): string {
  const mark = severity === 'refuse' ? red('refused') : dim('told   ')
  return `${mark}  ${file}:${line}:${column}  ${message} ${dim(`(${rule})`)}\n         ${instead}`
}

/** As a grant is written, on one line. */
function grantOf({ service, aspect, method, argument }: Power): string {
  const at = aspect === 'default' ? service : `${service}@${aspect}`
  const shown = argument?.replace(/\s+/g, ' ') ?? ''
  const cut = shown.length > ARGUMENT_MAX ? `${shown.slice(0, ARGUMENT_MAX)}…` : shown
  return `${at}.${method}${cut === '' ? '' : `:${cut}`}`
}

export function addScan(program: Command, { common, setExitCode }: Cli): void {
  prints(
    program
      .command('scan [what]')
      .description('what the text of modules asks for, and what a sandbox would refuse: a file, folder or service')
      .action((what?: string) => scan(common(), what, setExitCode)),
    '{files, powers, findings}',
  )
}
