/** `mm backup` and `mm restore`: what is copied, what is not, and that a backup that is not whole is none. */
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, expect, it } from 'vitest'
import { mmHere } from '../support/cli.ts'
import { startProcess, type CommandResult, type RunningSystem } from '../support/process.ts'
import { createRoot, rootAt, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

function rootWith(files: Record<string, string>): TestRoot {
  const root = createRoot(files)
  roots.push(root)
  return root
}

interface Told {
  digest: string
  files: number
}

async function ok(...args: string[]): Promise<CommandResult> {
  const result = await mmHere(args[0] ?? '', ...args.slice(1))
  expect([args, result.code, result.stderr]).toEqual([args, 0, ''])
  return result
}

const errorOf = ({ stderr }: CommandResult): string => (JSON.parse(stderr) as { error: { code: string } }).error.code

it('everything that cannot be made anew is copied, and nothing that belongs to one process', async () => {
  const root = rootWith({
    'configs/x.yml': 'prog: x\n',
    'modules/x.ts': 'export class Module {}\n',
    'prompts/meta.txt': 'Grüße\n',
    'runtime/token': 'secret\n',
    'runtime/refused.json': '{}',
    'runtime/secrets/key': 'value',
    'runtime/lock': '{}',
    'runtime/http.json': '{}',
    'runtime/logs/mm.log': '{}',
    'runtime/cache/work.pack': 'x',
    'node_modules/zod/index.js': '',
    'configs/.x.yml.12-1.mm-draft': 'half',
    'runtime/broken-wal': '',
  })
  symlinkSync(join(root.path, 'prompts/meta.txt'), join(root.path, 'prompts/link.txt'))
  const file = join(root.path, 'backup.tar.gz')
  const backup = JSON.parse((await ok(root.path, 'backup', file, '--json')).stdout) as Told
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const other = rootWith({})
  const target = join(other.path, 'deep/restored')
  const restored = JSON.parse((await ok('.', 'restore', file, target, '--json')).stdout) as Told
  expect(restored.digest).toBe(backup.digest)
  const names = readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(target.length + 1))
  expect(names.sort()).toEqual([
    'configs/meta-v1.0.0.yml',
    'configs/x.yml',
    'modules/x.ts',
    'prompts/link.txt',
    'prompts/meta.txt',
    'runtime/refused.json',
    'runtime/secrets/key',
    'runtime/token',
  ])
  expect(rootAt(target).read('prompts/link.txt')).toBe('Grüße\n')
  // What was restored is what is backed up again.
  const again = JSON.parse((await ok(target, 'backup', join(other.path, 'b.tar.gz'), '--json')).stdout) as Told
  expect(again.digest).toBe(backup.digest)
  expect(readdirSync(root.path).filter((name) => name.includes('.part-'))).toEqual([])
})

it('a backup that is cut, altered or none at all is refused, and nothing is written', async () => {
  const root = rootWith({ 'configs/x.yml': 'prog: x\n' })
  const file = join(root.path, 'backup.tar.gz')
  await ok(root.path, 'backup', file)
  const bytes = readFileSync(file)
  const altered = gunzipSync(bytes)
  altered.write('prog: y', altered.indexOf('prog: x'))
  const cases: [name: string, content: Buffer][] = [
    ['cut', bytes.subarray(0, bytes.length - 40)],
    ['altered', gzipSync(altered)],
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('no archive')],
    ['without its list', gzipSync(gunzipSync(bytes).subarray(0, 512))],
  ]
  for (const [name, content] of cases) {
    writeFileSync(join(root.path, 'bad'), content)
    const result = await mmHere('.', 'restore', join(root.path, 'bad'), join(root.path, 'to'), '--json')
    expect([name, result.code, errorOf(result)]).toEqual([name, 1, 'backup_damaged'])
    expect(existsSync(join(root.path, 'to'))).toBe(false)
  }
  expect(readdirSync(root.path).filter((name) => name.includes('part-'))).toEqual([])
})

it('what stands in the way is named: a folder that is not empty, a file that is not there, a root that is none', async () => {
  const root = rootWith({ 'configs/x.yml': '' })
  const file = join(root.path, 'backup.tar.gz')
  await ok(root.path, 'backup', file)
  const at = async (...args: string[]): Promise<string> => errorOf(await mmHere(root.path, ...args, '--json'))
  expect(await at('restore', file, root.path)).toBe('root_not_empty')
  expect(await at('restore', join(root.path, 'none'), join(root.path, 'to'))).toBe('file_missing')
  expect(errorOf(await mmHere(join(root.path, 'runtime'), 'backup', '--json'))).toBe('root_missing')
  expect(await at('backup', join(file, 'x'))).toBe('file_failed')
  for (const target of [root.path, '/dev/null', '/proc']) expect(await at('backup', target)).toBe('backup_failed')
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  // A database that cannot be read as one is no reason to leave it out in silence.
  writeFileSync(join(root.path, 'runtime/data.db'), `SQLite format 3\0${'x'.repeat(5_000)}`)
  expect(await at('backup', file)).toBe('backup_failed')
})

it('a system that runs is copied with its databases, and the copy starts', async () => {
  const files = {
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/database.yml': 'prog: services/database\n',
  }
  const root = rootWith(files)
  const system = await startProcess(root)
  running.push(system)
  await system.call('database', 'execute', 'CREATE TABLE t (n INTEGER)')
  await system.call('database', 'execute', 'INSERT INTO t VALUES (7)')
  const file = join(root.path, 'backup.tar.gz')
  expect((await ok(root.path, 'backup', file)).stdout).toMatch(
    /backup\.tar\.gz: \d+ files, \d+\.\d MB, digest [0-9a-f]{16}\./,
  )
  await system.call('database', 'execute', 'INSERT INTO t VALUES (8)')
  const target = rootAt(join(root.path, 'copy'))
  await ok('.', 'restore', file, target.path)
  const copy = await startProcess(target)
  running.push(copy)
  expect(await copy.call('database', 'query', 'SELECT n FROM t')).toEqual([{ n: 7 }])
  expect(copy.token).toBe(system.token)
})
