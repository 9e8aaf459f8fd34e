/**
 * Finds a real Chroma server for the tests, in this order: `chroma` on the PATH, the binding that comes with the package
 * `chromadb` (where the system's libc is new enough to load it), and version 1.0.5 of the binding, which also runs on
 * older ones. `--fetch`, as CI calls it, gets that one once (about 110 MB) into node_modules/.cache/chroma.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, 'node_modules', '.cache', 'chroma')
const BINDING = `chromadb-js-bindings-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : process.platform === 'win32' ? '-msvc' : ''}`
const VERSION = '1.0.5'

/** In a process of its own: a library that does not fit may end it. */
const loads = (path) =>
  existsSync(path) &&
  spawnSync(
    process.execPath,
    ['-e', 'process.exit(typeof require(process.argv[1]).cli === "function" ? 0 : 1)', path],
    {
      stdio: 'ignore',
    },
  ).status === 0

const onPath = () => spawnSync('chroma', ['--version'], { stdio: 'ignore' }).status === 0

/** The command that runs a server, without its arguments; undefined when there is none. */
export function findChroma() {
  if (onPath()) return ['chroma']
  for (const modules of [join(root, 'node_modules'), join(cache, 'node_modules')]) {
    const path = join(modules, BINDING)
    if (loads(path))
      return [process.execPath, '-e', `require(${JSON.stringify(path)}).cli(['chroma', ...process.argv.slice(1)])`]
  }
  return undefined
}

function fetchChroma() {
  const args = ['install', '--prefix', cache, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
  // The npm that runs this script, with the Node that runs this script.
  const cli = process.env.npm_execpath
  const [command, ...first] = cli?.endsWith('.js') ? [process.execPath, cli] : ['npm']
  spawnSync(command, [...first, ...args, `${BINDING}@${VERSION}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--fetch') && process.env.CHROMA_URL === undefined && findChroma() === undefined)
    fetchChroma()
  const found = process.env.CHROMA_URL ?? findChroma()
  console.log(found === undefined ? 'no Chroma server runs here' : `Chroma: ${String(found)}`)
  process.exit(found === undefined ? 1 : 0)
}
