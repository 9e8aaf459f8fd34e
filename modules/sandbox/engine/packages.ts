/**
 * The npm packages a module may import, linked to one script that holds what the module asks of them: each isolate keeps a
 * copy of it, and all that comes of running it (zod whole takes four times the memory of an empty isolate). What a package
 * without side effects exports and nobody asks for is left out; where a module takes all of one as a value, all is there but
 * for namespaces that it does not name. The files are kept as long as they are the same on disk, and so is what was linked,
 * which all that ask the same share.
 */
import { shortHash } from '../../lib/hash.ts'
import { joinFiles, type Bundle, type BundledFile } from './bundle.ts'
import { Live, LOADED, type LiveFile } from './live.ts'
import type { Path } from './names-used.ts'
import { PackageGraph, Resolvers, Slices, type PackageFile, type Refuse } from './package-graph.ts'
import { textOf } from './package-source.ts'
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
const GRAPHS_MAX = 16
const LINKED_MAX = 64

export const packageNameOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

interface Kept {
  graph: PackageGraph
  ids: ReadonlyMap<string, string>
  zod: string
  linked: Map<string, LinkedPackages>
}

export interface LinkRequest {
  /** specifier → what is asked of it */
  uses: ReadonlyMap<string, readonly Path[]>
  folders: readonly string[]
  /** Whether the module's own code has this word. */
  names(word: string): boolean
  refuse: Refuse
}

export class Packages {
  private readonly resolvers = new Resolvers()
  private readonly kept = new Map<string, Kept>()

  async link(request: LinkRequest): Promise<LinkedPackages> {
    const { uses, folders } = request
    if (uses.size === 0) return NONE
    const key = JSON.stringify([[...uses.keys()].sort(), folders])
    let kept = this.kept.get(key)
    if (kept?.graph.isFresh !== true) {
      this.resolvers.clear()
      kept = this.begin(request)
    }
    keep(this.kept, key, kept, GRAPHS_MAX)
    try {
      return await linkedOf(kept, request)
    } catch (refused) {
      // It is not kept: its error names a place in one module.
      this.kept.delete(key)
      throw refused
    }
  }

  private begin({ uses, folders, refuse }: LinkRequest): Kept {
    const graph = new PackageGraph(this.resolvers)
    const ids = new Map<string, string>()
    for (const specifier of uses.keys()) {
      const path = this.resolvers.find(specifier, folders)
      if (path === undefined) throw refuse(specifier, 'it is not installed')
      ids.set(specifier, graph.add(path, specifier))
    }
    const isZod = [...uses.keys()].some((one) => packageNameOf(one) === 'zod')
    const zod = isZod ? this.resolvers.find('zod/v4/core', folders) : undefined
    const zodId = zod === undefined ? '' : graph.add(zod, 'zod')
    return { graph, ids, zod: zodId, linked: new Map() }
  }
}

/** Worked out once for all that ask for the same. */
async function linkedOf(kept: Kept, request: LinkRequest): Promise<LinkedPackages> {
  const known = kept.linked.get(keyOf(kept, request))
  const linked = known ?? (await join(kept, await liveFor(kept, request)))
  keep(kept.linked, keyOf(kept, request), linked, LINKED_MAX)
  return linked
}

/** Which namespaces there are is known of files that were read: more of them make another key, at worst. */
function keyOf({ graph }: Kept, { uses, names }: LinkRequest): string {
  const asked = [...uses].map(([specifier, paths]) => [specifier, [...new Set(paths.map(String))].sort()]).sort()
  return shortHash(JSON.stringify([asked, graph.namespaces.filter(names)]))
}

async function liveFor({ graph, ids, zod }: Kept, { uses, names, refuse }: LinkRequest): Promise<Live['found']> {
  const live = new Live({
    file: (id) => graph.files.get(id),
    hasEffects: (id) => graph.hasEffects(id),
    names: (word) => names(word) || (graph.isComplete ? graph.says(word) : undefined),
  })
  if (zod !== '') live.want(zod, ['toJSONSchema'])
  for (const [specifier, paths] of uses) for (const path of [LOADED, ...paths]) live.want(ids.get(specifier), path)
  for (let missing = live.settle(); missing === 'all' || missing.size > 0; missing = live.settle())
    await graph.read(missing, refuse)
  return live.found
}

async function join({ graph, ids, zod }: Kept, live: ReadonlyMap<string, LiveFile>): Promise<LinkedPackages> {
  const slices = new Slices()
  const files: BundledFile[] = [EMPTY]
  for (const [id, file] of graph.files) {
    const kept = live.get(id)
    if (kept === undefined) continue
    files.push(bundled(file, kept, live))
    await slices.next()
  }
  const bundle = joinFiles(files)
  const text = `__sandbox_add__(${bundle.text})`
  return { ids, part: { filename: 'sandbox:packages', hash: shortHash(text), text }, bundle, zod }
}

const EMPTY: BundledFile = { id: 'npm:', imports: {}, kind: 'esm', code: '' }

function bundled(file: PackageFile, kept: LiveFile, live: ReadonlyMap<string, LiveFile>): BundledFile {
  const { id, path, source, isWhole } = file
  const imports = Object.fromEntries(
    Object.entries(file.imports).map(([specifier, target]) => [specifier, live.has(target) ? target : EMPTY.id]),
  )
  const text = textOf(source, isWhole ? undefined : kept)
  if (source.isCommonJs) return { id, imports, kind: 'cjs', code: text }
  const code = transformed(path, text)
  return { id, imports, kind: 'esm', code: code.code, transformed: code }
}

/** The last one asked for goes last. */
function keep<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > max) map.delete(map.keys().next().value ?? '')
}
