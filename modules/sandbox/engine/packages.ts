/**
 * The npm packages a module may import, linked to one script. They have to be pure: JavaScript that imports nothing of Node.
 * ES modules are followed by their imports, CommonJS by its literal `require`s; a `require` of anything else throws when it
 * runs. A namespace that a package without side effects exports, and that the module does not name, is left out (zod has
 * fifty languages). What was linked is kept as long as the files on disk are the same, and shared by all that import the same.
 */
import { statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, sep } from 'node:path'
import { ResolverFactory } from 'oxc-resolver'
import { shortHash } from '../../lib/hash.ts'
import { joinFiles, type Bundle, type BundledFile } from './bundle.ts'
import { hasNoEffects, namespacesOf, readSource, type PackageSource } from './package-source.ts'
import { transformed } from './transformed.ts'

export interface LinkedPackages {
  /** as imported → id */
  readonly ids: ReadonlyMap<string, string>
  readonly part: { filename: string; hash: string; text: string } | undefined
  readonly bundle: Bundle | undefined
  /** id of what turns schemas into JSON Schema; empty without zod */
  readonly zod: string
}

const NONE: LinkedPackages = { ids: new Map(), part: undefined, bundle: undefined, zod: '' }
const FILES_MAX = 2_000
const BYTES_MAX = 16 * 1024 * 1024
const KEPT_MAX = 64
/** The main thread is given back this often, ms. */
const SLICE_MS = 8

export const packageNameOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

interface Kept {
  stamps: ReadonlyMap<string, string>
  /** namespaces that may be left out */
  optional: readonly string[]
  linked: LinkedPackages
}

export interface LinkRequest {
  specifiers: readonly string[]
  folders: readonly string[]
  /** Whether the module's own code has this word. */
  names(word: string): boolean
  refuse: Refuse
}

/** Makes the error of the import that leads to it. */
export type Refuse = (specifier: string, reason: string) => Error

export class Packages {
  private readonly imports: ResolverFactory
  private readonly requires: ResolverFactory
  private readonly kept = new Map<string, Kept>()

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

  async link(request: LinkRequest): Promise<LinkedPackages> {
    const { specifiers, folders, names } = request
    if (specifiers.length === 0) return NONE
    const base = JSON.stringify([[...specifiers].sort(), folders])
    const named = this.kept.get(base)?.optional.filter((name) => names(name)) ?? []
    const known = this.kept.get(named.length === 0 ? base : `${base} ${named.join()}`)
    if (known !== undefined && [...known.stamps].every(([path, stamp]) => stampOf(path) === stamp)) return known.linked
    this.imports.clearCache()
    this.requires.clearCache()
    // A refusal is not kept: its error names a place in one module.
    const collected = await this.collect(request)
    const used = collected.optional.filter((name) => names(name))
    this.keep(used.length === 0 ? base : `${base} ${used.join()}`, collected)
    // What may be left out is found under the plain key.
    if (used.length > 0 && !this.kept.has(base)) this.keep(base, { ...collected, stamps: NEVER_FRESH })
    return collected.linked
  }

  private keep(key: string, kept: Kept): void {
    this.kept.delete(key)
    this.kept.set(key, kept)
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value ?? '')
  }

  private async collect({ specifiers, folders, names, refuse }: LinkRequest): Promise<Kept> {
    const graph = new Graph()
    const ids = new Map<string, string>()
    for (const specifier of specifiers) {
      const path = this.find(specifier, folders)
      if (path === undefined) throw refuse(specifier, 'it is not installed')
      ids.set(specifier, graph.add(path, specifier))
    }
    const zod = specifiers.some((one) => packageNameOf(one) === 'zod') ? this.find('zod/v4/core', folders) : undefined
    const zodId = zod === undefined ? '' : graph.add(zod, 'zod')
    let since = performance.now()
    for (let next = graph.open.pop(); next !== undefined; next = graph.open.pop()) {
      const { path, from } = next
      const source = readSource(path)
      graph.stamps.set(path, stampOf(path))
      graph.bytes += source.text.length
      if (graph.stamps.size > FILES_MAX || graph.bytes > BYTES_MAX) {
        throw refuse(from, 'with all it imports it is too large')
      }
      graph.files.push(this.read(graph, path, source, { from, wrong: (reason) => refuse(from, reason) }))
      graph.note(path, source.text)
      if (performance.now() - since > SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve))
        since = performance.now()
      }
    }
    const entries = [...ids.values(), ...(zodId === '' ? [] : [zodId])]
    const { files, optional } = pruned(graph, entries, names)
    const bundle = joinFiles([EMPTY, ...files])
    const text = `__sandbox_add__(${bundle.text})`
    const part = { filename: 'sandbox:packages', hash: shortHash(text), text }
    const linked = { ids, part, bundle, zod: zodId }
    return { linked, stamps: graph.stamps, optional }
  }

  private find(specifier: string, folders: readonly string[]): string | undefined {
    for (const folder of folders) {
      const { path } = this.imports.sync(folder, specifier)
      if (typeof path === 'string') return path
    }
    return undefined
  }

  private read(graph: Graph, path: string, { text, isCommonJs }: PackageSource, at: ReadAt): BundledFile {
    const id = graph.idOf(path)
    const imports: Record<string, string> = {}
    if (isCommonJs) {
      for (const [, , specifier = ''] of text.matchAll(/\brequire\(\s*(['"])([^'"\n]+)\1\s*\)/g)) {
        const found = isBuiltin(specifier) ? undefined : this.requires.sync(dirname(path), specifier).path
        if (typeof found === 'string' && !found.endsWith('.node')) imports[specifier] = graph.add(found, at.from)
      }
      return { id, imports, kind: 'cjs', code: text }
    }
    const code = transformed(path, text)
    for (const specifier of code.imports) {
      if (isBuiltin(specifier)) throw at.wrong(`${id} imports \`${specifier}\`, a part of Node`)
      const found = this.imports.sync(dirname(path), specifier).path
      if (typeof found !== 'string') throw at.wrong(`${id} imports \`${specifier}\`, which is not there`)
      imports[specifier] = graph.add(found, at.from)
    }
    return { id, imports, kind: 'esm', code: code.code, transformed: code }
  }
}

interface ReadAt {
  /** the import that led here */
  from: string
  /** Makes the error of that import. */
  wrong(reason: string): Error
}

const EMPTY: BundledFile = { id: 'npm:', imports: {}, kind: 'esm', code: '' }
const NEVER_FRESH: ReadonlyMap<string, string> = new Map([['', 'never']])

/** The files of one linking. */
class Graph {
  readonly files: BundledFile[] = []
  readonly stamps = new Map<string, string>()
  /** `export * as name from specifier` in a file without effects */
  readonly namespaces: { id: string; name: string; specifier: string }[] = []
  /** every word of all files, but for the names of those */
  readonly words = new Set<string>()
  readonly open: { path: string; from: string }[] = []
  bytes = 0
  private readonly ids = new Map<string, string>()
  private readonly taken = new Set<string>()

  /** Gives its id; `from` is the import that leads to it. */
  add(path: string, from: string): string {
    if (!this.ids.has(path)) this.open.push({ path, from })
    return this.idOf(path)
  }

  /** As it is called in a stack: from `node_modules` on. */
  idOf(path: string): string {
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

  note(path: string, source: string): void {
    const found = namespacesOf(source)
    if (found.size > 0 && hasNoEffects(path)) {
      for (const [specifier, name] of found) this.namespaces.push({ id: this.idOf(path), name, specifier })
    }
    const used = source.replace(/^export \* as [\w$]+ from .*$/gm, '').replace(/\bfrom\s*(["'])[^"']*\1/g, '')
    for (const [word] of used.matchAll(/[\w$]+/g)) this.words.add(word)
  }
}

/** Without the namespaces that nobody names, and without what only they lead to. */
function pruned(
  graph: Graph,
  entries: readonly string[],
  names: (word: string) => boolean,
): { files: BundledFile[]; optional: string[] } {
  const free = graph.namespaces.filter(({ name }) => !graph.words.has(name))
  const leftOut = new Set(free.filter(({ name }) => !names(name)).map(({ id, specifier }) => `${id} ${specifier}`))
  const byId = new Map(graph.files.map((file) => [file.id, file]))
  const files = new Map<string, BundledFile>()
  const open = [...entries]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const file = byId.get(id)
    if (file === undefined || files.has(id)) continue
    const kept = Object.entries(file.imports).map(
      ([specifier, target]) => [specifier, leftOut.has(`${id} ${specifier}`) ? EMPTY.id : target] as const,
    )
    files.set(id, { ...file, imports: Object.fromEntries(kept) })
    for (const [, target] of kept) open.push(target)
  }
  return { files: [...files.values()], optional: [...new Set(free.map(({ name }) => name))] }
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`
}
