/**
 * Changes of files by somebody who has read them: several at once, all or none, each only if the file still is what was
 * read (`base`). What is deleted is put aside, and the answer says how to have it back. Called by the service.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { FileChange, FileChanged } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { onDisk } from './on-disk.ts'
import { safePath, type SafePath } from './paths.ts'

export interface ChangeLimits {
  bytes_max: number
  batch_files_max: number
  deleted_kept_max: number
}

/** Where deleted files are put aside, from the root. */
const ASIDE = 'runtime/files/deleted'

interface Planned {
  at: SafePath
  /** null: it is to be gone */
  content: string | null
  /** null: there is none */
  before: string | null
}

/** Throws `file_changed`, or what one of the files refuses; then all are as they were. */
export function changeFiles(root: string, limits: ChangeLimits, changes: readonly FileChange[]): FileChanged[] {
  if (!Array.isArray(changes) || changes.length === 0 || changes.length > limits.batch_files_max)
    throw coded('bad_arguments', { reason: `a batch is a list of 1 to ${limits.batch_files_max} files` })
  const planned = changes.map((change) => plan(root, limits, change))
  if (new Set(planned.map(({ at }) => at.absolute)).size < planned.length)
    throw coded('bad_arguments', { reason: 'a file stands twice in the batch' })
  const done: Planned[] = []
  try {
    for (const one of planned) {
      put(one.at, one.content)
      done.push(one)
    }
  } catch (thrown) {
    for (const { at, before } of done.reverse()) put(at, before)
    throw thrown
  }
  return planned.map(({ at, content, before }) => ({ path: at.shown, hash: hashOf(content), before: hashOf(before) }))
}

/** The text with exactly one piece replaced. Throws `edit_not_unique`. */
export function editedText(path: string, text: string, piece: string, other: string): { text: string; line: number } {
  if (typeof piece !== 'string' || typeof other !== 'string' || piece === '')
    throw coded('bad_arguments', { reason: 'the old text must be text that is not empty, the new one text' })
  const at = text.indexOf(piece)
  const again = text.indexOf(piece, at + 1)
  if (at === -1) throw coded('edit_not_unique', { path, count: 0 })
  // Pieces may overlap: two at least.
  if (again !== -1) throw coded('edit_not_unique', { path, count: Math.max(2, text.split(piece).length - 1) })
  const before = text.slice(0, at)
  return { text: before + other + text.slice(at + piece.length), line: before.split('\n').length }
}

/** Never over another file. */
export function moveFile(root: string, from: string, to: string): { from: string; to: string } {
  const source = safePath(root, from, 'write')
  const target = safePath(root, to, 'write')
  onDisk(source.shown, () => checkFile(source))
  onDisk(target.shown, () => {
    if (lstatSync(target.absolute, { throwIfNoEntry: false }) !== undefined)
      throw coded('file_exists', { path: target.shown })
    mkdirSync(dirname(target.absolute), { recursive: true })
    renameSync(source.absolute, target.absolute)
  })
  return { from: source.shown, to: target.shown }
}

/** `now`: epoch ms. The oldest of what was put aside goes when there is too much of it. */
export function putAside(
  root: string,
  limits: ChangeLimits,
  path: string,
  now: number,
): { path: string; kept_at: string } {
  const folder = join(root, ASIDE)
  const source = safePath(root, path, 'write')
  if (source.shown.startsWith(`${ASIDE}/`)) throw coded('path_protected', { path })
  onDisk(source.shown, () => checkFile(source))
  const kept = onDisk(ASIDE, () => {
    mkdirSync(folder, { recursive: true })
    return readdirSync(folder).sort((a, b) => asideAt(a) - asideAt(b))
  })
  // Later than all that is kept, whatever the clock says: the order of the names is the order of the deletions.
  const to = `${ASIDE}/${Math.max(now, asideAt(kept.at(-1) ?? '') + 1)}-${basename(source.shown)}`
  moveFile(root, source.shown, to)
  for (const old of kept.slice(0, Math.max(0, kept.length + 1 - limits.deleted_kept_max)))
    onDisk(ASIDE, () => rmSync(join(folder, old), { force: true }))
  return { path: source.shown, kept_at: to }
}

/** When the file of this name was put aside, in epoch ms; 0 for a name somebody else gave. */
const asideAt = (name: string): number => Number(/^\d{1,15}(?=-)/.exec(name)?.[0] ?? 0)

const hashOf = (text: string | null): string | null => (text === null ? null : shortHash(text))

function plan(root: string, { bytes_max }: ChangeLimits, { path, content, base }: FileChange): Planned {
  if (content !== null && typeof content !== 'string')
    throw coded('bad_arguments', { reason: 'the content must be text, or null' })
  const at = safePath(root, path, 'write')
  const bytes = Buffer.byteLength(content ?? '')
  if (bytes > bytes_max) throw coded('file_too_large', { path: at.shown, bytes, limit: bytes_max })
  const before = onDisk(at.shown, () => textOf(at, bytes_max))
  if (base !== undefined && hashOf(before) !== base) throw coded('file_changed', { file: at.shown })
  if (content === null && before === null) throw coded('file_missing', { path: at.shown })
  return { at, content, before }
}

/** null: there is none. What is no text could not be put back. */
function textOf(at: SafePath, bytesMax: number): string | null {
  if (lstatSync(at.absolute, { throwIfNoEntry: false }) === undefined) return null
  const { size } = checkFile(at)
  if (size > bytesMax) throw coded('file_too_large', { path: at.shown, bytes: size, limit: bytesMax })
  const bytes = readFileSync(at.absolute)
  const text = bytes.toString('utf8')
  if (!Buffer.from(text).equals(bytes)) throw coded('file_kind', { path: at.shown, found: 'a binary file' })
  return text
}

function checkFile({ absolute, shown }: SafePath): { size: number } {
  const stat = lstatSync(absolute)
  if (!stat.isFile())
    throw coded('file_kind', { path: shown, found: stat.isDirectory() ? 'a folder' : 'no regular file' })
  return stat
}

function put({ absolute, shown }: SafePath, content: string | null): void {
  onDisk(shown, () => {
    if (content === null) rmSync(absolute)
    else {
      mkdirSync(dirname(absolute), { recursive: true })
      writeWhole(absolute, content)
    }
  })
}
