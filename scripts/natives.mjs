/**
 * Run by npm after it installed the published package: brings the native packages that must be compiled on this Node,
 * which is Node 20; on newer ones they come prebuilt, as dependencies, and this ends at once. They go into vendor/,
 * where npm does not look for leftovers. Never fails an install: who needs a package that is missing says so.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import semver from 'semver'

const vendor = join(dirname(fileURLToPath(import.meta.url)), '..', 'vendor')

/** What the outer npm was told about its own install does not hold for the inner one; registry and cache do. */
const OUTER = /^npm_config_(global|location|prefix|local_prefix|save|dry_run|omit|include|only|workspace|package_lock)/
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OUTER.test(name)))

function install(name) {
  // The npm that runs this script, with the Node that runs this script.
  const cli = process.env.npm_execpath ?? ''
  const [command, ...first] = cli.endsWith('npm-cli.js') ? [process.execPath, cli] : ['npm']
  const args = [...first, 'install', '--no-audit', '--no-fund', '--no-package-lock']
  const options = { cwd: join(vendor, name), env, stdio: 'inherit', shell: process.platform === 'win32' }
  return new Promise((resolve) => {
    const child = spawn(command, args, options)
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code) => resolve(code === 0 ? undefined : `npm ended with ${code}`))
  })
}

const fits = (name) => {
  const { engines } = JSON.parse(readFileSync(join(vendor, name, 'package.json'), 'utf8'))
  return semver.satisfies(process.versions.node, engines.node)
}
const installs = readdirSync(vendor)
  .filter(fits)
  .map(async (name) => {
    const problem = await install(name)
    if (problem !== undefined) console.error(`meta-machine: ${name} is not there: ${problem}`)
  })
await Promise.all(installs)
