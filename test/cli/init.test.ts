/** `mm init`: a root of one's own, and nothing of somebody's lost. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

/** A folder of the test's own, with a name in it that is not there yet. */
function place(): { base: TestRoot; folder: string } {
  const base = createRoot()
  roots.push(base)
  return { base, folder: join(base.path, 'mine') }
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()

it('init writes the default configs, the prompts and an example module', async () => {
  const { folder } = place()
  const { code, stdout } = await mm('.', 'init', folder)
  expect(code).toBe(0)
  expect(stdout).toContain(`mm up --root ${folder}`)
  const written = filesIn(folder)
  expect(written).toEqual(
    expect.arrayContaining([
      '.gitignore',
      'configs/meta-v1.0.0.yml',
      'configs/services/http.yml',
      'modules/example.ts',
    ]),
  )
  for (const part of ['configs', 'modules', 'prompts', 'runtime']) expect(existsSync(join(folder, part))).toBe(true)
  expect(filesIn(join(folder, 'runtime'))).toEqual([])
  const copied = (file: string): boolean =>
    readFileSync(join(folder, file), 'utf8') === readFileSync(join(packageRoot, file), 'utf8')
  expect(written.filter((file) => file !== '.gitignore' && !copied(file))).toEqual([])
})

it('init --json lists the files it wrote', async () => {
  const { folder } = place()
  const { code, stdout } = await mm('.', '--json', 'init', folder)
  expect(code).toBe(0)
  const made = JSON.parse(stdout) as { root: string; written: string[] }
  expect(made.root).toBe(folder)
  expect([...made.written].sort()).toEqual(filesIn(folder))
})

it('init refuses a folder that is not empty and leaves it as it was', async () => {
  const { base } = place()
  base.write('configs/services/mine.yml', 'prog: mine\n')
  const before = filesIn(base.path)
  const { code, stderr } = await mm('.', 'init', base.path)
  expect(code).toBe(1)
  expect(stderr).toContain('not empty')
  expect(stderr).toContain('--force')
  expect(filesIn(base.path)).toEqual(before)
  const { code: jsonCode, stderr: json } = await mm('.', 'init', base.path, '--json')
  expect([jsonCode, (JSON.parse(json) as { error: { code: string } }).error.code]).toEqual([1, 'root_not_empty'])
})

it('init --force fills in what is missing and replaces nothing', async () => {
  const { base, folder } = place()
  base.write('mine/configs/services/http.yml', 'prog: services/http\nport: 0\n')
  base.write('mine/prompts/meta.txt', 'my own prompt\n')
  base.write('mine/.gitignore', 'mine\n')
  const { code, stdout } = await mm('.', 'init', folder, '--force', '--json')
  expect(code).toBe(0)
  expect(base.read('mine/configs/services/http.yml')).toBe('prog: services/http\nport: 0\n')
  expect(base.read('mine/prompts/meta.txt')).toBe('my own prompt\n')
  expect(base.read('mine/.gitignore')).toBe('mine\n')
  expect(existsSync(join(folder, 'configs/meta-v1.0.0.yml'))).toBe(true)
  const { written } = JSON.parse(stdout) as { written: string[] }
  expect(written).toContain('configs/meta-v1.0.0.yml')
  for (const kept of ['configs/services/http.yml', 'prompts/meta.txt', '.gitignore'])
    expect(written).not.toContain(kept)
})

it('init into an empty folder that is there needs no --force', async () => {
  const { folder } = place()
  mkdirSync(folder)
  expect((await mm('.', 'init', folder)).code).toBe(0)
  writeFileSync(join(folder, 'note.txt'), '')
  expect((await mm('.', 'init', folder)).code).toBe(1)
})

it('what init wrote starts, every service of it', async () => {
  const { base, folder } = place()
  await mm('.', 'init', folder)
  base.write('mine/configs/services/http.yml', 'api: http\nprog: services/http\nport: 0\n')
  const system = await startProcess({ ...base, path: folder })
  running.push(system)
  const { body } = await system.api<{ status: string; services: Record<string, { state: string }> }>('GET', '/health')
  expect(Object.entries(body.services).filter(([, one]) => one.state !== 'live')).toEqual([])
  expect(body.status).toBe('ok')
  expect(await system.stop()).toBe(0)
})
