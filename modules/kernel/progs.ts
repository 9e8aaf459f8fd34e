/**
 * `prog` → file: the path under modules/, in the root first and then in the package, or else a last segment that
 * only one module has (`openai` → `inference/openai`). Reads folders, changes nothing.
 */
import { basename, dirname, join } from 'node:path'
import type { FileSystem } from '../contracts/seams.ts'
import { coded, type CodedError } from '../lib/errors.ts'
import { nearText } from '../lib/near.ts'
import { shownPath } from '../lib/shown-path.ts'

const ENDINGS = ['.ts', '.mjs', '.js']
/** Folders of the package that hold no services. */
const NOT_PROGS = new Set(['contracts', 'lib', 'loader', 'bracket', 'sandbox'])
const DEPTH_MAX = 6
const NONE: ReadonlySet<string> = new Set()

export interface ProgPlaces {
  fs: FileSystem
  root: string
  packageRoot: string
  /** progs only the package may provide, unless the meta file's `overrides:` names them */
  protected: ReadonlySet<string>
  /** folder → names in it, remembered for as long as the caller wants; filled here */
  listings?: Map<string, Set<string>>
  /** modules folder → every prog in it, likewise */
  progs?: Map<string, readonly string[]>
  /** prog → its file, or why there is none, likewise */
  found?: Map<string, string | CodedError>
}

/** Absolute path of the module's file. Throws `prog_not_found` or `prog_ambiguous`. */
export function findProg(prog: string, places: ProgPlaces): string {
  const found = places.found?.get(prog) ?? search(prog, places)
  places.found?.set(prog, found)
  if (typeof found !== 'string') throw found
  return found
}

function search(prog: string, places: ProgPlaces): string | CodedError {
  if (prog.split('/').includes('..')) return coded('prog_not_found', { prog })
  for (const folder of folders(prog, places)) {
    const found = filesOf(join(folder, prog), places)
    if (found.length > 1) return ambiguous(prog, found, places)
    if (found[0] !== undefined) return found[0]
  }
  if (!prog.includes('/')) {
    for (const folder of folders(prog, places)) {
      const named = progsIn(folder, places).filter((one) => one.split('/').at(-1) === prog)
      if (named.length > 1) return ambiguous(prog, named, places)
      const found = named[0] === undefined ? undefined : filesOf(join(folder, named[0]), places)[0]
      if (found !== undefined) return found
    }
  }
  const names = folders(prog, places).flatMap((folder) => progsIn(folder, places))
  return coded('prog_not_found', { prog, near: nearText(prog, new Set(names)) })
}

function folders(prog: string, places: ProgPlaces): string[] {
  const own = join(places.root, 'modules')
  const shipped = join(places.packageRoot, 'modules')
  if (own === shipped) return [own]
  return places.protected.has(prog) ? [shipped] : [own, shipped]
}

/** The file itself, or the index file of a folder of that name. */
function filesOf(base: string, places: ProgPlaces): string[] {
  const name = basename(base)
  const beside = namesIn(dirname(base), places)
  const inside = beside.has(name) ? namesIn(base, places) : NONE
  return [
    ...ENDINGS.filter((ending) => beside.has(name + ending)).map((ending) => base + ending),
    ...ENDINGS.filter((ending) => inside.has(`index${ending}`)).map((ending) => `${base}/index${ending}`),
  ].filter((path) => places.fs.stat(path)?.kind === 'file')
}

function namesIn(folder: string, { fs, listings }: ProgPlaces): ReadonlySet<string> {
  let names = listings?.get(folder)
  if (names === undefined) {
    names = new Set(fs.list(folder))
    listings?.set(folder, names)
  }
  return names
}

function progsIn(folder: string, { fs, progs }: ProgPlaces): readonly string[] {
  const found = progs?.get(folder) ?? listProgs(folder, fs)
  progs?.set(folder, found)
  return found
}

function ambiguous(prog: string, files: string[], places: ProgPlaces): CodedError {
  return coded('prog_ambiguous', { prog, files: files.map((file) => shownPath(places.root, file)).join(', ') })
}

/** Every prog under a modules folder: files, and folders with an index file. */
export function listProgs(folder: string, fs: FileSystem, prefix = '', depth = 0): string[] {
  if (depth > DEPTH_MAX) return []
  const found: string[] = []
  for (const name of fs.list(join(folder, prefix))) {
    if (name.startsWith('.') || name === 'node_modules' || (depth === 0 && NOT_PROGS.has(name))) continue
    const path = prefix === '' ? name : `${prefix}/${name}`
    const kind = fs.stat(join(folder, path))?.kind
    if (kind === 'file' && /\.(ts|mjs|js)$/.test(name) && !/\.d\.ts$|^index\./.test(name)) {
      found.push(path.replace(/\.(ts|mjs|js)$/, ''))
    } else if (kind === 'folder') {
      const index = fs.list(join(folder, path)).some((file) => /^index\.(ts|mjs|js)$/.test(file))
      found.push(...(index ? [path] : listProgs(folder, fs, path, depth + 1)))
    }
  }
  return found
}
