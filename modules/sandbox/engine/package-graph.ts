/**
 * The files that the imports of a module lead to within its packages, read and taken apart when they are asked for. They have to be pure: JavaScript
 * that imports nothing of Node. ES modules are followed by their imports, CommonJS by its literal `require`s; a `require` of
 * anything else throws when it runs. Made by `packages.ts`, which links what is live of it.
 */
import { statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, sep } from 'node:path'
import { ResolverFactory } from 'oxc-resolver'
import type { GraphFile } from './live.ts'
import { hasNoEffects, readSource, textOf, type PackageFacts, type PackageSource } from './package-source.ts'
import { transformed } from './transformed.ts'

const FILES_MAX = 2_000
const BYTES_MAX = 16 * 1024 * 1024
/** The main thread is given back this often, ms. */
const SLICE_MS = 8

/** Makes the error of the import that leads to it. */
export type Refuse = (specifier: string, reason: string) => Error

export interface PackageFile extends GraphFile {
  readonly source: PackageSource
  readonly path: string
}

export class Resolvers {
  readonly imports: ResolverFactory
  readonly requires: ResolverFactory

  constructor() {
    const extensions = ['.js', '.mjs', '.cjs', '.json']
    const aliasFields = [['browser']]
    this.imports = new ResolverFactory({
      conditionNames: ['browser', 'import', 'default'],
      mainFields: ['browser', 'module', 'main'],
      extensions,
      aliasFields,
    })
    this.requires = new ResolverFactory({
      conditionNames: ['browser', 'require', 'default'],
      mainFields: ['browser', 'main'],
      extensions,
      aliasFields,
    })
  }

  find(specifier: string, folders: readonly string[]): string | undefined {
    for (const folder of folders) {
      const { path } = this.imports.sync(folder, specifier)
      if (typeof path === 'string') return path
    }
    return undefined
  }

  clear(): void {
    this.imports.clearCache()
    this.requires.clearCache()
  }
}

export class PackageGraph {
  readonly files = new Map<string, PackageFile>()
  private readonly stamps = new Map<string, string>()
  private readonly resolvers: Resolvers
  private readonly unread = new Map<string, Unread>()
  private readonly ids = new Map<string, string>()
  private readonly taken = new Set<string>()
  private readonly packages = new Map<string, PackageFacts | undefined>()
  private readonly found = new Set<string>()
  private bytes = 0
  private known: Set<string> | undefined

  constructor(resolvers: Resolvers) {
    this.resolvers = resolvers
  }

  /** Gives its id; `from` is the import that leads to it. */
  add(path: string, from: string): string {
    const id = this.idOf(path)
    if (!this.files.has(id)) this.unread.set(id, { path, from })
    return id
  }

  /** Those files, or all there are. */
  async read(ids: ReadonlySet<string> | 'all', refuse: Refuse): Promise<void> {
    const slices = new Slices()
    for (const id of ids === 'all' ? this.unread.keys() : ids) {
      this.take(id, refuse)
      await slices.next()
    }
  }

  private take(id: string, refuse: Refuse): void {
    const next = this.unread.get(id)
    if (next === undefined) return
    const file = this.file(id, next, refuse)
    this.unread.delete(id)
    this.files.set(id, file)
    for (const [name, from] of file.es?.exported ?? [])
      if (!('local' in from) && from.name === '*') this.found.add(name)
    this.bytes += file.source.written.length
    if (this.stamps.size > FILES_MAX || this.bytes > BYTES_MAX)
      throw refuse(next.from, 'with all it imports it is too large')
  }

  get isComplete(): boolean {
    return this.unread.size === 0
  }

  hasEffects(id: string): boolean {
    const path = this.unread.get(id)?.path ?? this.files.get(id)?.path
    return path !== undefined && !hasNoEffects(path, this.packages)
  }

  /** Whether the files on disk are still those. */
  get isFresh(): boolean {
    return [...this.stamps].every(([path, stamp]) => stampOf(path) === stamp)
  }

  /** Names under which a file that was read exports all of another. */
  get namespaces(): string[] {
    return [...this.found]
  }

  /** Whether any file that was read has this word, but for the names of `export * as` and of files. */
  says(word: string): boolean {
    this.known ??= new Set([...this.files.values()].flatMap(({ source }) => wordsOf(textOf(source))))
    return this.known.has(word)
  }

  /** As it is called in a stack: from `node_modules` on. */
  private idOf(path: string): string {
    const known = this.ids.get(path)
    if (known !== undefined) return known
    const mark = `${sep}node_modules${sep}`
    const at = path.indexOf(mark)
    let id = `npm:${at < 0 ? path.slice(path.lastIndexOf(sep) + 1) : path.slice(at + mark.length)}`
    while (this.taken.has(id)) id += '~'
    this.taken.add(id)
    this.ids.set(path, id)
    return id
  }

  private file(id: string, { path, from }: Unread, refuse: Refuse): PackageFile {
    this.stamps.set(path, stampOf(path))
    const source = readSource(path)
    const { es, isCommonJs } = source
    const imports = isCommonJs
      ? this.requiresOf(path, source, from)
      : this.importsOf(path, source, from, (reason) => refuse(from, `${id} ${reason}`))
    return { id, path, source, es, imports, isWhole: es === undefined || !hasNoEffects(path, this.packages) }
  }

  private requiresOf(path: string, { written }: PackageSource, from: string): Record<string, string> {
    const imports: Record<string, string> = {}
    for (const [, , specifier = ''] of written.matchAll(/\brequire\(\s*(['"])([^'"\n]+)\1\s*\)/g)) {
      const found = isBuiltin(specifier) ? undefined : this.resolvers.requires.sync(dirname(path), specifier).path
      if (typeof found === 'string' && !found.endsWith('.node')) imports[specifier] = this.add(found, from)
    }
    return imports
  }

  private importsOf(
    path: string,
    source: PackageSource,
    from: string,
    wrong: (reason: string) => Error,
  ): Record<string, string> {
    const imports: Record<string, string> = {}
    // What cannot be read is refused with its place.
    const specifiers = source.es?.specifiers ?? transformed(path, textOf(source)).imports
    for (const specifier of specifiers) {
      if (isBuiltin(specifier)) throw wrong(`imports \`${specifier}\`, a part of Node`)
      const found = this.resolvers.imports.sync(dirname(path), specifier).path
      if (typeof found !== 'string') throw wrong(`imports \`${specifier}\`, which is not there`)
      imports[specifier] = this.add(found, from)
    }
    return imports
  }
}

interface Unread {
  path: string
  /** the import that leads to it */
  from: string
}

/** Gives the main thread back between pieces of work. */
export class Slices {
  private since = performance.now()

  async next(): Promise<void> {
    if (performance.now() - this.since <= SLICE_MS) return
    await new Promise((resolve) => setImmediate(resolve))
    this.since = performance.now()
  }
}

function wordsOf(text: string): string[] {
  const used = text.replace(/^export \* as [\w$]+ from .*$/gm, '').replace(/\bfrom\s*(["'])[^"']*\1/g, '')
  return [...used.matchAll(/[\w$]+/g)].map(([word]) => word)
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`
}
