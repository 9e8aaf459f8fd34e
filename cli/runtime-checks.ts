/**
 * What `mm doctor` finds in runtime/: files that are left over, that are not whole, or that keep the system from
 * something. Each check reads; what mends is in the finding. Nothing but the system's own files is ever mended, and
 * what it cannot read is put aside, not deleted.
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../modules/lib/errors.ts'
import { shortHash } from '../modules/lib/hash.ts'
import { kernelEntry, TRIAL_FILE } from '../modules/lib/kernel-trial.ts'
import { LAST_GOOD_FOLDER, LAST_GOOD_TEXTS, parseLastGood } from '../modules/lib/last-good.ts'
import { holderOf, isRunning } from '../modules/lib/lock.ts'
import { describeStall, parseStall, STALL_FILE, STALL_TOLD_FILE, type Stall } from '../modules/lib/stall.ts'
import { findDrafts } from '../modules/lib/whole-file.ts'
import { readAddress } from './client.ts'
import { fine, wrong, type Finding } from './finding.ts'

const LOCK = 'runtime/lock'
const ADDRESS = 'runtime/http.json'
const REFUSED = 'runtime/refused.json'
const PACK = 'runtime/cache/work.pack'
/** Less is as good as nothing. */
const FREE_BYTES_MIN = 1_048_576
/** A draft that is older belongs to a process that is gone. */
const DRAFT_AGE_MS = 60_000

export async function checkRuntime(root: string): Promise<Finding[]> {
  const checks = [folder, token, frozen, stalls, lock, address, records, refusedKernels, lastGood, pack, drafts]
  const findings: Finding[] = []
  for (const check of checks) {
    try {
      findings.push(...(await check(root)))
    } catch (thrown) {
      findings.push(wrong('runtime', `runtime/ cannot be read: ${reasonOf(thrown)}`, 'Make it readable for this user.'))
    }
  }
  return findings
}

/** Somebody uses the root now: what that process has in its hands is not mended under it. */
const isInUse = (root: string): boolean => holderOf(join(root, LOCK)) !== undefined

function folder(root: string): Finding[] {
  const path = join(root, 'runtime')
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return [fine('runtime', 'runtime/ is made at the first start')]
  if (!stat.isDirectory())
    return [wrong('runtime', 'runtime is not a folder', 'Move it away: the next start makes one.')]
  try {
    accessSync(path, constants.W_OK)
    const { bavail, bsize } = statfsSync(path)
    const free = bavail * bsize
    if (free >= FREE_BYTES_MIN) return [fine('runtime', 'runtime/ can be written')]
    const left = `${Math.floor(free / 1024)} KB are left on the disk of runtime/`
    return [wrong('runtime', left, 'Make room: what could not be written follows by itself.')]
  } catch {
    return [wrong('runtime', 'runtime/ cannot be written', 'Make the folder writable for this user.')]
  }
}

function token(root: string): Finding[] {
  const path = join(root, 'runtime', 'token')
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return []
  const mode = (stat.mode & 0o777).toString(8)
  if ((stat.mode & 0o077) === 0) return [fine('token', `runtime/token has mode ${mode}`)]
  const message = `runtime/token can be read by others (mode ${mode})`
  return [wrong('token', message, 'Run: chmod 600 runtime/token', () => chmodSync(path, 0o600))]
}

function frozen(root: string): Finding[] {
  const path = join(root, 'runtime', 'FREEZE')
  if (!existsSync(path)) return []
  const isAll = /\ball\b/.test(readFileSync(path, 'utf8'))
  const scope = isAll ? 'file edits are not applied either' : 'it may not change itself'
  return [wrong('freeze', `the system is frozen: ${scope}`, 'Somebody wanted that. `mm thaw` ends it.')]
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

function lock(root: string): Finding[] {
  const path = join(root, LOCK)
  if (!existsSync(path)) return []
  const holder = holderOf(path)
  if (holder === undefined) {
    const hint = 'The next start takes it over; nothing has to be done.'
    return [wrong('lock', `${LOCK} was left by a process that is gone`, hint, () => rmSync(path, { force: true }))]
  }
  if (!holder.orphan) return [fine('lock', `process ${holder.pid} uses this root`)]
  const hint = 'It is stopping. The next `mm up` waits for it, and ends it after 14 s.'
  return [wrong('lock', `process ${holder.pid} still uses this root: its parent was killed`, hint)]
}

function address(root: string): Finding[] {
  const path = join(root, ADDRESS)
  const known = readAddress(root)
  if (known === undefined && existsSync(path)) {
    const hint = 'The next start writes it anew.'
    return [wrong('address', `${ADDRESS} is not whole`, hint, () => rmSync(path, { force: true }))]
  }
  if (known === undefined || isRunning(known.pid)) return []
  const hint = 'The next start writes it anew; until then there is no system to talk to.'
  const message = `${ADDRESS} names process ${known.pid}, which is gone`
  return [wrong('address', message, hint, () => rmSync(path, { force: true }))]
}

/** Read once at a start, and ignored there when they cannot be read. */
function records(root: string): Finding[] {
  return [REFUSED, TRIAL_FILE, STALL_FILE].flatMap((file) => {
    const path = join(root, file)
    if (!existsSync(path) || isMap(readFileSync(path, 'utf8'))) return []
    const repair = isInUse(root) ? undefined : () => renameSync(path, `${path}.broken`)
    const hint = 'It is ignored, and written anew when there is something to write.'
    return [wrong('records', `${file} is no whole record`, hint, repair)]
  })
}

function isMap(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Where no system runs that could be asked: what the last one wrote down. */
function refusedKernels(root: string): Finding[] {
  const path = join(root, REFUSED)
  if (isInUse(root) || !existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  const refused = isMap(text) ? (JSON.parse(text) as Record<string, { takenBack?: string }>) : {}
  const folderOf = join(root, 'configs')
  const metas = existsSync(folderOf) ? readdirSync(folderOf).map((name) => `configs/${name}`) : []
  return metas.flatMap((meta) => {
    const reason = refused[kernelEntry(meta)]?.takenBack
    const hint = 'It is tried again when its files change; `mm kernel swap` tries it at once. Or remove the meta file.'
    return reason === undefined ? [] : [wrong('kernel', `${meta} was refused: ${reason}`, hint)]
  })
}

/** What is kept is looked at file by file: what is not whole would be ignored. */
function lastGood(root: string): Finding[] {
  const inside = join(root, LAST_GOOD_FOLDER)
  const names = existsSync(inside) ? readdirSync(inside).filter((name) => name.endsWith('.json')) : []
  if (names.length === 0) return []
  const broken = names.flatMap((name) => {
    const reason = brokenRecord(inside, name)
    return reason === undefined ? [] : [{ name, message: `${join(LAST_GOOD_FOLDER, name)}: ${reason}` }]
  })
  const hint = 'It is ignored. The next version of that service that runs well is kept anew.'
  return [
    fine('last good', `${names.length - broken.length} services have a version to fall back on`),
    ...broken.map(({ name, message }) =>
      wrong('last good', message, hint, () => rmSync(join(inside, name), { force: true })),
    ),
  ]
}

function brokenRecord(inside: string, name: string): string | undefined {
  try {
    const record = parseLastGood(readFileSync(join(inside, name), 'utf8'))
    if (typeof record === 'string') return record
    const lost = Object.entries(record.files).find(([, hash]) => {
      const path = join(inside, LAST_GOOD_TEXTS, hash)
      return !existsSync(path) || shortHash(readFileSync(path, 'utf8')) !== hash
    })
    return lost && `the text of ${lost[0]} is not whole`
  } catch (thrown) {
    return reasonOf(thrown)
  }
}

/** See `loader/pack.ts`: a line that holds a hash over the rest. */
function pack(root: string): Finding[] {
  const path = join(root, PACK)
  if (!existsSync(path)) return []
  const data = readFileSync(path)
  const end = data.indexOf('\n')
  const head = data.toString('utf8', 0, Math.max(0, end))
  if (isMap(head) && (JSON.parse(head) as { hash?: unknown }).hash === shortHash(data.subarray(end + 1))) return []
  const hint = 'It is ignored: the next start is slower, and writes it anew.'
  return [wrong('cache', `${PACK} is not whole`, hint, () => rmSync(path, { force: true }))]
}

async function drafts(root: string): Promise<Finding[]> {
  const left = await findDrafts(root, Date.now() - DRAFT_AGE_MS)
  const hint = 'The file beside it is whole. The next start removes it.'
  return left.map((path) =>
    wrong('drafts', `${path} was left by a process that was killed while it wrote`, hint, () =>
      rmSync(join(root, path), { force: true }),
    ),
  )
}
