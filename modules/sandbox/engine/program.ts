/**
 * What a module is made of → the scripts an isolate runs. Local files come as texts and are transformed like those of the
 * loader; allowed packages are read, linked and shared by all that import the same. Anything else an import asks for is
 * refused, with its place and what to do. Nothing is evaluated here.
 */
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve as resolvePath } from 'node:path'
import { parseSync } from 'oxc-parser'
import type { GuestProgram } from '../../contracts/sandbox.ts'
import { originalPlace } from '../../loader/stacks.ts'
import { PREFIX_LINES } from '../../loader/compile.ts'
import { coded } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { joinFiles, type Bundle, type BundledFile } from './bundle.ts'
import { importsUsed } from './imports-used.ts'
import type { Path } from './names-used.ts'
import { packageNameOf, type Packages } from './packages.ts'
import { insteadOf } from './refusals.ts'
import { transformed } from './transformed.ts'

export interface Prepared {
  /** what each isolate evaluates, in this order */
  readonly parts: readonly { filename: string; hash: string; text: string }[]
  /** ids */
  readonly entry: string
  readonly zod: string
  /** Where a place in one of the scripts (1-based) stands; `file` is an absolute path for local files. */
  place(filename: string, line: number, column: number): Placed | undefined
}

export interface Placed {
  id: string
  file: string | undefined
  line: number
  column: number
}

export const PROGRAM = 'sandbox:program'
export const PACKAGES = 'sandbox:packages'

const scriptOf = (bundle: Bundle): string => `__sandbox_add__(${bundle.text})`

/** Throws `source_syntax`, `import_missing` or `import_refused`. */
export async function prepare(program: GuestProgram, packages: Packages): Promise<Prepared> {
  const reached = reach(program)
  const base = commonFolder([...reached.keys()])
  const idOf = (path: string): string => relative(base, path)
  const asked = new Map<string, string>()
  for (const [path, { others }] of reached) for (const specifier of others) asked.set(specifier, path)
  const linked = await packages.link({
    uses: usesOf(reached),
    folders: program.packageFolders,
    names: (word) => [...reached.keys()].some((path) => (program.texts[path] ?? '').includes(word)),
    refuse: (specifier, reason) => refuse(program, asked.get(specifier) ?? program.entry, specifier, reason),
  })
  const paths = new Map<string, string>()
  const files = [...reached].map(([path, { locals, others, code }]): BundledFile => {
    const id = idOf(path)
    paths.set(id, path)
    const imports: Record<string, string> = {}
    for (const [specifier, target] of locals) imports[specifier] = idOf(target)
    for (const specifier of others) imports[specifier] = linked.ids.get(specifier) ?? specifier
    return { id, imports, kind: 'esm', code: code.code, transformed: code }
  })
  const bundle = joinFiles(files)
  const text = scriptOf(bundle)
  const own = { filename: PROGRAM, hash: shortHash(text), text }
  return {
    parts: linked.part === undefined ? [own] : [linked.part, own],
    entry: idOf(program.entry),
    zod: linked.zod,
    place: (filename, line, column) => {
      const found = placeIn(filename === PACKAGES ? linked.bundle : bundle, line, column)
      return found && { ...found, file: paths.get(found.id) }
    },
  }
}

/** What all of its files ask of packages. */
function usesOf(reached: ReadonlyMap<string, Reached>): Map<string, Path[]> {
  const uses = new Map<string, Path[]>()
  for (const { code, others } of reached.values()) {
    const used = importsUsed(code.code)
    // An import that is not found in the code is asked for anything.
    for (const one of others) uses.set(one, [...(uses.get(one) ?? []), ...(used.get(one) ?? [[]])])
  }
  return uses
}

interface Reached {
  code: ReturnType<typeof transformed>
  /** specifier → path */
  locals: Map<string, string>
  /** packages and built-ins */
  others: string[]
}

/** The local files that the entry leads to. */
function reach(program: GuestProgram): Map<string, Reached> {
  const reached = new Map<string, Reached>()
  const open = [program.entry]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue
    const source = program.texts[path] ?? ''
    const code = transformed(path, source)
    if (code.code.includes('__vite_ssr_dynamic_import__')) refuseDynamic(path, source)
    const file: Reached = { code, locals: new Map(), others: [] }
    reached.set(path, file)
    for (const specifier of code.imports) {
      if (!/^(\.{0,2}\/|\.{1,2}$)/.test(specifier)) {
        check(program, path, specifier)
        if (specifier !== 'meta-machine') file.others.push(specifier)
        continue
      }
      const target = localFile(program, path, specifier)
      file.locals.set(specifier, target)
      open.push(target)
    }
  }
  return reached
}

const ENDINGS = ['.ts', '.mts', '.mjs', '.js', '.json']

function localFile({ texts }: GuestProgram, importer: string, specifier: string): string {
  const path = resolvePath(dirname(importer), specifier)
  const tried = [
    path,
    path.replace(/\.(m?)js$/, '.$1ts'),
    ...ENDINGS.map((ending) => path + ending),
    ...ENDINGS.map((ending) => join(path, `index${ending}`)),
  ]
  const found = tried.find((one) => Object.hasOwn(texts, one))
  if (found !== undefined) return found
  throw coded('import_missing', { specifier }, placeOfImport(importer, texts[importer] ?? '', specifier))
}

function check(program: GuestProgram, path: string, specifier: string): void {
  if (specifier === 'meta-machine') return
  if (specifier.startsWith('node:') || isBuiltin(specifier)) {
    throw refuse(program, path, specifier, 'it is a part of Node')
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) throw refuse(program, path, specifier, 'only files and packages are')
  if (!program.packages.includes(packageNameOf(specifier))) {
    throw refuse(program, path, specifier, 'the package is not among those it may import')
  }
}

function refuse({ texts }: GuestProgram, path: string, specifier: string, reason: string): Error {
  const place = placeOfImport(path, texts[path] ?? '', specifier)
  return coded('import_refused', { specifier, reason, instead: insteadOf(specifier) }, place)
}

function placeOfImport(
  file: string,
  source: string,
  specifier: string,
): { file: string; line?: number; column?: number } {
  const { module } = parseSync(file, source)
  const at =
    module.staticImports.find(({ moduleRequest }) => moduleRequest.value === specifier)?.moduleRequest.start ??
    module.staticExports.flatMap(({ entries }) => entries).find((one) => one.moduleRequest?.value === specifier)
      ?.moduleRequest?.start
  return at === undefined ? { file } : { file, ...placeAt(source, at) }
}

function refuseDynamic(file: string, source: string): void {
  const found = parseSync(file, source).module.dynamicImports[0]
  if (found === undefined) return
  const { start, end } = found.moduleRequest
  const specifier = source.slice(start, end)
  const details = { specifier, reason: 'code is not loaded while it runs', instead: insteadOf('import()') }
  throw coded('import_refused', details, { file, ...placeAt(source, found.start) })
}

function placeAt(source: string, offset: number): { line: number; column: number } {
  const lines = source.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
}

/** Its parent's name stays in front, as people know the file. */
function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0] ?? '/')
  while (paths.some((path) => !path.startsWith(`${folder === '/' ? '' : folder}/`))) folder = dirname(folder)
  return dirname(folder)
}

export function placeIn(
  bundle: Bundle | undefined,
  line: number,
  column: number,
): { id: string; line: number; column: number } | undefined {
  const start = bundle?.starts.findLast((one) => one.line <= line)
  if (start === undefined) return undefined
  const { file } = start
  const inFile = line - start.line + 1
  if (file.transformed === undefined) return { id: file.id, line: inFile, column }
  return { id: file.id, ...originalPlace(file.transformed, inFile + PREFIX_LINES, column) }
}
