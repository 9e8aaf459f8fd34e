/**
 * What stands under configs/ now: the text of every YAML file that is not switched off. Looks at single paths when
 * the bell names them and at the whole tree when asked; asking twice is harmless. A file whose content did not change
 * keeps its `ConfigText` object: whoever worked something out from it may go by identity. What is there and cannot be
 * read is kept as an error, and so is all that was known below it: only what is gone is gone. Nothing here throws.
 */
import { join, relative, sep } from 'node:path'
import type { FileStat, FileSystem } from '../contracts/seams.ts'
import { codedData, codeOf, reasonOf } from '../lib/errors.ts'
import type { FileCache } from '../lib/file-cache.ts'
import type { ConfigText } from './config-parser.ts'

const DEPTH_MAX = 8

interface Entry {
  /** absolute */
  path: string
  text: ConfigText
}

interface TreeOptions {
  folder: string
  fs: FileSystem
  cache: FileCache
  /** more of one file is not read */
  bytes_max(): number
}

interface Walk {
  seen: Set<string>
  depth: number
  /** the folders around: a link to one of them would lead round and round */
  around: readonly string[]
}

export class ConfigTree {
  /** path under configs/ → file, or folder that cannot be listed */
  private readonly files = new Map<string, Entry>()
  /** paths under configs/ of the folders that were walked: only below these can files be known */
  private readonly folders = new Set<string>()
  private readonly options: TreeOptions

  constructor(options: TreeOptions) {
    this.options = options
  }

  /** The text of a file by its path under configs/. */
  textOf(path: string): string | undefined {
    return this.files.get(path)?.text.text
  }

  all(): ConfigText[] {
    return Array.from(this.files.values(), (entry) => entry.text)
  }

  /** absolute path → stat key as it was read; '' for what has to be looked at again */
  *stamps(): Iterable<[string, string]> {
    for (const { path, text } of this.files.values()) {
      const file = text.error === undefined ? this.options.cache.peek(path) : undefined
      // Somebody else may have read the file since.
      yield [path, file?.settled === true && file.hash === text.hash ? file.stat_key : '']
    }
  }

  lookAll(): void {
    this.look(this.options.folder)
  }

  /**
   * Looks at one path again: a file, a folder, or something that is gone. `parents`: the folders' inodes by their path,
   * remembered for as long as the caller wants; filled here.
   */
  look(path: string, parents = new Map<string, string | undefined>()): void {
    const inside = relative(this.options.folder, path).split(sep).join('/')
    if (inside === '..' || inside.startsWith('../')) return
    const seen = new Set<string>()
    const parts = inside === '' ? [] : inside.split('/')
    const around = parts.flatMap((_, index) => this.inodeOf(parts.slice(0, index).join('/'), parents) ?? [])
    if (new Set(around).size < around.length) return
    this.walk(inside, { seen, depth: parts.length, around })
    if (this.folders.has(inside)) this.forgetBelow(inside, seen)
  }

  /** Looks again at folders that could not be listed: no file in them tells when they can. True when there were some. */
  retry(): boolean {
    const folders = [...this.files].filter(([inside]) => this.folders.has(inside))
    for (const [, { path }] of folders) this.look(path)
    return folders.length > 0
  }

  private walk(inside: string, { seen, depth, around }: Walk): void {
    if (/(^|\/)\./.test(inside) || depth > DEPTH_MAX) return
    if (/\.ya?ml$/.test(inside)) {
      if (this.read(inside)) seen.add(inside)
      return
    }
    const stat = this.statOf(inside)
    if (stat === 'unreadable') return this.folders.has(inside) ? this.keepBelow(inside, seen, stat) : undefined
    if (stat?.kind !== 'folder') {
      this.files.delete(inside)
      return
    }
    if (around.includes(stat.inode)) return
    let names: string[]
    try {
      names = this.options.fs.list(join(this.options.folder, inside))
    } catch (thrown) {
      return this.keepBelow(inside, seen, reasonOf(thrown))
    }
    this.files.delete(inside)
    seen.add(inside)
    this.folders.add(inside)
    const below = { seen, depth: depth + 1, around: [...around, stat.inode] }
    for (const name of names) this.walk(inside === '' ? name : `${inside}/${name}`, below)
  }

  private inodeOf(inside: string, parents: Map<string, string | undefined>): string | undefined {
    if (parents.has(inside)) return parents.get(inside)
    const stat = this.statOf(inside)
    const inode = typeof stat === 'object' ? stat.inode : undefined
    parents.set(inside, inode)
    return inode
  }

  private statOf(inside: string): FileStat | 'unreadable' | undefined {
    try {
      return this.options.fs.stat(join(this.options.folder, inside))
    } catch {
      return 'unreadable'
    }
  }

  /** False when there is no such file. */
  private read(inside: string): boolean {
    const known = this.files.get(inside)
    const path = known?.path ?? join(this.options.folder, inside)
    const text = this.textAt(inside, path)
    if (text === undefined) this.files.delete(inside)
    else if (known?.text.hash !== text.hash) this.files.set(inside, { path, text })
    return text !== undefined
  }

  private textAt(inside: string, path: string): ConfigText | undefined {
    try {
      const file = this.options.cache.get(path, this.options.bytes_max())
      return file && { path: inside, text: file.text, hash: file.hash }
    } catch (thrown) {
      const { bytes, limit } = (thrown as { details?: Record<string, unknown> }).details ?? {}
      if (codeOf(thrown) !== 'file_too_large') return unreadable(inside, reasonOf(thrown))
      const reason = `it has ${String(bytes)} bytes; the limit is ${String(limit)}`
      return refused(inside, 'config_too_large', reason)
    }
  }

  /** A folder that is there and cannot be listed: nobody can say that a file in it is gone. */
  private keepBelow(folder: string, seen: Set<string>, reason: string): void {
    const known = this.files.get(folder)
    const text = unreadable(folder, reason)
    if (known?.text.hash !== text.hash) this.files.set(folder, { path: join(this.options.folder, folder), text })
    this.folders.add(folder)
    for (const inside of [...this.files.keys(), ...this.folders]) if (isIn(inside, folder)) seen.add(inside)
  }

  /** Files and folders that were known below a folder and were not seen in it any more. */
  private forgetBelow(folder: string, seen: ReadonlySet<string>): void {
    const isGone = (inside: string): boolean => !seen.has(inside) && isIn(inside, folder)
    for (const [inside, { path }] of this.files) {
      if (!isGone(inside)) continue
      this.files.delete(inside)
      this.options.cache.forget(path)
    }
    for (const inside of this.folders) if (isGone(inside)) this.folders.delete(inside)
  }
}

const isIn = (inside: string, folder: string): boolean =>
  inside === folder || folder === '' || inside.startsWith(`${folder}/`)

const unreadable = (path: string, reason: string): ConfigText => refused(path, 'config_unreadable', reason)

function refused(path: string, code: 'config_unreadable' | 'config_too_large', reason: string): ConfigText {
  const error = codedData(code, { reason }, { file: `configs/${path}`, line: 1, column: 1 })
  return { path, text: '', hash: `${code} ${reason}`, error }
}
