/**
 * What stands under configs/ now: the text of every YAML file that is not switched off. Looks at single paths when
 * the bell names them and at the whole tree when asked; asking twice is harmless. A file whose content did not change
 * keeps its `ConfigText` object: whoever worked something out from it may go by identity.
 */
import { join, relative, sep } from 'node:path'
import type { FileSystem } from '../contracts/seams.ts'
import type { FileCache } from '../lib/file-cache.ts'
import type { ConfigText } from './configs.ts'

const DEPTH_MAX = 8

interface Entry {
  /** absolute */
  path: string
  text: ConfigText
}

export class ConfigTree {
  /** path under configs/ → file */
  private readonly files = new Map<string, Entry>()
  /** paths under configs/ of the folders that were walked: only below these can files be known */
  private readonly folders = new Set<string>()
  private readonly folder: string
  private readonly fs: FileSystem
  private readonly cache: FileCache

  constructor(options: { folder: string; fs: FileSystem; cache: FileCache }) {
    this.folder = options.folder
    this.fs = options.fs
    this.cache = options.cache
  }

  /** The text of a file by its path under configs/. */
  textOf(path: string): string | undefined {
    return this.files.get(path)?.text.text
  }

  all(): ConfigText[] {
    return Array.from(this.files.values(), (entry) => entry.text)
  }

  /** absolute path → stat key as it was read */
  *stamps(): Iterable<[string, string]> {
    for (const { path } of this.files.values()) {
      const file = this.cache.peek(path)
      yield [path, file?.settled === true ? file.stat_key : '']
    }
  }

  lookAll(): void {
    this.look(this.folder)
  }

  /** Looks at one path again: a file, a folder, or something that is gone. */
  look(path: string): void {
    const inside = relative(this.folder, path).split(sep).join('/')
    if (inside === '..' || inside.startsWith('../')) return
    const seen = new Set<string>()
    this.walk(inside, seen, inside === '' ? 0 : inside.split('/').length)
    if (this.folders.has(inside)) this.forgetBelow(inside, seen)
  }

  private walk(inside: string, seen: Set<string>, depth: number): void {
    if (/(^|\/)\./.test(inside) || depth > DEPTH_MAX) return
    if (/\.ya?ml$/.test(inside)) {
      if (this.read(inside)) seen.add(inside)
      return
    }
    const path = join(this.folder, inside)
    if (this.fs.stat(path)?.kind !== 'folder') return
    seen.add(inside)
    this.folders.add(inside)
    for (const name of this.fs.list(path)) this.walk(inside === '' ? name : `${inside}/${name}`, seen, depth + 1)
  }

  /** False when there is no such file. */
  private read(inside: string): boolean {
    const known = this.files.get(inside)
    const path = known?.path ?? join(this.folder, inside)
    const file = this.cache.get(path)
    if (file === undefined) {
      this.files.delete(inside)
      return false
    }
    if (known?.text.hash !== file.hash) {
      this.files.set(inside, { path, text: { path: inside, text: file.text, hash: file.hash } })
    }
    return true
  }

  /** Files and folders that were known below a folder and were not seen in it any more. */
  private forgetBelow(folder: string, seen: ReadonlySet<string>): void {
    const isGone = (inside: string): boolean =>
      !seen.has(inside) && (inside === folder || folder === '' || inside.startsWith(`${folder}/`))
    for (const [inside, { path }] of this.files) {
      if (!isGone(inside)) continue
      this.files.delete(inside)
      this.cache.forget(path)
    }
    for (const inside of this.folders) if (isGone(inside)) this.folders.delete(inside)
  }
}
