/**
 * `npm run pack [folder]`: makes the tarball that a user installs, and prints its path and size. What Node loads itself
 * (command line, bootloader, loader, library) is compiled, because Node strips no types inside node_modules; all else
 * stays TypeScript and is read by our own loader; the dashboard goes in as it is built. Works on a copy: nothing in the
 * checkout changes but the tarball. As `postpack` it puts that tarball in the place of the one that a plain `npm pack` made of the checkout as it is.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import semver from 'semver'
import { buildWeb } from './web.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Copied; of these, `files` in package.json says what goes in. */
const FOLDERS = ['bin', 'cli', 'configs', 'docs', 'modules', 'prompts', 'scripts', 'vendor', join('web', 'dist')]
const FILES = ['ERRORS.md', 'LICENSE', 'README.md', 'run.ts', 'tsconfig.json', 'tsconfig.build.json']
/** Where packages are compiled, by an install script. npm 12, which blocks those, does not run on it. */
const COMPILING_NODE = '20.19.0'

const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status === 0) return stdout
  process.stderr.write(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return process.exit(1)
}

/**
 * `file:` dependencies end with the checkout. A wrapper becomes an alias of what it wraps, except those for Node 20:
 * what they wrap is compiled, and has no upper end in its `engines`, so as an alias it would be compiled in vain on all
 * newer Nodes, for minutes. These wrappers are packed, and scripts/natives.mjs installs what they wrap where it fits.
 */
function withAliases(dependencies) {
  const kept = {}
  for (const [name, range] of Object.entries(dependencies)) {
    if (!range.startsWith('file:')) {
      kept[name] = range
      continue
    }
    const wrapper = readJson(join(range.slice('file:'.length), 'package.json'))
    if (semver.satisfies(COMPILING_NODE, wrapper.engines.node)) continue
    const [[wrapped, version]] = Object.entries(wrapper.dependencies)
    kept[name] = `npm:${wrapped}@${version}`
  }
  return kept
}

function publishedManifest() {
  const { devDependencies: _development, allowScripts: _allowed, private: _private, ...kept } = readJson('package.json')
  return {
    ...kept,
    exports: {
      ...kept.exports,
      '.': { types: './dist/modules/lib/index.d.ts', default: './dist/modules/lib/index.js' },
    },
    scripts: { postinstall: 'node scripts/natives.mjs' },
    optionalDependencies: withAliases(kept.optionalDependencies),
  }
}

/** Compiled beside copies of the sources, so that the source maps lead to the names a developer knows. */
function build(folder) {
  const filter = (path) => basename(path) !== 'node_modules'
  for (const part of [...FOLDERS, ...FILES]) cpSync(join(root, part), join(folder, part), { recursive: true, filter })
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(publishedManifest(), null, 2)}\n`)
  const modules = join(folder, 'node_modules')
  symlinkSync(join(root, 'node_modules'), modules, 'junction')
  run(process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], folder)
  rmSync(modules)
}

function pack(out) {
  const folder = mkdtempSync(join(tmpdir(), 'mm-pack-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  build(folder)
  mkdirSync(out, { recursive: true })
  const printed = run('npm', ['pack', '--json', '--pack-destination', out], folder)
  const [{ filename, unpackedSize, entryCount }] = JSON.parse(printed)
  const path = join(out, filename)
  const kilobytes = (bytes) => `${Math.ceil(bytes / 1024)} KB`
  console.log(`${path}  ${kilobytes(statSync(path).size)}, ${entryCount} files, ${kilobytes(unpackedSize)} unpacked`)
}

const { npm_lifecycle_event: event, npm_command: command, npm_config_dry_run: dry } = process.env
await buildWeb()
if (event !== 'postpack') pack(resolve(process.argv[2] ?? join(root, 'build')))
// `npm run pack` has a `postpack` of its own: the tarball is made by then.
else if (command === 'pack' && dry !== 'true')
  pack(resolve(process.env.INIT_CWD ?? '.', process.env.npm_config_pack_destination ?? '.'))
