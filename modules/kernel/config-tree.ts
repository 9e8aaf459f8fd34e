/**
 * What stands under configs/ now: the text of every YAML file that is not switched off. Looks at single paths when
 * the bell names them and at the whole tree when asked; asking twice is harmless.
 */
import { join, relative, sep } from 'node:path'
import type { FileSystem } from '../contracts/seams.ts'
import type { FileCache } from '../lib/file-cache.ts'
import type { ConfigText } from './configs.ts'

const DEPTH_MAX = 8

export class ConfigTree {
  private files = new Map<string, ConfigText>()
  private readonly folder: string
  private readonly fs: FileSystem
  private readonly cache: FileCache

  constructor(options: { folder: string; fs: FileSystem; cache: FileCache }) {
    this.folder = options.folder
    this.fs = options.fs
    this.cache = options.cache
  }

  all(): ConfigText[] {
    return [...this.files.values()]
  }

  /** absolute path → stat key as it was read */
  *stamps(): Iterable<[string, string]> {
    for (const path of this.files.keys()) {
      const file = this.cache.peek(join(this.folder, path))
      yield [join(this.folder, path), file?.settled === true ? file.stat_key : '']
    }
  }

  lookAll(): void {
    const found = new Map<string, ConfigText>()
    this.walk('', found, 0)
    this.files = found
  }

  /** Looks at one path again: a file, a folder, or something that is gone. */
  look(path: string): void {
    const inside = relative(this.folder, path).split(sep).join('/')
    if (inside.startsWith('..')) return
    for (const known of this.files.keys()) {
      if (inside === '' || known === inside || known.startsWith(`${inside}/`)) this.files.delete(known)
    }
    this.walk(inside, this.files, inside.split('/').length)
  }

  private walk(inside: string, into: Map<string, ConfigText>, depth: number): void {
    if (/(^|\/)\./.test(inside) || depth > DEPTH_MAX) return
    const path = join(this.folder, inside)
    if (/\.ya?ml$/.test(inside)) {
      const file = this.cache.get(path)
      if (file !== undefined) into.set(inside, { path: inside, text: file.text, hash: file.hash })
      return
    }
    if (this.fs.stat(path)?.kind !== 'folder') return
    for (const name of this.fs.list(path)) this.walk(inside === '' ? name : `${inside}/${name}`, into, depth + 1)
  }
}
