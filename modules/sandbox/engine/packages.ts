/**
 * The npm packages a module may import, linked to one script. They have to be pure: JavaScript that imports nothing of Node.
 * ES modules are followed by their imports, CommonJS by its literal `require`s; a `require` of anything else throws when it
 * runs. What was linked is kept as long as the files on disk are the same, and shared by all that import the same.
 */
import { readFileSync, statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, sep } from 'node:path'
import { parseSync } from 'oxc-parser'
import { ResolverFactory } from 'oxc-resolver'
import { shortHash } from '../../lib/hash.ts'
import { joinFiles, type Bundle, type BundledFile } from './bundle.ts'
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
  linked: Promise<LinkedPackages>
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

  async link(specifiers: readonly string[], folders: readonly string[], refuse: Refuse): Promise<LinkedPackages> {
    if (specifiers.length === 0) return NONE
    const key = JSON.stringify([[...specifiers].sort(), folders])
    const known = this.kept.get(key)
    if (known !== undefined && [...known.stamps].every(([path, stamp]) => stampOf(path) === stamp)) {
      return known.linked
    }
    this.imports.clearCache()
    this.requires.clearCache()
    const stamps = new Map<string, string>()
    const linked = this.collect(specifiers, folders, refuse, stamps)
    // A refusal is not kept: its error names a place in one module.
    const result = await linked
    this.kept.delete(key)
    this.kept.set(key, { stamps, linked })
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value ?? '')
    return result
  }

  private async collect(
    specifiers: readonly string[],
    folders: readonly string[],
    refuse: Refuse,
    stamps: Map<string, string>,
  ): Promise<LinkedPackages> {
    const files = new Map<string, BundledFile>()
    const ids = new Map<string, string>()
    const open: { path: string; from: string }[] = []
    for (const specifier of specifiers) {
      const path = this.find(specifier, folders)
      if (path === undefined) throw refuse(specifier, 'it is not installed')
      ids.set(specifier, idOf(path))
      open.push({ path, from: specifier })
    }
    const zod = specifiers.some((one) => packageNameOf(one) === 'zod') ? this.find('zod/v4/core', folders) : undefined
    if (zod !== undefined) open.push({ path: zod, from: 'zod' })
    let bytes = 0
    let since = performance.now()
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { path, from } = next
      if (files.has(path)) continue
      const source = readFileSync(path, 'utf8')
      stamps.set(path, stampOf(path))
      bytes += source.length
      if (files.size >= FILES_MAX || bytes > BYTES_MAX) throw refuse(from, 'with all it imports it is too large')
      const { file, targets } = this.read(path, source, (reason) => refuse(from, reason))
      files.set(path, file)
      for (const target of targets) open.push({ path: target, from })
      if (performance.now() - since > SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve))
        since = performance.now()
      }
    }
    const bundle = joinFiles([...files.values()])
    const text = `__sandbox_add__(${bundle.text})`
    const part = { filename: 'sandbox:packages', hash: shortHash(text), text }
    return { ids, part, bundle, zod: zod === undefined ? '' : idOf(zod) }
  }

  private find(specifier: string, folders: readonly string[]): string | undefined {
    for (const folder of folders) {
      const { path } = this.imports.sync(folder, specifier)
      if (typeof path === 'string') return path
    }
    return undefined
  }

  /** `wrong` makes the error of the import that led here. */
  private read(path: string, text: string, wrong: (reason: string) => Error): { file: BundledFile; targets: string[] } {
    // Bundlers put this in: there is no `process` in an isolate.
    const source = text.replaceAll('process.env.NODE_ENV', '"production"')
    const id = idOf(path)
    const imports: Record<string, string> = {}
    const targets: string[] = []
    const take = (specifier: string, target: string): void => {
      imports[specifier] = idOf(target)
      targets.push(target)
    }
    if (isCommonJs(path, source)) {
      for (const [, , specifier = ''] of source.matchAll(/\brequire\(\s*(['"])([^'"\n]+)\1\s*\)/g)) {
        const found = isBuiltin(specifier) ? undefined : this.requires.sync(dirname(path), specifier).path
        if (typeof found === 'string' && !found.endsWith('.node')) take(specifier, found)
      }
      return { file: { id, imports, kind: 'cjs', code: source }, targets }
    }
    const code = transformed(path, source)
    for (const specifier of code.imports) {
      if (isBuiltin(specifier)) throw wrong(`${id} imports \`${specifier}\`, a part of Node`)
      const found = this.imports.sync(dirname(path), specifier).path
      if (typeof found !== 'string') throw wrong(`${id} imports \`${specifier}\`, which is not there`)
      take(specifier, found)
    }
    return { file: { id, imports, kind: 'esm', code: code.code, transformed: code }, targets }
  }
}

const isCommonJs = (path: string, source: string): boolean => {
  if (path.endsWith('.json') || path.endsWith('.mjs')) return false
  return path.endsWith('.cjs') || !parseSync(path, source).module.hasModuleSyntax
}

/** As it is called in a stack: from `node_modules` on. */
function idOf(path: string): string {
  const mark = `${sep}node_modules${sep}`
  const at = path.lastIndexOf(mark)
  return `npm:${at < 0 ? path.slice(path.lastIndexOf(sep) + 1) : path.slice(at + mark.length)}`
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`
}
