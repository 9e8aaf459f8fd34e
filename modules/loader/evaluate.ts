/**
 * Runs transformed files and joins them to one graph for one service. A file is evaluated once a service and kept,
 * with its module-level state, while its content and everything it imports stay the same; the entry file (and what
 * imports it back) is evaluated anew for every generation. Records are counted: the last user's release ends them.
 */
import { dirname } from 'node:path'
import type { CodeOwner, Evaluated, FaultListener } from '../contracts/seams.ts'
import { coded, fromErrorData, reasonOf } from '../lib/errors.ts'
import type { Compiler, ModuleBody } from './compile.ts'
import type { GraphNode, GraphScan } from './graph.ts'
import { nativeImport } from './native-import.ts'
import { createOwnedScope, SCOPE_NAMES, type OwnedScope } from './owned.ts'
import type { Resolved } from './resolve.ts'
import type { Stacks } from './stacks.ts'
import { codeKey } from './transform.ts'

type Exports = Record<string, unknown>

/** One evaluated file of one service. */
interface FileRecord {
  readonly id: string
  readonly node: GraphNode
  readonly exports: Exports
  readonly owner: CodeOwner
  /** made when the code asks for something of it: most files never do */
  scope: OwnedScope | undefined
  readonly url: string
  started: boolean
  running: Promise<void> | undefined
  done: boolean
  users: number
  /** graphs brought in by `import()` at run time; released with this record */
  readonly later: Map<string, Promise<Session>>
}

/** The records one generation stands on. */
interface Session {
  readonly number: number
  readonly owner: CodeOwner
  readonly scan: GraphScan
  readonly records: Map<string, FileRecord>
  released: boolean
}

const IMPORTS = [
  '__vite_ssr_import__',
  '__vite_ssr_dynamic_import__',
  '__vite_ssr_exports__',
  '__vite_ssr_exportAll__',
  '__vite_ssr_import_meta__',
] as const

/** What the body of a file finds bound. */
export const BODY_NAMES: readonly string[] = [...IMPORTS, ...SCOPE_NAMES]

export class Evaluator {
  /** service → `path key` → record */
  private readonly services = new Map<string, Map<string, FileRecord>>()
  private sessions = 0
  private readonly natives = new Map<string, Exports>()
  private readonly compiler: Compiler
  private readonly stacks: Stacks
  private readonly fault: FaultListener

  constructor(options: { compiler: Compiler; stacks: Stacks; fault: FaultListener }) {
    this.compiler = options.compiler
    this.stacks = options.stacks
    this.fault = options.fault
  }

  get size(): number {
    let count = 0
    for (const records of this.services.values()) count += records.size
    return count
  }

  async evaluate(scan: GraphScan, owner: CodeOwner): Promise<Evaluated> {
    const session = this.openSession(scan, owner, true)
    try {
      await this.importNatives(session)
      const entry = session.records.get(scan.entry)
      if (entry === undefined) throw coded('file_missing', { path: scan.entry })
      await this.run(entry, session)
      return { exports: entry.exports, release: () => this.release(session) }
    } catch (error) {
      this.release(session)
      throw error
    }
  }

  private openSession(scan: GraphScan, owner: CodeOwner, anewEntry: boolean): Session {
    const records = new Map<string, FileRecord>()
    const session: Session = { number: ++this.sessions, owner, scan, records, released: false }
    const anew = anewEntry ? scan.nodes.get(scan.entry)?.ring : undefined
    const shared = this.services.get(owner.service) ?? new Map<string, FileRecord>()
    this.services.set(owner.service, shared)
    for (const node of scan.nodes.values()) {
      const kept = node.ring !== anew
      const id = kept ? `${node.path} ${node.key}` : `${node.path} ${node.key} ${session.number}`
      let record = shared.get(id)
      if (record === undefined) {
        record = this.createRecord(id, node, owner)
        shared.set(id, record)
      }
      record.users++
      records.set(node.path, record)
    }
    return session
  }

  private createRecord(id: string, node: GraphNode, owner: CodeOwner): FileRecord {
    return {
      id,
      node,
      exports: Object.create(null, { [Symbol.toStringTag]: { value: 'Module' } }) as Exports,
      owner,
      scope: undefined,
      url: this.stacks.register(node.path, owner, node.transformed),
      started: false,
      running: undefined,
      done: false,
      users: 0,
      later: new Map(),
    }
  }

  private scopeOf(record: FileRecord): OwnedScope {
    if (record.scope === undefined) {
      record.scope = createOwnedScope((thrown) => this.fault(thrown, record.owner))
      if (record.users === 0) record.scope.close()
    }
    return record.scope
  }

  private release(session: Session): void {
    if (session.released) return
    session.released = true
    const shared = this.services.get(session.owner.service)
    for (const record of session.records.values()) {
      record.users--
      if (record.users > 0) continue
      shared?.delete(record.id)
      record.scope?.close()
      this.stacks.release(record.url)
      for (const later of record.later.values()) void later.then((inner) => this.release(inner)).catch(() => undefined)
    }
    if (shared?.size === 0) this.services.delete(session.owner.service)
  }

  /** Packages are imported before any file runs, side by side; after that the graph evaluates without waiting. */
  private async importNatives(session: Session): Promise<void> {
    const urls = new Map<string, { specifier: string; node: GraphNode }>()
    for (const { node } of session.records.values()) {
      for (const specifier of node.transformed.imports) {
        const target = node.imports.get(specifier)
        if (target?.kind === 'native' && !this.natives.has(target.url)) urls.set(target.url, { specifier, node })
      }
    }
    await Promise.all([...urls].map(([url, from]) => this.importNative(url, from.specifier, from.node.path)))
  }

  private async importNative(url: string, specifier: string, importer: string): Promise<Exports> {
    const known = this.natives.get(url)
    if (known !== undefined) return known
    try {
      const exports = (await nativeImport(url)) as Exports
      this.natives.set(url, exports)
      return exports
    } catch (error) {
      throw coded(
        'module_threw',
        { reason: `importing \`${specifier}\`: ${reasonOf(error)}` },
        { file: importer },
        error,
      )
    }
  }

  private run(record: FileRecord, session: Session): Promise<void> {
    if (record.running === undefined) {
      record.started = true
      record.running = this.start(record, session).then(() => {
        record.done = true
      })
    }
    return record.running
  }

  private async start(record: FileRecord, session: Session): Promise<void> {
    const { node, exports } = record
    let body: ModuleBody
    try {
      body = this.compiler.compile(codeKey(node.path, node.hash), node.transformed, record.url)
    } catch (error) {
      throw coded('source_unsupported', { reason: reasonOf(error) }, { file: node.path }, error)
    }
    await body(
      (specifier: string, meta?: { importedNames?: string[] }) => this.link(record, session, specifier, meta),
      (specifier: unknown) => this.importLater(record, session, String(specifier)),
      exports,
      (from: Exports) => exportAll(exports, from),
      importMeta(node.path, record.url),
      ...(node.transformed.owned ? this.scopeOf(record).values : []),
    )
  }

  /** Returns the namespace, at once where it can: most of a graph is evaluated without waiting. */
  private link(record: FileRecord, session: Session, specifier: string, meta?: { importedNames?: string[] }): unknown {
    const target = record.node.imports.get(specifier)
    if (target === undefined) throw coded('import_missing', { specifier }, { file: record.node.path })
    if (target.kind !== 'local') return this.checked(record, specifier, meta, this.outside(record, target, specifier))
    const imported = session.records.get(target.path)
    if (imported === undefined) throw coded('import_missing', { specifier }, { file: record.node.path })
    const inRing = imported.node.ring === record.node.ring && imported.started
    if (imported.done || inRing) {
      return inRing ? imported.exports : this.checked(record, specifier, meta, imported.exports)
    }
    // On a turn of its own: a long chain of imports must not become a deep stack.
    return Promise.resolve()
      .then(() => this.run(imported, session))
      .then(() => this.checked(record, specifier, meta, imported.exports))
  }

  private outside(record: FileRecord, target: Resolved, specifier: string): Exports {
    if (target.kind === 'owned') return this.scopeOf(record).builtin(target.name)
    const found = target.kind === 'native' ? this.natives.get(target.url) : undefined
    if (found === undefined) throw coded('import_missing', { specifier }, { file: record.node.path })
    return found
  }

  private checked(
    record: FileRecord,
    specifier: string,
    meta: { importedNames?: string[] } | undefined,
    from: Exports,
  ): Exports {
    for (const name of meta?.importedNames ?? []) {
      if (name in from) continue
      const exports = Object.keys(from).slice(0, 12).join(', ') || 'none'
      throw coded('export_missing', { specifier, name, exports }, { file: record.node.path })
    }
    return from
  }

  /** `import()` at run time: read then, evaluated for this service, released with the file that asked. */
  private async importLater(record: FileRecord, session: Session, specifier: string): Promise<Exports> {
    const target = session.scan.sources.resolveFrom(specifier, record.node.path)
    switch (target.kind) {
      case 'owned':
        return this.scopeOf(record).builtin(target.name)
      case 'native':
        return this.importNative(target.url, specifier, record.node.path)
      case 'missing':
        throw coded('import_missing', { specifier }, { file: record.node.path })
      case 'unsupported':
        throw coded('source_unsupported', { reason: target.reason }, { file: record.node.path })
      case 'local':
        return this.importLocalLater(record, session, target.path)
      default: {
        const never: never = target
        return never
      }
    }
  }

  private async importLocalLater(record: FileRecord, from: Session, path: string): Promise<Exports> {
    let opening = record.later.get(path)
    if (opening === undefined) {
      opening = this.openLater(from, path)
      record.later.set(path, opening)
      opening.catch(() => record.later.delete(path))
    }
    const session = await opening
    const entry = session.records.get(path)
    if (entry === undefined) throw coded('file_missing', { path })
    await this.run(entry, session)
    return entry.exports
  }

  private async openLater(from: Session, path: string): Promise<Session> {
    const scan = from.scan.sources.scan(path)
    if (scan.error !== undefined) throw fromErrorData(scan.error)
    const session = this.openSession(scan, from.owner, false)
    await this.importNatives(session)
    return session
  }
}

function exportAll(into: Exports, from: Exports): void {
  for (const name of Object.keys(from)) {
    if (name === 'default' || name in into) continue
    Object.defineProperty(into, name, { enumerable: true, configurable: true, get: () => from[name] })
  }
}

function importMeta(path: string, runsAs: string): Record<string, unknown> {
  return { url: runsAs.slice(0, runsAs.indexOf('?')), filename: path, dirname: dirname(path) }
}
