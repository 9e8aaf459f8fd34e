/**
 * The local import graph behind an entry file, as content: each node's key is a hash over its own bytes and the keys
 * of what it imports, so equal keys mean equal behavior. Files that import each other in a ring share one key.
 * Built anew from disk for each look; transforming is remembered by content. Nothing is evaluated here.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { Clock, ContentCache, FileSystem, Scan } from '../contracts/seams.ts'
import { coded, reasonOf, toErrorData } from '../lib/errors.ts'
import { FileCache } from '../lib/file-cache.ts'
import { shortHash } from '../lib/hash.ts'
import { shownPath } from '../lib/shown-path.ts'
import type { Resolved, Resolver } from './resolve.ts'
import { codeFromBytes, codeKey, codeTexts, transform, type Transformed } from './transform.ts'

export interface GraphNode {
  readonly path: string
  readonly hash: string
  /** hash over this file and all it imports, rings as one */
  key: string
  readonly transformed: Transformed
  readonly imports: ReadonlyMap<string, Resolved>
  /** Files of one ring have the same number: they may see each other half evaluated, as in any ES module system. */
  ring: number
}

export interface GraphScan extends Scan {
  readonly nodes: ReadonlyMap<string, GraphNode>
  /** where it was read: what it imports at run time is read there too */
  readonly sources: Sources
}

/** More local files than this behind one module is a mistake (a generated folder, a link loop). */
const GRAPH_FILES_MAX = 5_000

interface Draft {
  nodes: Map<string, GraphNode>
  stamps: Map<string, string>
  texts: Map<string, string>
  missing: string[]
  modified_ms: number
  error: ErrorData | undefined
}

interface SourcesOptions {
  fs: Pick<FileSystem, 'stat' | 'read'>
  clock: Pick<Clock, 'now'>
  resolver: Resolver
  root: string
  /** asked before a file is transformed */
  cache?: ContentCache | undefined
}

export class Sources {
  private readonly files: FileCache
  private readonly transformed = new Map<string, { hash: string; result: ReturnType<typeof transform> }>()
  private readonly resolver: Resolver
  private readonly root: string
  private readonly cache: ContentCache | undefined

  constructor(options: SourcesOptions) {
    this.files = new FileCache(options.fs, options.clock)
    this.resolver = options.resolver
    this.root = options.root
    this.cache = options.cache
    this.cache?.keep('code', () => this.textsInUse())
  }

  get size(): number {
    return this.transformed.size
  }

  resolveFrom(specifier: string, importer: string): Resolved {
    return this.resolver.resolve(specifier, importer)
  }

  scan(entry: string): GraphScan {
    const draft: Draft = {
      nodes: new Map(),
      stamps: new Map(),
      texts: new Map(),
      missing: [],
      modified_ms: 0,
      error: undefined,
    }
    const pending = [{ path: entry, from: undefined as GraphNode | undefined, specifier: '' }]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (draft.nodes.has(next.path)) continue
      if (draft.nodes.size >= GRAPH_FILES_MAX) {
        draft.error ??= toErrorData(coded('source_unsupported', { reason: `more than ${GRAPH_FILES_MAX} files` }))
        break
      }
      const node = this.readNode(next.path, draft)
      if (node === undefined) continue
      for (const [specifier, target] of node.imports) {
        if (target.kind === 'local') pending.push({ path: target.path, from: node, specifier })
      }
    }
    assignKeys(draft.nodes)
    const files = new Map([...draft.nodes].map(([path, node]) => [path, node.hash]))
    return {
      entry,
      key: draft.nodes.get(entry)?.key ?? 'missing',
      files,
      texts: draft.texts,
      stamps: draft.stamps,
      missing: draft.missing,
      modified_ms: draft.modified_ms,
      nodes: draft.nodes,
      sources: this,
      ...(draft.error === undefined ? {} : { error: draft.error }),
    }
  }

  /** All transformed code that is remembered, by keys that stand for its content. */
  *code(): Iterable<readonly [key: string, code: Transformed]> {
    for (const [path, { hash, result }] of this.transformed) if (result.ok) yield [codeKey(path, hash), result.value]
  }

  private *textsInUse(): Iterable<readonly [key: string, texts: () => readonly string[]]> {
    for (const [key, code] of this.code()) yield [key, () => codeTexts(code)]
  }

  private readNode(path: string, draft: Draft): GraphNode | undefined {
    let file: ReturnType<FileCache['get']>
    try {
      file = this.files.get(path)
    } catch (error) {
      const shown = this.shown(path)
      draft.error ??= toErrorData(coded('file_failed', { path: shown, reason: reasonOf(error) }, { file: shown }))
    }
    if (file === undefined) {
      const shown = this.shown(path)
      draft.missing.push(path)
      draft.error ??= toErrorData(coded('file_missing', { path: shown }, { file: shown }))
      return undefined
    }
    draft.texts.set(path, file.text)
    draft.stamps.set(path, file.settled ? file.stat_key : '')
    draft.modified_ms = Math.max(draft.modified_ms, file.modified_ms)
    const result = this.transformOnce(path, file.text, file.hash)
    if (!result.ok) {
      draft.error ??= { ...result.error, file: this.shown(path) }
      // The broken file is part of the graph: its next change is a reason to look again.
      draft.nodes.set(path, emptyNode(path, file.hash))
      return undefined
    }
    const node: GraphNode = {
      path,
      hash: file.hash,
      key: '',
      transformed: result.value,
      imports: this.resolveImports(path, file.text, result.value, draft),
      ring: 0,
    }
    draft.nodes.set(path, node)
    return node
  }

  private transformOnce(path: string, text: string, hash: string): ReturnType<typeof transform> {
    const known = this.transformed.get(path)
    if (known?.hash === hash) return known.result
    const cached = this.cache?.bytes(codeKey(path, hash))
    const result = cached === undefined ? transform(path, text) : ({ ok: true, value: codeFromBytes(cached) } as const)
    this.transformed.set(path, { hash, result })
    return result
  }

  private resolveImports(path: string, text: string, code: Transformed, draft: Draft): Map<string, Resolved> {
    const found = new Map<string, Resolved>()
    const specifiers = [...new Set([...code.imports, ...code.dynamic_imports])].sort()
    for (const specifier of specifiers) {
      const target = this.resolver.resolve(specifier, path)
      found.set(specifier, target)
      if (target.kind === 'missing') draft.missing.push(...target.tried)
      if (target.kind !== 'missing' && target.kind !== 'unsupported') continue
      // A dynamic import that cannot be found fails when it runs, as it does in Node.
      if (!code.imports.includes(specifier)) continue
      const place = { file: this.shown(path), ...placeOfImport(text, specifier) }
      draft.error ??= toErrorData(
        target.kind === 'missing'
          ? coded('import_missing', { specifier }, place)
          : coded('source_unsupported', { reason: target.reason }, place),
      )
    }
    return found
  }

  private shown(path: string): string {
    return shownPath(this.root, path)
  }
}

const emptyNode = (path: string, hash: string): GraphNode => ({
  path,
  hash,
  key: '',
  transformed: { code: '', maps: [], imports: [], dynamic_imports: [], owned: false },
  imports: new Map(),
  ring: 0,
})

/** The line of the import statement, by its quoted specifier. Only used to point at a mistake. */
function placeOfImport(text: string, specifier: string): { line?: number; column?: number } {
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    const at = line.search(/['"]/) < 0 ? -1 : Math.max(line.indexOf(`'${specifier}'`), line.indexOf(`"${specifier}"`))
    if (at >= 0 && /\b(import|export|from)\b/.test(line)) return { line: index + 1, column: at + 1 }
  }
  return {}
}

/**
 * Tarjan's algorithm without recursion: rings are found innermost first, so the keys of what a ring imports are
 * known when its own key is made.
 */
function assignKeys(nodes: Map<string, GraphNode>): void {
  const order = new Map<string, { index: number; low: number; onStack: boolean }>()
  const stack: GraphNode[] = []
  let index = 0
  let rings = 0
  const locals = (node: GraphNode): GraphNode[] =>
    [...node.imports.values()].flatMap((target) => {
      const next = target.kind === 'local' ? nodes.get(target.path) : undefined
      return next === undefined ? [] : [next]
    })
  const open = (node: GraphNode) => {
    const mark = { index, low: index, onStack: true }
    index++
    order.set(node.path, mark)
    stack.push(node)
    return { node, mark, rest: locals(node) }
  }
  for (const start of nodes.values()) {
    if (order.has(start.path)) continue
    const frames = [open(start)]
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const next = frame.rest.pop()
      if (next !== undefined) {
        const seen = order.get(next.path)
        if (seen === undefined) frames.push(open(next))
        else if (seen.onStack) frame.mark.low = Math.min(frame.mark.low, seen.index)
        continue
      }
      frames.pop()
      const parent = frames.at(-1)
      if (parent !== undefined) parent.mark.low = Math.min(parent.mark.low, frame.mark.low)
      if (frame.mark.low === frame.mark.index) closeRing(frame.node, stack, order, rings++, nodes)
    }
  }
}

function closeRing(
  root: GraphNode,
  stack: GraphNode[],
  order: Map<string, { onStack: boolean }>,
  ring: number,
  nodes: Map<string, GraphNode>,
): void {
  const members: GraphNode[] = []
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const mark = order.get(node.path)
    if (mark !== undefined) mark.onStack = false
    members.push(node)
    if (node === root) break
  }
  const inside = new Set(members.map((node) => node.path))
  const outside = (node: GraphNode): string[] =>
    [...node.imports].map(([specifier, target]) => `${specifier}=${keyOf(target, inside, nodes)}`)
  const parts = members.map((node) => `${node.hash}(${outside(node).sort().join(',')})`).sort()
  const shared = shortHash(parts.join('\n'))
  for (const node of members) {
    node.ring = ring
    node.key = members.length === 1 ? shared : shortHash(`${shared}:${node.hash}`)
  }
}

function keyOf(target: Resolved, ring: Set<string>, nodes: Map<string, GraphNode>): string {
  switch (target.kind) {
    case 'local':
      return ring.has(target.path) ? 'ring' : (nodes.get(target.path)?.key ?? 'missing')
    case 'native':
      return target.url
    case 'owned':
      return target.name
    case 'missing':
    case 'unsupported':
      return target.kind
    default: {
      const never: never = target
      return never
    }
  }
}
