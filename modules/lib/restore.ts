/**
 * A root from a backup, whole or not at all: it is unpacked beside its place, every file is compared with what the backup
 * says of it, and only then does the folder get its name. An archive may come from anywhere: see `tar.ts`.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync } from 'node:fs'
import { chmod, open } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { createGunzip } from 'node:zlib'
import { digestOf, failureOf, MANIFEST, scratchBeside, type BackedUpFile, type BackupManifest } from './backup.ts'
import { coded, codeOf, reasonOf } from './errors.ts'
import { readTar, type TarEntry } from './tar.ts'

const MANIFEST_BYTES_MAX = 512 * 1024 * 1024

export interface RestoreOptions {
  file: string
  /** empty, or not there */
  folder: string
  tell(files: number): void
}

export async function restore({ file, folder, tell }: RestoreOptions): Promise<BackupManifest> {
  if (!existsSync(file)) throw coded('file_missing', { path: file })
  const target = resolve(folder)
  if (existsSync(target) && readdirSync(target).length > 0) throw coded('root_not_empty', { root: target })
  const scratch = scratchBeside(target, `.${basename(target)}.part-`)
  try {
    const manifest = await unpack(file, scratch, tell)
    if (existsSync(target)) rmdirSync(target)
    renameSync(scratch, target)
    await chmod(target, 0o755)
    return manifest
  } catch (thrown) {
    const code = codeOf(thrown)
    if (code?.startsWith('Z_') === true || code === 'ERR_STREAM_PREMATURE_CLOSE')
      throw coded('backup_damaged', { reason: reasonOf(thrown) }, {}, thrown)
    throw failureOf(thrown, target)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function unpack(file: string, scratch: string, tell: (files: number) => void): Promise<BackupManifest> {
  const source = createReadStream(file)
  const unzipped = createGunzip()
  source.on('error', (error) => unzipped.destroy(error))
  const found: BackedUpFile[] = []
  let manifest: BackupManifest | undefined
  for await (const { entry, read } of readTar(source.pipe(unzipped))) {
    if (entry.path === MANIFEST) manifest = await readManifest(entry, read())
    else {
      found.push(await writeFile(scratch, entry, read()))
      tell(found.length)
    }
  }
  if (manifest === undefined) throw coded('backup_damaged', { reason: 'it does not say what it holds' })
  if (manifest.digest !== digestOf(manifest.files) || manifest.digest !== digestOf(found))
    throw coded('backup_damaged', { reason: differing(manifest.files, found) })
  return manifest
}

async function readManifest(entry: TarEntry, chunks: AsyncIterable<Buffer>): Promise<BackupManifest> {
  if (entry.bytes > MANIFEST_BYTES_MAX) throw coded('backup_damaged', { reason: 'its list of files is too long' })
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk)
  try {
    const manifest = JSON.parse(Buffer.concat(parts).toString('utf8')) as BackupManifest
    if (manifest.format === 1 && Array.isArray(manifest.files)) return manifest
    throw new Error(`its format is ${JSON.stringify(manifest.format)}`)
  } catch (thrown) {
    throw coded('backup_damaged', { reason: `its list of files cannot be read: ${reasonOf(thrown)}` }, {}, thrown)
  }
}

async function writeFile(scratch: string, entry: TarEntry, chunks: AsyncIterable<Buffer>): Promise<BackedUpFile> {
  const path = join(scratch, entry.path)
  mkdirSync(dirname(path), { recursive: true })
  // `wx`: a name that comes twice is no backup of ours.
  const handle = await open(path, 'wx', 0o600)
  const hash = createHash('sha256')
  try {
    for await (const chunk of chunks) {
      hash.update(chunk)
      await handle.writeFile(chunk)
    }
    await handle.chmod(entry.mode & 0o777)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { path: entry.path, mode: entry.mode & 0o777, bytes: entry.bytes, sha256: hash.digest('hex') }
}

function differing(wanted: readonly BackedUpFile[], found: readonly BackedUpFile[]): string {
  const byPath = new Map(found.map((one) => [one.path, one.sha256]))
  const wrong = wanted.filter((one) => byPath.get(one.path) !== one.sha256).map((one) => one.path)
  return wrong.length === 0
    ? 'it holds other files than it says'
    : `${wrong.slice(0, 3).join(', ')} is not what was copied`
}
