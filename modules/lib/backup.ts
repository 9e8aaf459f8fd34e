/**
 * A consistent copy of a root in one file, while a system runs on it or while none does: configs, modules, prompts and
 * what is in runtime/ that cannot be made anew. Files are whole because whoever writes them renames; SQLite files are
 * copied as they were at one moment (`sqlite-snapshot.ts`). The last entry says what was copied, with a hash of each file:
 * `restore.ts` gives back that or nothing. The file holds the token and secrets: it is for this user only.
 */
import { createHash } from 'node:crypto'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { ERRORS } from '../contracts/errors.ts'
import { coded, codeOf, reasonOf } from './errors.ts'
import { isDatabase, snapshotAll } from './sqlite-snapshot.ts'
import { TAR_END, tarHead, tarTail } from './tar.ts'
import { writeFailure } from './write-failure.ts'

export const MANIFEST = 'mm-backup.json'
const FORMAT = 1
const PRIVATE = 0o600
const READ_BYTES = 262_144
const FILES_MAX = 1_000_000

/** What belongs to one process, what a start makes anew, and what others keep. */
const LEFT_OUT = [
  /(^|\/)(node_modules|\.git)$/,
  /^runtime\/(cache|logs|http\.json|lock(\..*)?|stall\.json\.room)$/,
  /\.mm-draft$/,
  /-(wal|shm|journal)$/,
]

export interface BackedUpFile {
  path: string
  mode: number
  bytes: number
  sha256: string
}

export interface BackupManifest {
  format: number
  /** epoch milliseconds */
  made_at: number
  /** over every file: its path, mode and bytes */
  digest: string
  files: BackedUpFile[]
}

export interface BackupOptions {
  root: string
  /** the file to write; it replaces one that is there */
  file: string
  now: number
  tell(files: number, bytes: number): void
}

export async function backup({ root, file, now, tell }: BackupOptions): Promise<BackupManifest> {
  if (!existsSync(join(root, 'configs'))) throw coded('root_missing', { root, part: 'configs/' })
  const target = resolve(file)
  const scratch = scratchBeside(target, `${basename(target)}.part-`)
  try {
    // It is put in the place of what is there, and that must not be a folder or a device.
    if (statSync(target, { throwIfNoEntry: false })?.isFile() === false)
      throw coded('backup_failed', { reason: `${target} is no file that could be replaced; name a file` })
    const paths = await listed(root, target)
    const copies = await copiesOf(root, paths, scratch)
    const archive = new Archive(join(scratch, 'archive'))
    const files: BackedUpFile[] = []
    let bytes = 0
    for (const path of paths) {
      const added = await archive.add(path, copies.get(join(root, path)) ?? join(root, path), join(root, path))
      if (added === undefined) continue
      files.push(added)
      bytes += added.bytes
      tell(files.length, bytes)
    }
    const manifest = { format: FORMAT, made_at: now, digest: digestOf(files), files }
    await archive.end(Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`), now)
    renameSync(join(scratch, 'archive'), target)
    return manifest
  } catch (thrown) {
    throw failureOf(thrown, file)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** A folder on the disk of the target: there is room for it there, or for nothing. */
export function scratchBeside(target: string, name: string): string {
  try {
    mkdirSync(dirname(target), { recursive: true })
    return mkdtempSync(join(dirname(target), name))
  } catch (thrown) {
    throw writeFailure(thrown, target)
  }
}

/** What has a code of ours stays as it is. */
export function failureOf(thrown: unknown, path: string): unknown {
  const code = codeOf(thrown) ?? ''
  if (Object.hasOwn(ERRORS, code)) return thrown
  if (code.startsWith('SQLITE') && code !== 'SQLITE_FULL')
    return coded('backup_failed', { reason: reasonOf(thrown) }, {}, thrown)
  return writeFailure(thrown, path)
}

/** Equal for equal files, in any order. */
export function digestOf(files: readonly BackedUpFile[]): string {
  const lines = files.map(({ path, mode, sha256 }) => `${path}\0${mode.toString(8)}\0${sha256}\n`).sort()
  return createHash('sha256').update(lines.join('')).digest('hex')
}

/** Plain files below a root, sorted; a link to a file counts as the file, one to a folder is left out. */
async function listed(root: string, target: string): Promise<string[]> {
  const found: string[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const inside = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of inside) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (LEFT_OUT.some((pattern) => pattern.test(path)) || isOurs(join(root, path), target)) continue
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(join(root, path))))) found.push(path)
      if (found.length > FILES_MAX)
        throw coded('backup_failed', { reason: `the root has more than ${FILES_MAX} files` })
    }
  }
  return found.sort()
}

/** The backup that is being written, and the ones before it under the same name. */
const isOurs = (path: string, target: string): boolean => path === target || path.startsWith(`${target}.part-`)

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    (one) => one.isFile(),
    () => false,
  )

async function copiesOf(root: string, paths: readonly string[], scratch: string): Promise<Map<string, string>> {
  const copies = new Map<string, string>()
  for (const path of paths.filter((one) => one.startsWith('runtime/'))) {
    const from = join(root, path)
    if (existsSync(from) && isDatabase(from)) copies.set(from, join(scratch, `copy-${copies.size}`))
  }
  await snapshotAll(copies)
  return copies
}

class Archive {
  private readonly gzip = createGzip()
  private readonly written: Promise<void>

  constructor(path: string) {
    const file = createWriteStream(path, { mode: PRIVATE, flush: true })
    this.gzip.pipe(file)
    // Both: what cannot be written ends the pipe, not the compression.
    file.on('error', (error) => this.gzip.destroy(error))
    this.written = finished(file)
    this.written.catch(() => undefined)
  }

  /** undefined: it is gone meanwhile. `original`: whose mode and time count. */
  async add(path: string, from: string, original: string): Promise<BackedUpFile | undefined> {
    const handle = await open(from, 'r').catch((thrown: unknown) => {
      if (codeOf(thrown) === 'ENOENT') return undefined
      throw thrown
    })
    if (handle === undefined) return undefined
    try {
      const { size: bytes, ...own } = await handle.stat()
      const { mode, mtimeMs } = from === original ? own : await stat(original).catch(() => own)
      await this.write(tarHead({ path, mode, bytes, modified_ms: mtimeMs }))
      const hash = createHash('sha256')
      // What is added to it from now on belongs to the next backup; what is cut off meanwhile is zeros.
      for (let at = 0; at < bytes; ) {
        const buffer = Buffer.alloc(Math.min(READ_BYTES, bytes - at))
        await handle.read(buffer, 0, buffer.length, at)
        hash.update(buffer)
        await this.write(buffer)
        at += buffer.length
      }
      await this.write(tarTail(bytes))
      return { path, mode: mode & 0o777, bytes, sha256: hash.digest('hex') }
    } finally {
      await handle.close()
    }
  }

  async end(manifest: Buffer, now: number): Promise<void> {
    const bytes = manifest.length
    await this.write(tarHead({ path: MANIFEST, mode: PRIVATE, bytes, modified_ms: now }))
    await this.write(Buffer.concat([manifest, tarTail(bytes), TAR_END]))
    this.gzip.end()
    await this.written
  }

  private async write(bytes: Buffer): Promise<void> {
    if (this.gzip.destroyed) await this.written
    if (!this.gzip.write(bytes)) await new Promise<void>((go) => this.onRoom(go))
  }

  private onRoom(go: () => void): void {
    const done = (): void => {
      this.gzip.off('drain', done).off('close', done)
      go()
    }
    this.gzip.on('drain', done).on('close', done)
  }
}
