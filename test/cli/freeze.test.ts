/** `mm freeze` and `mm thaw`: they write a file, so that they work whatever state the system is in. */
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const DEPUTY = 'd'.repeat(40)

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

function rootWith(files: Record<string, string> = {}): TestRoot {
  const root = createRoot(files)
  roots.push(root)
  return root
}

const isFrozen = (root: TestRoot): boolean => existsSync(join(root.path, 'runtime', 'FREEZE'))

it('freeze and thaw work when nothing runs', async () => {
  const root = rootWith()
  const frozen = await mm(root.path, 'freeze')
  expect([frozen.code, frozen.stderr, isFrozen(root)]).toEqual([0, '', true])
  expect(frozen.stdout).toContain('frozen')
  expect(root.read('runtime/FREEZE')).not.toMatch(/\ball\b/)
  const thawed = await mm(root.path, 'thaw')
  expect([thawed.code, thawed.stdout, isFrozen(root)]).toEqual([0, 'thawed\n', false])
  expect((await mm(root.path, 'thaw')).code).toBe(0)
})

it('freeze --all is a freeze of everything, also over an earlier freeze', async () => {
  const root = rootWith()
  await mm(root.path, 'freeze')
  expect((await mm(root.path, 'freeze', '--all')).stdout).toContain('file edits included')
  expect(root.read('runtime/FREEZE')).toMatch(/\ball\b/)
})

it('a reason is kept in the file and cannot turn a freeze into one of everything', async () => {
  const root = rootWith()
  await mm(root.path, 'freeze', '--reason', 'release day, all hands busy')
  expect(root.read('runtime/FREEZE')).toContain('release day')
  expect(root.read('runtime/FREEZE')).not.toMatch(/\ball\b/)
})

it('freeze and thaw print JSON with --json', async () => {
  const root = rootWith()
  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await mm(root.path, ...args, '--json')).stdout)
  expect(await json('freeze')).toEqual({ frozen: 'self' })
  expect(await json('freeze', '--all')).toEqual({ frozen: 'all' })
  expect(await json('thaw')).toEqual({ frozen: 'none' })
})

it('freeze outside a root exits with 1 and writes nothing', async () => {
  const folder = join(rootWith().path, 'nowhere')
  const { code, stderr } = await mm(folder, 'freeze')
  expect(code).toBe(1)
  expect(stderr).toContain('configs/')
  expect(existsSync(folder)).toBe(false)
})

it('status shows the freeze of a running system, its scope, and its end', async () => {
  const root = rootWith({ 'configs/http.yml': 'prog: services/http\nport: 0\n' })
  const system = await startProcess(root)
  running.push(system)
  const shown = async (): Promise<string | undefined> =>
    /^frozen +(\w+)$/m.exec((await mm(root.path, 'status')).stdout)?.[1]
  expect(await shown()).toBe('none')
  for (const [args, scope] of [
    [['freeze'], 'self'],
    [['freeze', '--all'], 'all'],
    [['thaw'], 'none'],
  ] as const) {
    await mm(root.path, ...args)
    await expect.poll(shown, { timeout: 10_000 }).toBe(scope)
  }
  await system.line(/frozen \(self\)/)
  await system.line(/frozen \(all\)/)
  await system.line(/thawed/)
})

it('over HTTP the answer comes when the freeze holds, and it is the same file', async () => {
  const root = rootWith({
    'configs/http.yml': 'prog: services/http\nport: 0\ntokens: {deputy: {token: "secret:deputy", scope: admin}}\n',
    'runtime/secrets/deputy': `${DEPUTY}\n`,
  })
  chmodSync(join(root.path, 'runtime/secrets/deputy'), 0o600)
  const system = await startProcess(root)
  running.push(system)
  const frozen = async (): Promise<unknown> => (await system.api('GET', '/api/kernel')).body['frozen']
  const told = await system.api('POST', '/api/freeze', { reason: 'release day, all hands busy' })
  expect([told.body, await frozen()]).toEqual([{ frozen: 'self' }, 'self'])
  expect(root.read('runtime/FREEZE')).toBe('self\nrelease day, every hands busy\n')
  expect((await system.api('POST', '/api/freeze', { scope: 'all' })).body).toEqual({ frozen: 'all' })
  const deputy = await fetch(`${system.url}/api/thaw`, {
    method: 'POST',
    headers: { authorization: `Bearer ${DEPUTY}` },
  })
  expect([((await deputy.json()) as { error: { code: string } }).error.code, isFrozen(root)]).toEqual([
    'operator_only',
    true,
  ])
  expect((await system.api('POST', '/api/thaw')).body).toEqual({ frozen: 'none' })
  expect([isFrozen(root), await frozen()]).toEqual([false, 'none'])
})
