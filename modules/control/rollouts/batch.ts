/**
 * The files of one proposal: read as bytes, compared by hash, written together. The service writes them itself, not
 * through the service `filesystem`: the way back must work when that one is what was changed. A path that leads out of
 * the root, also through a link, is refused. Synchronous, so that nothing comes between a look and a write.
 */
import { lstatSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { ProposedEdit } from '../../contracts/proposals.ts'
import { coded } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'

/** A file as it is, or is to be; null: there is none. */
export interface FileBytes {
  path: string
  bytes: Buffer | null
}

export const hashOf = (bytes: Uint8Array | string | null): string | null => (bytes === null ? null : shortHash(bytes))

export const bytesOf = ({ path, text }: ProposedEdit): FileBytes => ({
  path,
  bytes: text === null ? null : Buffer.from(text),
})

/** Throws `path_outside`, `file_kind`. */
export function readFiles(root: string, paths: readonly string[]): FileBytes[] {
  return paths.map((path) => ({ path, bytes: readBytes(placeOf(root, path), path) }))
}

/** The first that is not what it was made from. */
export function movedFile(edits: readonly ProposedEdit[], files: readonly FileBytes[]): string | undefined {
  return edits.find(({ base_hash }, index) => hashOf(files[index]?.bytes ?? null) !== base_hash)?.path
}

/** All, or what was written is put back and the reason is thrown. */
export function writeFiles(root: string, files: readonly FileBytes[]): void {
  const before = readFiles(
    root,
    files.map(({ path }) => path),
  )
  let done = 0
  try {
    for (const file of files) {
      put(root, file)
      done++
    }
  } catch (thrown) {
    for (const file of before.slice(0, done).reverse()) put(root, file)
    throw thrown
  }
}

function put(root: string, { path, bytes }: FileBytes): void {
  const place = placeOf(root, path)
  try {
    if (bytes === null) rmSync(place, { force: true })
    else {
      mkdirSync(dirname(place), { recursive: true })
      writeWhole(place, bytes)
    }
  } catch (thrown) {
    throw writeFailure(thrown, path)
  }
}

function readBytes(place: string, path: string): Buffer | null {
  const stat = lstatSync(place, { throwIfNoEntry: false })
  if (stat === undefined) return null
  if (!stat.isFile()) throw coded('file_kind', { path, found: stat.isDirectory() ? 'a folder' : 'no regular file' })
  return readFileSync(place)
}

/** Where a path from the root really is; what is not there yet is where its nearest folder leads. */
function placeOf(root: string, path: string): string {
  const base = realpathSync(root)
  const missing: string[] = []
  for (let at = join(base, path); ; at = dirname(at)) {
    try {
      const place = join(realpathSync(at), ...missing)
      const inside = relative(base, place)
      if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`)) throw coded('path_outside', { path })
      return place
    } catch (thrown) {
      const { code } = thrown as { code?: unknown }
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(at) === at) throw thrown
      missing.unshift(at.slice(dirname(at).length + 1))
    }
  }
}
