/**
 * Where an import points: to a file of the graph, to a package (imported natively, shared by all), to a built-in of
 * Node, or to one of the built-ins a module only gets in an owned version. Looks on disk, changes nothing.
 */
import { isBuiltin } from 'node:module'
import { dirname, join, resolve as resolvePath, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ResolverFactory } from 'oxc-resolver'
import type { FileSystem } from '../contracts/seams.ts'

export type Resolved =
  | { kind: 'local'; path: string }
  | { kind: 'native'; url: string }
  | { kind: 'owned'; name: OwnedBuiltin }
  | { kind: 'missing'; tried: string[] }
  | { kind: 'unsupported'; reason: string }

/** Built-ins that are replaced by versions a generation owns. */
export type OwnedBuiltin = 'timers' | 'timers/promises' | 'process'
const OWNED = new Set<string>(['timers', 'timers/promises', 'process'])

const EXTENSIONS = ['.ts', '.mts', '.mjs', '.js', '.json']
const LOADABLE = /\.(ts|mts|mjs|js|json)$/
/** TypeScript's habit of writing the extension the output would have. */
const WRITTEN_FOR: Record<string, string> = { '.js': '.ts', '.mjs': '.mts' }

export class Resolver {
  private readonly packages = new ResolverFactory({
    conditionNames: ['node', 'import', 'module-sync'],
    extensions: ['.js', '.mjs', '.cjs', '.json', '.node'],
    mainFields: ['main'],
  })
  private readonly fs: Pick<FileSystem, 'stat'>
  private readonly root: string
  private readonly packageRoot: string
  private readonly libEntry: string

  constructor(options: { fs: Pick<FileSystem, 'stat'>; root: string; packageRoot: string; libEntry: string }) {
    this.fs = options.fs
    this.root = options.root
    this.packageRoot = options.packageRoot
    this.libEntry = options.libEntry
  }

  resolve(specifier: string, importer: string): Resolved {
    const bare = specifier.startsWith('node:') ? specifier.slice(5) : specifier
    if (OWNED.has(bare)) return { kind: 'owned', name: bare as OwnedBuiltin }
    if (specifier.startsWith('node:') || isBuiltin(specifier)) return { kind: 'native', url: `node:${bare}` }
    if (specifier === 'meta-machine') return { kind: 'local', path: this.libEntry }
    if (/^(\.{0,2}\/|\.{1,2}$)/.test(specifier) || specifier.startsWith('file:')) {
      const path = specifier.startsWith('file:') ? fileURLToPath(specifier) : resolvePath(dirname(importer), specifier)
      return this.resolveFile(path)
    }
    if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) {
      return { kind: 'unsupported', reason: `the scheme of \`${specifier}\`` }
    }
    return this.resolvePackage(specifier, importer)
  }

  private resolveFile(path: string): Resolved {
    const extension = /\.[a-z]+$/.exec(path)?.[0] ?? ''
    const other = WRITTEN_FOR[extension]
    const tried = [
      path,
      ...(other === undefined ? [] : [path.slice(0, -extension.length) + other]),
      ...EXTENSIONS.map((ending) => path + ending),
      ...EXTENSIONS.map((ending) => join(path, `index${ending}`)),
    ]
    const found = tried.find((candidate) => this.fs.stat(candidate)?.kind === 'file')
    if (found === undefined) return { kind: 'missing', tried }
    if (LOADABLE.test(found)) return { kind: 'local', path: found }
    return { kind: 'unsupported', reason: `the file type of \`${found.slice(found.lastIndexOf(sep) + 1)}\`` }
  }

  /**
   * From the module's folder, then the root, then this package: a user's root needs no node_modules for zod. Last come
   * the packages that were installed while the system ran: they replace nothing.
   */
  private resolvePackage(specifier: string, importer: string): Resolved {
    const from = [dirname(importer), this.root, this.packageRoot, join(this.root, 'runtime', 'packages')]
    for (const fresh of [false, true]) {
      if (fresh) this.packages.clearCache()
      for (const folder of from) {
        const { path, moduleType } = this.packages.sync(folder, specifier)
        if (path !== undefined && path !== null) return this.classify(path, moduleType === 'commonjs')
      }
    }
    // What a checkout links, a published package carries: its wrappers of native packages.
    const wrapper = join(this.packageRoot, 'vendor', specifier, 'index.cjs')
    if (this.fs.stat(wrapper)?.kind === 'file') return { kind: 'native', url: pathToFileURL(wrapper).href }
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
    return { kind: 'missing', tried: from.map((folder) => join(folder, 'node_modules', name)) }
  }

  /** A package that is linked to a folder of this project is code of this project: it reloads like any other. */
  private classify(path: string, commonJs: boolean): Resolved {
    const inside = path.startsWith(this.packageRoot + sep) ? path.slice(this.packageRoot.length) : path
    const linked = !inside.includes(`${sep}node_modules${sep}`)
    if (linked && !commonJs && LOADABLE.test(path) && !path.endsWith('.json')) {
      return { kind: 'local', path }
    }
    return { kind: 'native', url: pathToFileURL(path).href }
  }
}
