/**
 * What `mm doctor` finds on the machine: native packages that do not load on this Node, little room on the disk, and a port
 * that another program has. Each native package is tried in a process of its own: one that was built for another Node ends
 * the process.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { nativePackage, type NativePart } from '../modules/lib/native.ts'
import { holderOf } from '../modules/lib/lock.ts'
import { fine, wrong, type Finding } from './finding.ts'
import { packageRoot } from './package-root.ts'

const TRY_MS = 20_000
const MB = 1_048_576
/** Logs, last good versions and a history take about this much. */
const ROOM_MB_MIN = 200
const DEFAULTS = { host: '127.0.0.1', port: 7700, tries: 1 }

/** What each is used by, and a first use of it. */
const NATIVE: Record<NativePart, { used: string; code: string }> = {
  'better-sqlite3': {
    used: 'database, vectors, memory, ledger, backups',
    code: `new (await import(process.argv[1])).default(':memory:').prepare('SELECT 1').get()`,
  },
  'isolated-vm': {
    used: 'sandboxes',
    code: `new (await import(process.argv[1])).default.Isolate().dispose()`,
  },
}

export async function checkMachine(root: string): Promise<Finding[]> {
  const parts = Object.keys(NATIVE) as NativePart[]
  return [...(await Promise.all(parts.map(native))), ...room(root), ...(await port(root))]
}

async function native(part: NativePart): Promise<Finding> {
  const name = nativePackage(part)
  const reason = await tryPackage(name, NATIVE[part].code)
  if (reason === undefined) return fine('native', `${name} works`)
  const hint = existsSync(join(packageRoot, 'run.ts'))
    ? 'Run `node scripts/ensure.mjs` in the checkout: it builds what this Node needs. A compiler and Python must be there.'
    : 'Run `npm rebuild`, or install the package again with this Node.'
  return wrong('native', `${name} does not work (${NATIVE[part].used}): ${reason}`, hint)
}

/** undefined: it works. */
function tryPackage(name: string, code: string): Promise<string | undefined> {
  const args = ['--no-node-snapshot', '--input-type=module', '-e', code, name]
  const child = spawn(process.execPath, args, {
    cwd: packageRoot,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TRY_MS,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (status, signal) => {
      if (status === 0) resolve(undefined)
      else if (signal !== null) resolve(`it ended the process by ${signal}`)
      else resolve(/^(?:\w*Error\b.*?: )(.*)$/m.exec(said)?.[1] ?? `it ended with ${status}`)
    })
  })
}

function room(root: string): Finding[] {
  if (!existsSync(root)) return []
  const { bavail, bsize } = statfsSync(root)
  const free = Math.floor((bavail * bsize) / MB)
  if (free >= ROOM_MB_MIN) return [fine('disk', `${free} MB are left on the disk of the root`)]
  return [
    wrong('disk', `${free} MB are left on the disk of the root`, 'Make room: with none left, what writes is refused.'),
  ]
}

/** While a system runs here the port is its own. */
async function port(root: string): Promise<Finding[]> {
  if (holderOf(join(root, 'runtime', 'lock')) !== undefined) return []
  const findings: Finding[] = []
  for (const file of configsOfHttp(root)) {
    const { host, port: first, tries } = addressIn(file)
    if (first === 0) continue
    const shown = `${host}:${first}`
    if (tries > 1) continue
    const code = await tryPort(host, first)
    findings.push(
      code === undefined
        ? fine('port', `${shown} is free`)
        : wrong(
            'port',
            `${shown} cannot be used: ${code}`,
            `End the program that has it, or change port: in ${file.slice(root.length + 1)}; port_tries: 20 takes the next free one.`,
          ),
    )
  }
  return findings
}

function configsOfHttp(root: string): string[] {
  const folder = join(root, 'configs')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(folder, name))
    .filter((path) => /^prog:\s*services\/http\s*(#.*)?$/m.test(textOf(path)))
}

/** A config that cannot be read is told by the check of the configs. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function addressIn(file: string): { host: string; port: number; tries: number } {
  const text = readFileSync(file, 'utf8')
  const value = (key: string): string | undefined => new RegExp(`^${key}:\\s*["']?([\\w.:-]+)`, 'm').exec(text)?.[1]
  return {
    host: value('host') ?? DEFAULTS.host,
    port: Number(value('port') ?? DEFAULTS.port),
    tries: Number(value('port_tries') ?? DEFAULTS.tries),
  }
}

/** The code of what stands against it. */
function tryPort(host: string, wanted: number): Promise<string | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(wanted, host, () => server.close(() => resolve(undefined)))
  })
}
