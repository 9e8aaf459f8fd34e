/**
 * What of a graph of files is there for those who ask: from the exports they name, over what the statements behind these
 * use, to a fixed point. Of a file whose package says that it may be left out, the rest is; of any other, and of CommonJS,
 * everything is there. Where all of a file is taken as a value, all its exports are there, and empty namespaces where nobody
 * names them. Files that were not read yet are asked for. Does nothing itself. Used by `packages.ts`.
 */
import type { Elsewhere, EsFile, Statement } from './es-file.ts'
import type { Path } from './names-used.ts'

export interface GraphFile {
  readonly id: string
  /** undefined: it is not one of ES */
  readonly es: EsFile | undefined
  /** all of it is there when any of it is */
  readonly isWhole: boolean
  /** specifier → id */
  readonly imports: Readonly<Record<string, string>>
}

export interface LiveFile {
  readonly statements: Set<Statement>
  readonly exports: Set<string>
  /** specifier of an `export * from` → the names that come that way */
  readonly stars: Map<string, Set<string> | 'all'>
}

/** An export of the file `id`, and members of it; the file itself without a path. */
export interface Want {
  readonly id: string
  readonly path: Path
}

/** Only that it is loaded: a member that no file has. */
export const LOADED: Path = ['(loaded)']

export interface LiveOptions {
  file(id: string): GraphFile | undefined
  /** Whether something may happen when it is only loaded. */
  hasEffects(id: string): boolean
  /** undefined: that is not known before all files are read */
  names(namespace: string): boolean | undefined
}

export class Live {
  readonly found = new Map<string, LiveFile>()
  private readonly options: LiveOptions
  private readonly seen = new Set<string>()
  private open: Want[] = []

  constructor(options: LiveOptions) {
    this.options = options
  }

  want(id: string | undefined, path: Path): void {
    if (id === undefined) return
    const key = `${id} ${path.join('.')}`
    if (this.seen.has(key)) return
    this.seen.add(key)
    this.open.push({ id, path })
  }

  /** As far as it gets. Gives the files it has to see before it can go on; all of them when it cannot say which. */
  settle(): ReadonlySet<string> | 'all' {
    const missing = new Set<string>()
    const waiting: Want[] = []
    let isAll = false
    for (let next = this.open.pop(); next !== undefined; next = this.open.pop()) {
      const file = this.options.file(next.id)
      const unread = file === undefined ? [next.id] : this.unreadStars(file, next.path)
      if (file !== undefined && unread.length === 0 && this.take(file, next.path)) continue
      isAll ||= unread.length === 0
      for (const id of unread) missing.add(id)
      waiting.push(next)
    }
    this.open = waiting
    return isAll ? 'all' : missing
  }

  /** Where an export may come from that the file does not name. */
  private unreadStars({ es, imports }: GraphFile, [name = 'default']: Path, asked = new Set<string>()): string[] {
    if (es === undefined || name === 'default' || es.exported.has(name)) return []
    return [...es.stars.keys()].flatMap((specifier) => {
      const id = imports[specifier]
      if (id === undefined || asked.has(id)) return []
      asked.add(id)
      const file = this.options.file(id)
      return file === undefined ? [id] : this.unreadStars(file, [name], asked)
    })
  }

  /** False: it cannot be said yet. */
  private take(file: GraphFile, path: Path): boolean {
    const live = this.include(file)
    if (file.es === undefined || file.isWhole) return true
    if (path.length === 0) return this.all(file, file.es, live)
    this.member(file, file.es, live, path)
    return true
  }

  /** What happens when the file is loaded. */
  private include(file: GraphFile): LiveFile {
    const { id, es, isWhole, imports } = file
    const known = this.found.get(id)
    if (known !== undefined) return known
    const live: LiveFile = { statements: new Set(), exports: new Set(), stars: new Map() }
    this.found.set(id, live)
    if (es === undefined) {
      for (const target of Object.values(imports)) this.want(target, [])
      return live
    }
    for (const specifier of es.specifiers) {
      const target = imports[specifier]
      if (target !== undefined && this.options.hasEffects(target)) this.want(target, LOADED)
    }
    for (const one of es.statements) if (isWhole || !one.isFree) this.statement(file, es, live, one)
    if (isWhole) {
      for (const name of es.exported.keys()) this.member(file, es, live, [name])
      for (const specifier of es.stars.keys()) this.want(imports[specifier], [])
    }
    return live
  }

  private statement(file: GraphFile, es: EsFile, live: LiveFile, statement: Statement): void {
    if (live.statements.has(statement)) return
    live.statements.add(statement)
    for (const path of statement.uses) this.local(file, es, live, path)
  }

  private local(file: GraphFile, es: EsFile, live: LiveFile, [name = '', ...rest]: Path): void {
    const from = es.imported.get(name)
    if (from !== undefined) return this.elsewhere(file, from, rest)
    const statement = es.declared.get(name)
    if (statement !== undefined) this.statement(file, es, live, statement)
  }

  private elsewhere(file: GraphFile, { specifier, name }: Elsewhere, rest: Path): void {
    this.want(file.imports[specifier], name === '*' ? rest : [name, ...rest])
  }

  private member(file: GraphFile, es: EsFile, live: LiveFile, [name = '', ...rest]: Path): void {
    const found = es.exported.get(name)
    if (found === undefined) {
      if (name !== 'default') this.byStar(file, es, live, [name, ...rest])
      return
    }
    live.exports.add(name)
    if ('local' in found) this.local(file, es, live, [found.local, ...rest])
    else this.elsewhere(file, found, rest)
  }

  private byStar(file: GraphFile, es: EsFile, { stars }: LiveFile, path: Path): void {
    const [name = ''] = path
    for (const specifier of es.stars.keys()) {
      const target = file.imports[specifier]
      if (!this.has(target, name)) continue
      this.want(target, path)
      const known = stars.get(specifier)
      if (this.options.file(target ?? '')?.es === undefined) stars.set(specifier, 'all')
      else if (known === undefined) stars.set(specifier, new Set([name]))
      else if (known !== 'all') known.add(name)
    }
  }

  /** Of files that are not of ES nobody knows what they export. */
  private has(id: string | undefined, name: string, asked = new Set<string>()): boolean {
    const file = this.options.file(id ?? '')
    if (file === undefined || asked.has(file.id)) return false
    asked.add(file.id)
    const { es, imports } = file
    if (es === undefined || es.exported.has(name)) return true
    return [...es.stars.keys()].some((specifier) => this.has(imports[specifier], name, asked))
  }

  private all(file: GraphFile, es: EsFile, live: LiveFile): boolean {
    const namespaces = [...es.exported].filter(([, found]) => !('local' in found) && found.name === '*')
    const unnamed = new Set<string>()
    for (const [name] of namespaces) {
      const isNamed = this.options.names(name)
      if (isNamed === undefined) return false
      if (!isNamed) unnamed.add(name)
    }
    for (const name of es.exported.keys()) {
      // It is there, and empty.
      if (unnamed.has(name)) live.exports.add(name)
      else this.want(file.id, [name])
    }
    for (const specifier of es.stars.keys()) {
      live.stars.set(specifier, 'all')
      this.want(file.imports[specifier], [])
    }
    return true
  }
}
