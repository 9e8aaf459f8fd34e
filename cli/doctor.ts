/**
 * `mm doctor`: is everything there that a system needs, and what is wrong with the one that runs? Looks, explains, and
 * says what to do; it changes nothing. Each check is one line: ok, or what is wrong and how to mend it.
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { KernelStatus, ServiceStatus } from '../modules/contracts/kernel.ts'
import { describeError, reasonOf, toErrorData } from '../modules/lib/errors.ts'
import { shortHash } from '../modules/lib/hash.ts'
import { LAST_GOOD_FOLDER, LAST_GOOD_TEXTS, parseLastGood } from '../modules/lib/last-good.ts'
import { describeStall, parseStall, STALL_FILE, STALL_TOLD_FILE, type Stall } from '../modules/lib/stall.ts'
import { inspect } from './changes.ts'
import { Client, readAddress } from './client.ts'
import type { Common } from './commands.ts'
import { print, printJson, red } from './output.ts'

export interface Finding {
  check: string
  ok: boolean
  message: string
  hint: string
}

const fine = (check: string, message: string): Finding => ({ check, ok: true, message, hint: '' })
const wrong = (check: string, message: string, hint: string): Finding => ({ check, ok: false, message, hint })

export async function doctor({ root, json }: Common, setExitCode: (code: number) => void): Promise<void> {
  const findings = [
    nodeVersion(),
    runtimeFolder(root),
    ...token(root),
    ...frozen(root),
    ...stalls(root),
    ...lastGood(root),
    ...configs(root),
    ...(await running(root)),
  ]
  if (findings.some((one) => !one.ok)) setExitCode(1)
  if (json) {
    printJson(findings)
    return
  }
  for (const { check, ok, message, hint } of findings) {
    print(`${ok ? 'ok   ' : red('wrong')}  ${check}: ${message}`)
    if (hint !== '') print(`       ${hint}`)
  }
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const version = `Node ${process.versions.node}`
  return major > 20 || (major === 20 && minor >= 19)
    ? fine('node', version)
    : wrong('node', `${version} is too old`, 'Use Node 20.19, 22, 24 or 26.')
}

function runtimeFolder(root: string): Finding {
  const path = join(root, 'runtime')
  if (!existsSync(path)) return fine('runtime', 'runtime/ is made at the first start')
  try {
    accessSync(path, constants.W_OK)
    return fine('runtime', 'runtime/ can be written')
  } catch {
    return wrong('runtime', 'runtime/ cannot be written', 'Make the folder writable for this user.')
  }
}

function token(root: string): Finding[] {
  const stat = statSync(join(root, 'runtime', 'token'), { throwIfNoEntry: false })
  if (stat === undefined) return []
  const mode = (stat.mode & 0o777).toString(8)
  return (stat.mode & 0o077) === 0
    ? [fine('token', `runtime/token has mode ${mode}`)]
    : [wrong('token', `runtime/token can be read by others (mode ${mode})`, 'Run: chmod 600 runtime/token')]
}

function frozen(root: string): Finding[] {
  const path = join(root, 'runtime', 'FREEZE')
  if (!existsSync(path)) return []
  const scope = /\ball\b/.test(readFileSync(path, 'utf8'))
    ? 'file edits are not applied either'
    : 'it may not change itself'
  return [wrong('freeze', `the system is frozen: ${scope}`, '`mm thaw` ends it.')]
}

/** One that no kernel has taken in yet is wrong; the last one before it is only told. */
function stalls(root: string): Finding[] {
  const read = (file: string): Stall | undefined => {
    const path = join(root, file)
    return existsSync(path) ? parseStall(readFileSync(path, 'utf8')) : undefined
  }
  const open = read(STALL_FILE)
  const last = read(STALL_TOLD_FILE)
  const told = (stall: Stall): string => `${new Date(stall.time).toISOString()} ${describeStall(stall)}`
  return [
    ...(open === undefined ? [] : [wrong('stall', told(open), 'The next start leaves that version off; `mm up`.')]),
    ...(last === undefined ? [] : [fine('stall', `the last one: ${told(last)}`)]),
  ]
}

/** What is kept is looked at file by file: what is not whole would be ignored. */
function lastGood(root: string): Finding[] {
  const folder = join(root, LAST_GOOD_FOLDER)
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
  if (names.length === 0) return []
  const broken = names.flatMap((name) => {
    const reason = brokenRecord(folder, name)
    return reason === undefined ? [] : [`${join(LAST_GOOD_FOLDER, name)}: ${reason}`]
  })
  const hint = 'It is ignored. The next version of that service that runs well is kept anew; the file can be removed.'
  return [
    fine('last good', `${names.length - broken.length} services have a version to fall back on`),
    ...broken.map((message) => wrong('last good', message, hint)),
  ]
}

function brokenRecord(folder: string, name: string): string | undefined {
  try {
    const record = parseLastGood(readFileSync(join(folder, name), 'utf8'))
    if (typeof record === 'string') return record
    const lost = Object.entries(record.files).find(([, hash]) => {
      const path = join(folder, LAST_GOOD_TEXTS, hash)
      return !existsSync(path) || shortHash(readFileSync(path, 'utf8')) !== hash
    })
    return lost && `the text of ${lost[0]} is not whole`
  } catch (thrown) {
    return reasonOf(thrown)
  }
}

function configs(root: string): Finding[] {
  try {
    const { services, errors } = inspect(root)
    if (errors.length === 0) return [fine('configs', `${services} services can be loaded`)]
    return errors.map((error) => wrong('configs', describeError(error), error.hint))
  } catch (thrown) {
    const { message, hint } = toErrorData(thrown)
    return [wrong('configs', message, hint)]
  }
}

async function running(root: string): Promise<Finding[]> {
  if (readAddress(root) === undefined) return [fine('system', 'none runs for this root')]
  try {
    const client = new Client(root)
    const status = await client.get<KernelStatus>('/api/kernel')
    const { services } = await client.get<{ services: ServiceStatus[] }>('/api/services')
    return [
      fine('system', `kernel ${status.version} answers at ${client.address.url}, up ${status.uptime_s} s`),
      ...services.flatMap(unwell),
    ]
  } catch (thrown) {
    const { message, hint } = toErrorData(thrown)
    return [wrong('system', message, hint)]
  }
}

function unwell({ api, state, stale, last_error, last_good, generation }: ServiceStatus): Finding[] {
  if (state === 'live' && !stale) return []
  if (last_good !== null && last_error !== null) {
    const what = `its last good version of ${new Date(last_good).toISOString()} serves as g${generation}`
    const repair = `Fix the file: saving it starts it. Or \`mm undo ${api}\` writes the last good bytes back.`
    return [wrong(api, `${what}: ${describeError(last_error)}`, repair)]
  }
  const serving = generation === null ? 'nothing serves' : `g${generation} serves`
  const reason = last_error === null ? '' : `: ${describeError(last_error)}`
  const what = state === 'live' ? 'what runs is not what stands on disk' : state
  return [wrong(api, `${what}, ${serving}${reason}`, last_error?.hint ?? `mm show ${api}`)]
}
