/** When a version is kept as last good, how much, and what is removed. */
import { expect, it } from 'vitest'
import type { FileSystem } from '../../modules/contracts/seams.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { meta, namesIn, say, saying, useRestarts } from '../support/restarts.ts'

const on = useRestarts()

it('a version is kept when it has served for its time of proof, and only then', async () => {
  on.put({ ...meta('fresh_ms: 400'), 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  const system = await on.start()
  const { liveAt } = system.kernel.services.get('x')?.live ?? {}
  await expect.poll(on.kept, { interval: 5 }).toEqual(['x'])
  expect(performance.now() - (liveAt ?? 0)).toBeGreaterThanOrEqual(400)
  const first = on.recordOf('x')
  on.root.write('modules/x.ts', saying('two'))
  await system.live('x', 2)
  const second = system.kernel.services.get('x')?.live?.liveAt ?? 0
  await expect.poll(() => on.recordOf('x') === first, { interval: 5 }).toBe(false)
  expect(performance.now() - second).toBeGreaterThanOrEqual(400)
  await expect.poll(() => on.texts().length).toBe(1)
})

it('an orderly stop keeps what serves well, with its config as written and no secret filled in', async () => {
  process.env['LAST_GOOD_TEST'] = 'a secret value'
  on.put({
    'configs/x.yml': 'key: ${LAST_GOOD_TEST} # by whom?\n',
    'modules/x.ts': saying('one'),
    'configs/sick.yml': '',
    'modules/sick.ts': saying('sick', "  async run() { throw new Error('again') }\n"),
  })
  const system = await on.start()
  await system.happened('service.restarting', (data) => data['api'] === 'sick')
  await on.stop(system)
  delete process.env['LAST_GOOD_TEST']
  expect(on.kept()).toEqual(['x'])
  expect(on.recordOf('x')).toContain('by whom?')
  expect(on.recordOf('x')).toContain('${LAST_GOOD_TEST}')
  expect(on.recordOf('x')).not.toContain('a secret value')
})

it('texts are shared, what nothing names is removed, and what has gone takes its own along', async () => {
  on.put({
    ...meta('fresh_ms: 100'),
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/a.ts': `export { Module } from './shared.ts'\nexport const only = 'a'\n`,
    'modules/b.ts': `export { Module } from './shared.ts'\nexport const only = 'b'\n`,
    'modules/shared.ts': saying('shared'),
    'runtime/last-good/half-written.json.123': '{"form',
    'runtime/last-good/texts/0123456789abcdef.456': 'export',
  })
  const system = await on.start()
  await expect.poll(() => [on.kept(), on.texts().length]).toEqual([['a', 'b'], 3])
  expect(namesIn(on.folder).filter((name) => name.includes('half'))).toEqual([])
  on.root.remove('configs/a.yml')
  await expect.poll(() => [on.kept(), on.texts().length]).toEqual([['b'], 2])
  on.root.write('configs/b.yml', 'enabled: false\n')
  await expect.poll(() => [on.kept(), on.texts().length]).toEqual([[], 0])
  await on.stop(system)
})

it('what a config cannot be read of is not gone', async () => {
  on.put({ ...meta('fresh_ms: 100'), 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  await on.stop(await on.start())
  on.root.write('configs/x.yml', 'a: [')
  const system = await on.start()
  await system.happened('service.last_good')
  on.put({ 'configs/y.yml': 'prog: x\n' })
  await expect.poll(on.kept).toEqual(['x', 'y'])
  expect(await say(system)).toBe('one')
})

it('there is a limit for one version and for all of them; what is beyond is told once, and the one before stays', async () => {
  on.put({
    ...meta('fresh_ms: 60, last_good_chars_max: 400, last_good_total_chars_max: 600'),
    'configs/a.yml': '',
    'modules/a.ts': saying('a'),
  })
  const system = await on.start()
  await expect.poll(on.kept).toEqual(['a'])
  const first = on.recordOf('a')
  on.root.write('modules/a.ts', saying('large', `// ${'x'.repeat(400)}\n`))
  await system.live('a', 2)
  const told = (): string[] => system.log.map((line) => line.message).filter((text) => text.includes('not kept'))
  await expect.poll(told).toEqual([expect.stringMatching(/^a {2}is not kept as last good: its 4\d\d characters are/)])
  expect(on.recordOf('a')).toBe(first)
  for (const api of ['b', 'c'])
    on.put({ [`configs/${api}.yml`]: '', [`modules/${api}.ts`]: saying(api, `// ${'x'.repeat(250)}\n`) })
  await expect.poll(() => [on.kept().length, told().length]).toEqual([2, 2])
})

it('a disk that takes no writes is told once, calls go on, and it is tried again when there is room', async () => {
  on.put({ ...meta('fresh_ms: 60'), 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  let full = true
  const fs: FileSystem = {
    ...realFileSystem,
    writeLater: (path, text, options) =>
      full
        ? Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
        : realFileSystem.writeLater(path, text, options),
  }
  const system = await on.start({ fs })
  const told = (): unknown[] => system.log.filter((line) => line.message.includes('last-good'))
  await expect.poll(told).toEqual([expect.objectContaining({ level: 'warn', code: 'disk_full' })])
  expect([on.kept(), await say(system)]).toEqual([[], 'one'])
  full = false
  await expect.poll(on.kept).toEqual(['x'])
  expect(told()).toHaveLength(1)
})

it('a kernel that is paused keeps nothing; when it goes on, it does', async () => {
  on.put({ ...meta('fresh_ms: 1500'), 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  let looks = 0
  const stat: FileSystem['stat'] = (path) => {
    if (path.endsWith('configs/x.yml')) looks++
    return realFileSystem.stat(path)
  }
  const system = await on.start({ fs: { ...realFileSystem, stat } })
  await system.kernel.pause(1_000)
  expect(on.kept()).toEqual([])
  const pausedAt = performance.now()
  const swept = (): boolean => performance.now() - pausedAt > 1_600 && looks > 10
  await expect.poll(swept, { timeout: 10_000 }).toBe(true)
  expect(on.kept()).toEqual([])
  system.kernel.resume()
  await expect.poll(on.kept).toEqual(['x'])
})
