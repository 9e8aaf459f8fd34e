/** Which kernel starts: the newest meta file that works, and what is said about those that do not. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { mm, startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }
const GOOD = { 'configs/meta-v1.0.0.yml': 'prog: kernel\n' }

function rootWith(files: Record<string, string>): TestRoot {
  const root = createRoot({ ...HTTP, ...files })
  roots.push(root)
  return root
}

async function start(files: Record<string, string>): Promise<RunningSystem> {
  const system = await startProcess(rootWith(files))
  running.push(system)
  return system
}

const metaOf = async (system: RunningSystem): Promise<unknown> =>
  (await system.api('GET', '/api/kernel')).body['meta_file']

/** The codes in the log of the test's newest root, in their order. */
const codesIn = (): string[] =>
  (roots.at(-1)?.read('runtime/logs/mm.log') ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => (JSON.parse(line) as { code?: string }).code ?? [])

/** A kernel that does nothing but be there. `body` replaces its boot(). */
const kernelWith = (body: string, constructorBody = ''): string => `
export class Kernel {
  version = '2.0.0'
  constructor() { ${constructorBody} }
  async boot() { ${body} }
  async settled() {}
  async waitForShutdown() { console.log('the root\\'s own kernel ran'); return null }
  async stop() {}
  status() { return { version: '2.0.0', services: {} } }
  fault() { return undefined }
}
`

it('the newest version starts; versions are compared as numbers', async () => {
  const files = { 'configs/meta-v1.9.yml': 'prog: kernel\n', 'configs/meta-v1.10.yml': 'prog: kernel\n' }
  const system = await start({ ...files, 'configs/meta-v1.2.30.yml': 'prog: kernel\n' })
  await system.line(/kernel 1\.10 from configs\/meta-v1\.10\.yml$/)
  expect(await metaOf(system)).toBe('configs/meta-v1.10.yml')
})

it('a file without a version is the oldest, a pre-release older than its release', async () => {
  const plain = await start({ 'configs/meta.yml': 'prog: kernel\n', 'configs/meta-v0.1.yaml': 'prog: kernel\n' })
  expect(await metaOf(plain)).toBe('configs/meta-v0.1.yaml')
  const beta = { 'configs/meta-v2.0.0-beta.yml': 'prog: kernel\n', 'configs/meta-v2.0.0.yml': 'prog: kernel\n' }
  expect(await metaOf(await start(beta))).toBe('configs/meta-v2.0.0.yml')
})

it('dot files are off, and only files directly in configs/ count', async () => {
  const off = { 'configs/.meta-v9.0.0.yml': 'prog: kernel\n', 'configs/meta-v8.0.0.yml.bak': 'prog: kernel\n' }
  const system = await start({ ...GOOD, ...off })
  await system.line(/kernel 1\.0\.0 from configs\/meta-v1\.0\.0\.yml$/)
  expect(system.output.join('\n')).not.toContain('does not start')
})

const BROKEN: [string, string, Record<string, string>, string, RegExp][] = [
  ['bad YAML', 'prog: [kernel\n', {}, 'config_syntax', /does not parse.*configs\/meta-v2\.0\.0\.yml:\d+:\d+/],
  ['an empty file', '', {}, 'config_not_map', /must be a map.*configs\/meta-v2\.0\.0\.yml:1:1/],
  ['no prog', 'defaults: {}\n', {}, 'config_key', /`prog` is wrong/],
  ['a prog that is nowhere', 'prog: kernel-v9\n', {}, 'prog_not_found', /No module `kernel-v9`/],
  [
    'a syntax error in the kernel',
    'prog: next\n',
    { 'modules/next/next.ts': 'export class Kernel {\n  boot( {}\n}\n' },
    'source_syntax',
    /does not parse.*modules\/next\/next\.ts:\d+:\d+/,
  ],
  [
    'a file the kernel imports that is missing',
    'prog: next\n',
    { 'modules/next/next.ts': "import './part.ts'\nexport class Kernel {}\n" },
    'import_missing',
    /Cannot find `\.\/part\.ts`.*modules\/next\/next\.ts:1:\d+/,
  ],
  [
    'a kernel that throws on import',
    'prog: next\n',
    {
      'modules/next/next.ts': "const ready = false\nif (!ready) throw new Error('not today')\nexport class Kernel {}\n",
    },
    'module_threw',
    /not today.*modules\/next\/next\.ts:2:\d+/,
  ],
  [
    'no class Kernel',
    'prog: next\n',
    { 'modules/next/next.ts': 'export class Module {}\n' },
    'no_kernel_class',
    /no class named `Kernel`/,
  ],
  [
    'a constructor that throws',
    'prog: next\n',
    { 'modules/next/next.ts': kernelWith('', "throw new Error('no hands')") },
    'callee_error',
    /no hands/,
  ],
  [
    'a boot that fails',
    'prog: next\n',
    { 'modules/next/next.ts': kernelWith("throw new Error('no legs')") },
    'callee_error',
    /no legs/,
  ],
]

it.each(BROKEN)(
  'the next older kernel starts after %s, and the reason is told',
  async (_name, meta, files, code, reason) => {
    const system = await start({ ...GOOD, 'configs/meta-v2.0.0.yml': meta, ...files })
    expect(await system.line(/configs\/meta-v2\.0\.0\.yml does not start: /)).toMatch(reason)
    expect(codesIn()).toEqual([code])
    await system.line(/kernel 1\.0\.0 from configs\/meta-v1\.0\.0\.yml \(fallback\)$/)
    expect(await metaOf(system)).toBe('configs/meta-v1.0.0.yml')
    expect((await system.api('GET', '/health')).body).toMatchObject({ kernel: { version: '1.0.0', prog: 'kernel' } })
  },
)

it('a kernel whose boot never ends is given up for the next one', async () => {
  const files = { 'modules/next/next.ts': kernelWith('await new Promise(() => {})') }
  const system = await start({ ...GOOD, 'configs/meta-v2.0.0.yml': 'prog: next\n', ...files })
  await system.line(/configs\/meta-v2\.0\.0\.yml does not start: The kernel did not boot within 10000 ms/)
  expect(codesIn()).toEqual(['kernel_boot_timeout'])
  expect(await metaOf(system)).toBe('configs/meta-v1.0.0.yml')
})

it('a broken kernel that left a timer behind does not disturb the one that runs', async () => {
  const late = "setInterval(() => { throw new Error('I am still here') }, 1)"
  const files = { 'modules/next/next.ts': kernelWith(`${late}; throw new Error('no legs')`) }
  const system = await start({ ...GOOD, 'configs/meta-v2.0.0.yml': 'prog: next\n', ...files })
  const before = system.output.filter((line) => line.includes('still here')).length
  for (let n = 0; n < 20; n++) expect((await system.api('GET', '/api/services')).status).toBe(200)
  expect(system.output.filter((line) => line.includes('still here')).length).toBe(before)
})

it('each broken kernel is told, newest first', async () => {
  const system = await start({
    ...GOOD,
    'configs/meta-v3.yml': 'prog: [\n',
    'configs/meta-v2.5.yml': 'prog: nowhere\n',
    'configs/meta-v2.yml': 'prog: next\n',
    'modules/next/next.ts': 'export const x = 1\n',
  })
  const told = system.output.flatMap((line) => /(configs\/\S+) does not start/.exec(line)?.[1] ?? [])
  expect(told).toEqual(['configs/meta-v3.yml', 'configs/meta-v2.5.yml', 'configs/meta-v2.yml'])
})

it('when no kernel starts the exit code is 1, every reason is told, and nothing is left behind', async () => {
  const root = rootWith({
    'configs/meta-v2.yml': 'prog: [\n',
    'configs/meta-v1.yml': 'prog: next\n',
    'modules/next/next.ts': "throw new Error('not today')\n",
  })
  const { code, stdout, stderr } = await mm(root.path, 'up', '--no-repl')
  expect(code).toBe(1)
  const last = `${stdout}${stderr}`.split('\n').find((line) => line.includes('No kernel could be started')) ?? ''
  expect(last).toContain('configs/meta-v2.yml')
  expect(last).toContain('does not parse')
  expect(last).toContain('configs/meta-v1.yml')
  expect(last).toContain('not today')
  expect(codesIn()).toEqual(['config_syntax', 'module_threw', 'no_kernel'])
  for (const file of ['http.json', 'lock']) expect(existsSync(join(root.path, 'runtime', file))).toBe(false)
})

it('a root without a meta file is an error that says so', async () => {
  const root = rootWith(GOOD)
  root.remove('configs/meta-v1.0.0.yml')
  const { code, stdout, stderr } = await mm(root.path, 'up', '--no-repl')
  expect(code).toBe(1)
  expect(`${stdout}${stderr}`).toMatch(/has no configs\/meta\*\.yml.*mm init/)
  expect(codesIn()).toEqual(['no_meta'])
})

it("a kernel of the root's own under another name runs", async () => {
  const root = rootWith({ 'configs/meta-v2.0.0.yml': 'prog: next\n', 'modules/next/next.ts': kernelWith('') })
  const { code, stdout } = await mm(root.path, 'up', '--no-repl')
  expect(stdout).toMatch(/kernel 2\.0\.0 from configs\/meta-v2\.0\.0\.yml$/m)
  expect(stdout).toContain("the root's own kernel ran")
  expect(code).toBe(0)
})

it('a file modules/kernel/kernel.ts in the root does not replace the kernel unasked', async () => {
  const system = await start({ ...GOOD, 'modules/kernel/kernel.ts': "throw new Error('shadow')\n" })
  await system.line(/kernel 1\.0\.0 from configs\/meta-v1\.0\.0\.yml$/)
  expect(system.output.join('\n')).not.toContain('shadow')
})
