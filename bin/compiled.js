/**
 * In a checkout: what Node itself runs (command line, bootloader, loader, library, sandbox) compiled into `dist/`, as a
 * package carries it, so that no hook stands between a start and its files. A start compares the size and change time
 * of each source with what was compiled, and that this is there in full; what differs is compiled. Where nothing can be
 * written, or a source cannot be compiled, there is no folder, and the sources are run through a hook, which says what is
 * wrong. Several starts may do this at once: each file is replaced whole, the list of what they were made of last.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'

const FOLDERS = ['cli', 'modules/contracts', 'modules/lib', 'modules/loader', 'modules/sandbox']
const FILES = ['run.ts']
/** When one of these differs, everything is compiled anew. */
const MAKERS = ['bin/compiled.js', 'node_modules/oxc-transform/package.json']
const LIST = '.sources.json'
const OPTIONS = {
  lang: 'ts',
  sourceType: 'module',
  target: 'es2022',
  sourcemap: true,
  typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: 'rewrite' },
}

const outputOf = (source) => source.replace(/\.ts$/, '.js')

/** A file system counts time in steps: a source changed so lately could change again within the same one. */
const SETTLED_MS = 100
const JUST_CHANGED = 'just changed'

/** Whatever writes to a file, or puts another in its place, changes one of the two. */
function stampOf(root, source, now) {
  const found = statSync(join(root, source), { throwIfNoEntry: false })
  if (found === undefined) return undefined
  return now() - found.ctimeMs < SETTLED_MS ? JUST_CHANGED : `${found.size} ${found.ctimeMs}`
}

/** What a power cut has left empty, or somebody removed, has another. */
const bytesOf = (path) => statSync(path, { throwIfNoEntry: false })?.size

/** source → its stamp, and the bytes of what was made of it */
function readList(dist) {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(join(dist, LIST), 'utf8'))))
  } catch {
    return new Map()
  }
}

function isMade({ root, dist, now }, source, [stamp, bytes] = []) {
  if (stamp === undefined || stamp === JUST_CHANGED || stampOf(root, source, now) !== stamp) return false
  return MAKERS.includes(source) || bytesOf(join(dist, outputOf(source))) === bytes
}

const isFresh = (checkout, list) => list.size > 0 && [...list].every(([source, made]) => isMade(checkout, source, made))

function sourcesOf(root) {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  )
  return [...FILES, ...inFolders]
}

function write(path, text) {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text)
  renameSync(draft, path)
}

function compile(transformSync, { root, dist }, source) {
  const { code, map, errors } = transformSync(source, readFileSync(join(root, source), 'utf8'), OPTIONS)
  if (errors.length > 0) throw new Error(errors[0].message)
  const path = join(dist, outputOf(source))
  mkdirSync(dirname(path), { recursive: true })
  const sources = [relative(dirname(path), join(root, source)).replaceAll('\\', '/')]
  write(`${path}.map`, JSON.stringify({ version: 3, sources, names: map.names, mappings: map.mappings }))
  write(path, `${code}\n//# sourceMappingURL=${basename(path)}.map\n`)
}

async function bringUpToDate(checkout, before) {
  const { root, dist, now } = checkout
  const { transformSync } = await import('oxc-transform')
  const sources = sourcesOf(root)
  // Taken first: a source that changes meanwhile is compiled once more by the next start.
  const stamps = new Map([...MAKERS, ...sources].map((source) => [source, stampOf(root, source, now)]))
  const all = MAKERS.some((maker) => before.get(maker)?.[0] !== stamps.get(maker))
  for (const source of sources)
    if (all || !isMade(checkout, source, before.get(source))) compile(transformSync, checkout, source)
  for (const source of before.keys()) {
    if (stamps.has(source)) continue
    for (const ending of ['', '.map']) rmSync(join(dist, outputOf(source) + ending), { force: true })
  }
  const list = [...stamps].map(([source, stamp]) => [source, [stamp, bytesOf(join(dist, outputOf(source)))]])
  write(join(dist, LIST), JSON.stringify(Object.fromEntries(list)))
}

/** The folder with the compiled files, as new as the sources; none where they cannot be compiled. Never throws. */
export async function compiled(root, now = Date.now) {
  const dist = join(root, 'dist')
  const checkout = { root, dist, now }
  const list = readList(dist)
  if (isFresh(checkout, list)) return dist
  try {
    await bringUpToDate(checkout, list)
    return dist
  } catch {
    return undefined
  }
}
