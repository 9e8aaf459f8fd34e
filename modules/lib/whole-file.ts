/**
 * Writing a file whole or not at all: the text goes to a draft beside it, is flushed, and takes the file's name in one
 * step; mode and owner stay what they were. A process that is killed meanwhile leaves the draft, which says by its name
 * what it is and whose: `removeDrafts` (at each start, by `run.ts`) takes those away, and nothing else.
 */
import { chmodSync, chownSync, closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { statSync, writeSync, type Stats } from 'node:fs'
import { chmod, chown, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isRunning } from './lock.ts'

export interface WholeFileOptions {
  /** @default that of the file it replaces */
  mode?: number
  /** waits for the disk. @default true */
  flush?: boolean
}

/** `.notes.txt.412-7.mm-draft`: of process 412. Hidden, so that no tree of configs takes it for one. */
const DRAFT = /^\..+\.(\d+)-\d+\.mm-draft$/
/** What the lock writes beside itself, likewise. */
const LOCK_DRAFT = /^lock(?:\.over)*\.(\d+)$/
const NEW_FILE = 0o666
const RIGHTS = 0o7777
/** of the name it is made from: what a folder holds has a limit too */
const NAME_CHARS_MAX = 60
const FOREIGN = new Set(['node_modules', '.git'])
/** A limit on everything: a root with more files than this is not searched to its end. */
const ENTRIES_MAX = 100_000

let drafts = 0

const draftOf = (path: string): string =>
  join(dirname(path), `.${basename(path).slice(0, NAME_CHARS_MAX)}.${process.pid}-${++drafts}.mm-draft`)

const rightsOf = (before: Stats | undefined, mode: number | undefined): number | undefined =>
  mode ?? (before && before.mode & RIGHTS)

/** Throws what the disk throws; then the file is as it was. */
export function writeWhole(
  path: string,
  content: string | Uint8Array,
  { mode, flush = true }: WholeFileOptions = {},
): void {
  const target = orElse(() => realpathSync(path), path)
  const before = orElse(() => statSync(target, { throwIfNoEntry: false }), undefined)
  const rights = rightsOf(before, mode)
  const draft = draftOf(target)
  try {
    const file = openSync(draft, 'w', rights ?? NEW_FILE)
    try {
      const bytes = Buffer.from(content)
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
      if (flush) fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (before !== undefined) orElse(() => chownSync(draft, before.uid, before.gid), undefined)
    if (rights !== undefined) chmodSync(draft, rights)
    renameSync(draft, target)
  } catch (thrown) {
    rmSync(draft, { force: true })
    throw thrown
  }
}

/** Like `writeWhole`, beside everything else. Two at once for one file: the one that ends last stays. */
export async function writeWholeLater(
  path: string,
  content: string | Buffer,
  { mode, flush = true }: WholeFileOptions = {},
): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const before = await stat(target).catch(() => undefined)
  const rights = rightsOf(before, mode)
  const draft = draftOf(target)
  try {
    const file = await open(draft, 'w', rights ?? NEW_FILE)
    try {
      await file.writeFile(content)
      if (flush) await file.sync()
    } finally {
      await file.close()
    }
    if (before !== undefined) await chown(draft, before.uid, before.gid).catch(() => undefined)
    if (rights !== undefined) await chmod(draft, rights)
    await rename(draft, target)
  } catch (thrown) {
    await rm(draft, { force: true })
    throw thrown
  }
}

/**
 * Below a root, as paths from it: those of processes that are gone, and those from before `before` (epoch ms), since a
 * pid is used again. What cannot be read is left out.
 */
export async function findDrafts(root: string, before: number): Promise<string[]> {
  const found: string[] = []
  const folders = ['']
  for (let entries = 0; folders.length > 0 && entries < ENTRIES_MAX; ) {
    const folder = folders.pop() ?? ''
    const inside = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    entries += inside.length
    for (const entry of inside) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (!FOREIGN.has(entry.name)) folders.push(path)
      } else if (entry.isFile() && (await isLeft(join(root, path), folder, before))) found.push(path)
    }
  }
  return found
}

/** Never rejects. Returns what was removed, as paths from the root. */
export async function removeDrafts(root: string, before: number): Promise<string[]> {
  const removed: string[] = []
  for (const path of await findDrafts(root, before)) {
    await rm(join(root, path), { force: true }).then(
      () => removed.push(path),
      () => undefined,
    )
  }
  return removed
}

async function isLeft(path: string, folder: string, before: number): Promise<boolean> {
  const name = basename(path)
  const [, pid] = DRAFT.exec(name) ?? (folder === 'runtime' ? LOCK_DRAFT.exec(name) : null) ?? []
  if (pid === undefined) return false
  if (!isRunning(Number(pid))) return true
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
  return mtimeMs < before
}

function orElse<T>(work: () => T, other: T): T {
  try {
    return work()
  } catch {
    return other
  }
}
