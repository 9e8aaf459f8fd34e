/**
 * Run before `npm start` and `npm test`: makes a fresh clone ready, and costs a few milliseconds when it is. Installs
 * when the lock file, the Node ABI or the platform changed since the last time; two at once install once. Then the
 * dashboard is built when its sources changed.
 * No dependencies. NO_AUTO_INSTALL=1 switches it off. With `--locked`, as CI calls it, it always sees to it, and what the
 * lock file does not describe is an error instead of an install of other versions.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.stamp')
const lock = join(root, 'node_modules.lock')
const WAIT_MS = 15 * 60_000
const isLocked = process.argv.includes('--locked')

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`meta-machine needs Node 20.19 or newer; this is ${process.versions.node}`)
  process.exit(1)
}

const want = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update([process.versions.modules, process.platform, process.arch].join(' '))
  .digest('hex')

const isReady = () => {
  try {
    return readFileSync(stamp, 'utf8') === want
  } catch {
    return false
  }
}

/** Takes the lock folder, waiting while another install holds it. False when that one finished the work. */
async function takeLock() {
  for (const until = Date.now() + WAIT_MS; Date.now() < until; ) {
    try {
      mkdirSync(lock)
      return true
    } catch {
      if (isReady()) return false
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
      if (age > WAIT_MS) rmSync(lock, { recursive: true, force: true })
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
  throw new Error(`another install holds ${lock}; remove it if nothing is running`)
}

function npm(args) {
  // The npm that runs this script, with the Node that runs this script.
  const cli = process.env.npm_execpath
  const [command, ...first] = cli?.endsWith('.js') ? [process.execPath, cli] : ['npm']
  return (
    spawnSync(command, [...first, ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    }).status === 0
  )
}

function install() {
  console.error('meta-machine: installing dependencies (once; about two minutes on Node 20, seconds on newer ones)')
  if (npm(['ci', '--include=dev', '--no-audit', '--no-fund'])) return true
  if (isLocked) return false
  console.error(
    'meta-machine: `npm ci` failed; trying `npm install --no-save`, whose versions may differ from the lock file',
  )
  return npm(['install', '--include=dev', '--no-save', '--no-audit', '--no-fund'])
}

if ((isLocked || process.env.NO_AUTO_INSTALL !== '1') && !isReady() && (await takeLock())) {
  try {
    if (install()) writeFileSync(stamp, want)
    else process.exitCode = 1
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}
if (isReady()) {
  const { buildWeb } = await import('./web.mjs')
  await buildWeb()
}
