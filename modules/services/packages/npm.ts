/**
 * Installs into and removes from one folder with npm, scripts off. npm works in a folder beside it, and the result takes
 * its place when it is whole: what fails or is killed half-way changes nothing.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coded } from '../../lib/errors.ts'

const DRAFT = '.draft'
const OLD = '.old'
const FILES = ['package.json', 'package-lock.json']
const TOLD_CHARS = 2_000
/** Somebody waits: npm by itself tries three times, with pauses of 10 and 20 s. */
const ARGUMENTS = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--loglevel=error',
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=500',
  '--fetch-retry-maxtimeout=2000',
]

export interface NpmOptions {
  /** holds package.json, package-lock.json and node_modules */
  folder: string
  registry: string | undefined
  timeoutMs: number
}

/** Resolves with the integrity of the package's tarball. */
export async function install(id: string, name: string, options: NpmOptions, signal: AbortSignal): Promise<string> {
  const draft = await npm(['install', '--save-exact', id], id, options, signal)
  const lock = JSON.parse(readFileSync(join(draft, 'package-lock.json'), 'utf8')) as {
    packages?: Record<string, { integrity?: string }>
  }
  const integrity = lock.packages?.[`node_modules/${name}`]?.integrity
  if (integrity === undefined) throw coded('package_refused', { id, reason: 'npm recorded no integrity for it' })
  takePlace(draft, options.folder)
  return integrity
}

export async function uninstall(id: string, name: string, options: NpmOptions, signal: AbortSignal): Promise<void> {
  takePlace(await npm(['uninstall', name], id, options, signal), options.folder)
}

/** Two renames: packages that are loaded do not notice, and nothing is seen half written. */
function takePlace(draft: string, folder: string): void {
  const old = join(folder, OLD)
  rmSync(old, { recursive: true, force: true })
  const modules = join(folder, 'node_modules')
  if (existsSync(modules)) renameSync(modules, old)
  if (existsSync(join(draft, 'node_modules'))) renameSync(join(draft, 'node_modules'), modules)
  for (const file of FILES) if (existsSync(join(draft, file))) renameSync(join(draft, file), join(folder, file))
  rmSync(old, { recursive: true, force: true })
  rmSync(draft, { recursive: true, force: true })
}

/** Returns the draft folder, in which npm has done its work. */
async function npm(args: string[], id: string, options: NpmOptions, signal: AbortSignal): Promise<string> {
  const draft = join(options.folder, DRAFT)
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  for (const file of FILES)
    if (existsSync(join(options.folder, file))) cpSync(join(options.folder, file), join(draft, file))
  if (!existsSync(join(draft, 'package.json'))) writeFileSync(join(draft, 'package.json'), '{"private": true}\n')
  const all = [...args, '--prefix', draft, ...ARGUMENTS]
  if (options.registry !== undefined) all.push('--registry', options.registry)
  const { code, told } = await run(all, draft, options.timeoutMs, signal)
  if (code === 0) return draft
  rmSync(draft, { recursive: true, force: true })
  signal.throwIfAborted()
  throw coded('package_refused', { id, reason: told === '' ? `npm ended with ${String(code)}` : told })
}

function run(
  args: string[],
  cwd: string,
  timeout: number,
  signal: AbortSignal,
): Promise<{ code: number | null; told: string }> {
  return new Promise((resolve) => {
    const windows = process.platform === 'win32'
    const child = spawn('npm', args, { cwd, signal, timeout, shell: windows, stdio: ['ignore', 'ignore', 'pipe'] })
    let told = ''
    child.stderr.on('data', (chunk: Buffer) => (told = (told + chunk.toString()).slice(-TOLD_CHARS)))
    child.on('error', (error) => resolve({ code: null, told: error.message }))
    child.on('close', (code) => resolve({ code, told: errorsOf(told) }))
  })
}

/** npm says much; the lines with `code` and the first reason tell why. */
const errorsOf = (told: string): string =>
  told
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/.test(line) && !/complete log/.test(line))
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, ''))
    .filter((line) => line !== '')
    .slice(0, 3)
    .join('; ')
