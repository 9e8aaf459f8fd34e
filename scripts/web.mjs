/**
 * Builds the dashboard into web/dist when its sources changed since the last time: a hash of all of them is the stamp.
 * Costs a few milliseconds otherwise. Called by `ensure.mjs` and `pack.mjs`; an installed package has no sources of it
 * and brings what is built. Each file gets a `.gz` beside it, so that the server never compresses.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants, gzipSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const web = join(root, 'web')
const dist = join(web, 'dist')
const stampFile = join(dist, '.stamp')

/** By name only: its types would pull those of Node into every script. */
const builder = 'vite'

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/** What the page takes of the command line: how the API is asked, and the tour. */
const SHARED = /^(api|demo-(answers|attacks)|tour[\\/].*)\.ts$/

/** Of everything the built files come from; the lock file stands for the libraries. */
function stampOf() {
  const hash = createHash('sha256')
  const cli = join(root, 'cli')
  const own = filesIn(web).filter((path) => !path.startsWith(dist))
  const shared = filesIn(cli).filter((path) => SHARED.test(path.slice(cli.length + 1)))
  for (const path of [...own, ...shared, join(root, 'package-lock.json'), fileURLToPath(import.meta.url)])
    hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

const built = () => (existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined)

/** Built beside and put in place whole, so that a system that serves meanwhile never sees half of it. */
export async function buildWeb() {
  if (!existsSync(join(web, 'vite.config.ts'))) return
  const stamp = stampOf()
  if (built() === stamp) return
  const { build } = await import(builder)
  const { NODE_ENV: before } = process.env
  const draft = join(root, '.cache', `web-${process.pid}`)
  mkdirSync(draft, { recursive: true })
  // Tests build it too: what is built must not depend on who asks.
  process.env.NODE_ENV = 'production'
  try {
    await build({ configFile: join(web, 'vite.config.ts'), build: { outDir: draft } })
    for (const path of filesIn(draft))
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }))
    writeFileSync(join(draft, '.stamp'), stamp)
    putInPlace(draft, stamp)
  } finally {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Of two that build at once one is first: the other's work is the same. */
function putInPlace(draft, stamp) {
  const old = `${draft}-old`
  try {
    if (existsSync(dist)) renameSync(dist, old)
    renameSync(draft, dist)
  } catch (thrown) {
    if (built() !== stamp) throw thrown
  } finally {
    rmSync(old, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb()
