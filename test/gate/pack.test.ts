/** The product as a stranger gets it: packed, installed by npm into an empty folder, started, changed live, stopped. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cleanEnv, startProcess, type RunningSystem } from '../support/process.ts'
import { packageRoot, rootAt } from '../support/root.ts'

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'mm-pack-test-')))
const folder = join(scratch, 'empty')
const installed = join(folder, 'node_modules', 'meta-machine')
let system: RunningSystem | undefined

/** As in a shell of its own: this Node, and nothing of the npm that runs the tests but where packages come from. */
const env = Object.fromEntries(
  Object.entries({
    ...cleanEnv(),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
    // What is compiled here is installed, loaded and used; how fast it would be is not asked.
    CFLAGS: '-O0',
    CXXFLAGS: '-O0',
  }).filter(([name]) => !/^(npm_|INIT_CWD)/.test(name) || name === 'npm_config_registry'),
)

function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status} ${String(error)}\n${stdout}${stderr}`)
  return stdout
}

const pack = (name: string): string => {
  const printed = run(packageRoot, process.execPath, join(packageRoot, 'scripts', 'pack.mjs'), join(scratch, name))
  expect(printed).toMatch(/\.tgz {2}\d+ KB, \d+ files/)
  return printed.split('  ')[0] ?? ''
}
let tarballs: string[] = []

beforeAll(() => {
  mkdirSync(folder)
  tarballs = ['one', 'two'].map(pack)
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', tarballs[0] ?? '')
}, 600_000)

afterAll(async () => {
  await system?.stop()
  rmSync(scratch, { recursive: true, force: true })
})

it('packing twice gives the same bytes, and nothing is built in the checkout', () => {
  const [one, two] = tarballs.map((path) => readFileSync(path))
  expect(one !== undefined && two?.equals(one)).toBe(true)
  // What a checkout compiles for itself stands there only, and nothing that packing makes beside it.
  const dist = join(packageRoot, 'dist')
  const names = existsSync(dist) ? readdirSync(dist, { recursive: true, withFileTypes: true }) : []
  const files = names.filter((entry) => entry.isFile()).map(({ name }) => name)
  expect(files.filter((name) => !/\.js(\.map)?(\.\d+)?$|^\.sources\.json(\.\d+)?$/.test(name))).toEqual([])
})

it('holds what a user needs and nothing of how it is made', () => {
  const own = readdirSync(installed).filter((name) => name !== 'node_modules')
  expect(own.sort()).toEqual(
    ['ERRORS.md', 'LICENSE', 'README.md', 'bin', 'configs', 'dist', 'docs', 'modules', 'package.json'].concat([
      'prompts',
      'scripts',
      'vendor',
      'web',
    ]),
  )
  expect(readdirSync(join(installed, 'web', 'dist'))).toEqual(expect.arrayContaining(['assets', 'index.html']))
  expect(readdirSync(join(installed, 'scripts'))).toEqual(['natives.mjs'])
  const others = readdirSync(join(folder, 'node_modules'))
  for (const name of ['typescript', 'tsx', 'vitest', 'esbuild']) expect(others).not.toContain(name)
})

it('is imported by Node as compiled code, with types beside it', () => {
  const script =
    "const { tool, codeOf } = await import('meta-machine'); console.log(typeof tool, codeOf({ code: 'x' }))"
  expect(run(folder, process.execPath, '--input-type=module', '-e', script)).toBe('function x\n')
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    exports: { '.': Record<string, string> }
  }
  for (const path of Object.values(exports['.'])) expect(existsSync(join(installed, path))).toBe(true)
})

const GREETER = `import { tool, type KernelApi } from 'meta-machine'
import { z } from 'zod'
enum Word { Hello = 'Hello' }
export class Module {
  constructor(private readonly kernel: KernelApi) {}
  greet({ name }: { name: string }): string {
    return \`\${Word.Hello}, \${name}!\`
  }
  async rows(): Promise<unknown> {
    return this.kernel.getApi('database').query('SELECT 6 * 7 AS answer')
  }
  getAspect(name: string): object | undefined {
    return name === 'tool' ? { greet: tool({ description: 'Greet.', params: z.object({ name: z.string() }), run: (params) => this.greet(params) }) } : undefined
  }
}
`

it('init, up, a call, an edited YAML, a dropped-in module, the database, stop', async () => {
  expect(run(folder, 'npx', 'mm', 'init', 'my-os')).toContain('files written')
  const root = rootAt(join(folder, 'my-os'))
  root.write('configs/services/http.yml', root.read('configs/services/http.yml').replace(/^port: .*$/m, 'port: 0'))
  system = await startProcess(root, { mm: join(folder, 'node_modules', '.bin', 'mm') })
  expect(system.output.join('\n')).toMatch(/\b(\d+) of \1 services live/)
  expect(await system.call('example', 'greet', { name: 'Ada' })).toBe('Hello, Ada!')
  expect(run(root.path, 'npx', 'mm', 'status')).toMatch(/status +ok/)

  const edited = system.line(/example {2}g1 → g2/)
  root.write('configs/services/example.yml', root.read('configs/services/example.yml').replace('Hello', 'Welcome'))
  await edited
  expect(await system.call('example', 'greet', { name: 'Ada' })).toBe('Welcome, Ada!')

  const live = system.line(/greeter {2}g1 live/)
  root.write('modules/greeter.ts', GREETER)
  root.write('configs/services/greeter.yml', 'api: greeter\nprog: greeter\n')
  await live
  expect(await system.call('greeter', 'rows')).toEqual([{ answer: 42 }])
  const changed = system.line(/greeter {2}g1 → g2/)
  root.write('modules/greeter.ts', GREETER.replace("'Hello'", "'Good morning'"))
  await changed
  expect(await system.call('greeter', 'greet', { name: 'Ada' })).toBe('Good morning, Ada!')
  const refused = system.line(/greeter {2}refused: .*\(modules\/greeter\.ts:\d+:\d+\); g2 goes on serving/)
  root.write('modules/greeter.ts', GREETER.slice(0, -3))
  await refused

  const [last] =
    (await system.call<{ n: number }[]>('database', 'query', 'SELECT count(*) AS n FROM training_log')) ?? []
  expect(last?.n).toBeGreaterThanOrEqual(0)
  expect(await system.stop()).toBe(0)
  expect(
    run(folder, 'ps', '-eo', 'args')
      .split('\n')
      .filter((line) => line.includes(basename(scratch))),
  ).toEqual([])
})
