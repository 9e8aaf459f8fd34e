/** The bell alone, over real files. No sweep runs unless a test asks for one, so what rings here was heard. */
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../modules/kernel/limits.ts'
import { indexLockOf } from '../../modules/kernel/repository.ts'
import { Bell } from '../../modules/kernel/watch.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { BellDriver, ManualClock, silentLog } from '../support/bell.ts'
import { createRoot } from '../support/root.ts'

let driver: BellDriver | undefined
afterEach(() => driver?.dispose())

const started = async (files: Record<string, string>, clock = realClock): Promise<BellDriver> => {
  driver = new BellDriver(files, clock)
  await driver.start()
  return driver
}

describe('is heard at once', () => {
  it('a save in place, by rename, as vim does it, and once more after each', async () => {
    const bell = await started({ 'configs/a.yml': 'old' })
    const saves: [string, (text: string) => void][] = [
      ['in place', (text) => bell.root.write('configs/a.yml', text)],
      ['by rename', (text) => bell.root.writeByRename('configs/a.yml', text)],
      [
        'as vim does it',
        (text) => {
          renameSync(bell.at('configs/a.yml'), bell.at('configs/a.yml~'))
          bell.root.write('configs/a.yml', text)
          bell.root.remove('configs/a.yml~')
        },
      ],
    ]
    for (const [name, save] of [...saves, ...saves.toReversed()]) {
      const text = `${name} ${bell.rings.length}`
      save(text)
      await bell.heard('configs/a.yml', text)
    }
  })

  it('a new file, a removed one, and one that comes back', async () => {
    const bell = await started({})
    for (const text of ['new', undefined, 'again'] as const) {
      if (text === undefined) bell.root.remove('configs/a.yml')
      else bell.root.write('configs/a.yml', text)
      await bell.heard('configs/a.yml', text)
    }
  })

  it('files of a folder that is made, deep down, and what is written there later', async () => {
    const bell = await started({})
    bell.root.write('modules/x/y/z/deep.ts', 'one')
    await bell.heard('modules/x/y/z/deep.ts', 'one')
    bell.root.write('modules/x/y/z/other.ts', 'two')
    await bell.heard('modules/x/y/z/other.ts', 'two')
    bell.root.write('modules/x/y/z/deep.ts', 'three')
    await bell.heard('modules/x/y/z/deep.ts', 'three')
  })

  it('files of a folder that is moved in, moved inside, and moved out', async () => {
    const bell = await started({ 'outside/in/a.yml': 'a', 'outside/in/b.yml': 'b' })
    bell.move('outside/in', 'configs/in')
    await bell.heard('configs/in/a.yml', 'a')
    await bell.heard('configs/in/b.yml', 'b')
    bell.knows('configs/in/a.yml', 'configs/in/b.yml')
    bell.move('configs/in', 'configs/deeper')
    await bell.heard('configs/in/a.yml', undefined)
    await bell.heard('configs/deeper/b.yml', 'b')
    bell.root.write('configs/deeper/b.yml', 'changed')
    await bell.heard('configs/deeper/b.yml', 'changed')
  })

  it('a folder that is replaced within one breath, and every save in it from then on', async () => {
    const bell = await started({ 'configs/in/a.yml': 'a' })
    for (const round of [1, 2]) {
      rmSync(bell.at('configs/in'), { recursive: true })
      bell.root.write('configs/in/a.yml', `replaced ${round}`)
      await bell.heard('configs/in/a.yml', `replaced ${round}`)
      bell.root.write('configs/in/a.yml', `saved ${round}`)
      await bell.heard('configs/in/a.yml', `saved ${round}`)
    }
  })

  it('a link that leads round and round is not followed for ever', async () => {
    const bell = await started({ 'configs/in/a.yml': 'a' })
    symlinkSync(bell.at('configs'), bell.at('configs/in/loop'))
    bell.root.write('configs/in/a.yml', 'b')
    await bell.heard('configs/in/a.yml', 'b')
    expect(Math.max(...bell.rings.map(([path]) => path.split('/').length))).toBeLessThan(8)
  })
})

/** Lets the clock and the loop run on, step by step, until `done` or `count` steps are over. */
async function letPass(clock: ManualClock, count: number, ms: number, done = () => false): Promise<void> {
  for (let turn = 0; turn < count && !done(); turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(ms)
  }
}

describe('has come to rest', () => {
  it('a rename at once, without any time passing', async () => {
    const clock = new ManualClock()
    const bell = await started({ 'configs/a.yml': 'old' }, clock)
    bell.root.writeByRename('configs/a.yml', 'new')
    await bell.heard('configs/a.yml', 'new')
    expect(clock.monotonic()).toBe(0)
  })

  it('a write in place when its stamp has not moved for a while: no half of it is told', async () => {
    const clock = new ManualClock()
    const bell = await started({ 'configs/a.yml': 'old' }, clock)
    writeFileSync(bell.at('configs/a.yml'), 'first, ')
    await clock.armed(LIMITS.write_quiet_ms)
    clock.advance(LIMITS.write_quiet_ms - 1)
    appendFileSync(bell.at('configs/a.yml'), 'second')
    await clock.armed(LIMITS.write_quiet_ms)
    clock.advance(LIMITS.write_quiet_ms)
    await bell.heard('configs/a.yml', 'first, second')
    expect(bell.told('configs/a.yml')).toEqual(['first, second'])
  })

  it('a file made anew in the place of another is no rename: half of it is not told either', async () => {
    const clock = new ManualClock()
    const bell = await started({ 'configs/a.yml': 'old' }, clock)
    renameSync(bell.at('configs/a.yml'), bell.at('configs/a.yml~'))
    writeFileSync(bell.at('configs/a.yml'), 'first, ')
    await clock.armed(LIMITS.write_quiet_ms)
    appendFileSync(bell.at('configs/a.yml'), 'second')
    await clock.armed(LIMITS.write_quiet_ms)
    clock.advance(LIMITS.write_quiet_ms)
    await bell.heard('configs/a.yml', 'first, second')
    expect(bell.told('configs/a.yml')).toEqual(['first, second'])
  })

  it('an empty file later than others: it is mostly the beginning of a write', async () => {
    const clock = new ManualClock()
    const bell = await started({ 'configs/a.yml': 'old' }, clock)
    writeFileSync(bell.at('configs/a.yml'), '')
    await clock.armed(LIMITS.file_grace_ms)
    clock.advance(LIMITS.file_grace_ms)
    await bell.heard('configs/a.yml', '')
  })

  it('a burst as one batch, when it is quiet', async () => {
    const clock = new ManualClock()
    const names = Array.from({ length: 50 }, (_none, index) => `configs/s${index}.yml`)
    const bell = await started(Object.fromEntries(names.map((name) => [name, 'old'])), clock)
    for (const name of names) bell.root.writeByRename(name, 'new')
    await letPass(clock, 4, 1)
    expect(bell.rings).toEqual([])
    await letPass(clock, 100, 5, () => bell.batches.length > 0)
    expect(names.every((name) => bell.batches[0]?.has(bell.at(name)))).toBe(true)
    expect(bell.batches.length).toBe(1)
  })
})

describe('while git holds its lock', () => {
  it('a burst is not over, however long it is quiet', async () => {
    const clock = new ManualClock()
    const names = Array.from({ length: 10 }, (_none, index) => `configs/s${index}.yml`)
    const bell = await started(Object.fromEntries(names.map((name) => [name, 'old'])), clock)
    bell.root.write('index.lock', '')
    for (const name of names) bell.root.writeByRename(name, 'new')
    await letPass(clock, 40, LIMITS.burst_quiet_ms)
    expect(bell.rings).toEqual([])
    bell.root.remove('index.lock')
    await letPass(clock, 100, LIMITS.burst_quiet_ms, () => bell.batches.length > 0)
    expect(bell.batches.length).toBe(1)
  })

  it('the lock is found from a folder in the repository, and in a linked worktree', () => {
    const root = createRoot({
      '.git/HEAD': '',
      'app/configs/a.yml': '',
      'linked/.git': 'gitdir: ../.git/worktrees/one\n',
    })
    const lock = (folder: string): string | undefined => indexLockOf(join(root.path, folder), realFileSystem)
    expect(lock('app')).toBe(join(root.path, '.git/index.lock'))
    expect(lock('linked')).toBe(join(root.path, '.git/worktrees/one/index.lock'))
    root.dispose()
  })
})

describe('a sweep', () => {
  const unwatched = (files: Record<string, string>): BellDriver => {
    driver = new BellDriver(files, realClock, [])
    return driver
  }

  it('finds what changed, went, came, and stands new in configs/, and nothing else', async () => {
    const bell = unwatched({ 'configs/a.yml': 'a', 'configs/b.yml': 'b', 'modules/m.ts': 'm', 'modules/n.ts': 'n' })
    bell.knows('configs/a.yml', 'configs/b.yml', 'modules/m.ts', 'modules/n.ts', 'modules/missing.ts')
    bell.root.remove('configs/a.yml')
    bell.root.write('modules/m.ts', 'changed')
    bell.root.write('modules/missing.ts', 'there')
    bell.root.write('configs/deep/er/new.yml', 'new')
    bell.root.write('configs/deep/notes.txt', 'notes')
    bell.root.write('modules/unknown.ts', 'nobody asked')
    void bell.bell.sweep()
    await bell.heard('configs/deep/er/new.yml', 'new')
    await bell.heard('modules/m.ts', 'changed')
    await bell.heard('modules/missing.ts', 'there')
    await bell.heard('configs/a.yml', undefined)
    expect(new Set(bell.rings.map(([path]) => path.slice(bell.root.path.length + 1)))).toEqual(
      new Set(['configs/a.yml', 'configs/deep/er/new.yml', 'modules/m.ts', 'modules/missing.ts']),
    )
  })

  it('of many files lets others have their turn', async () => {
    const files = Object.fromEntries(Array.from({ length: 10 }, (_none, index) => [`modules/m${index}.ts`, '']))
    const bell = unwatched(files)
    bell.knows(...Object.keys(files))
    let turns = 0
    const limits = { ...LIMITS, sweep_slice_files: 2 }
    const clock = { ...realClock, soon: (callback: () => void) => realClock.soon(() => (turns++, callback())) }
    const known = (): Iterable<readonly [string, string]> => bell.known
    const many = new Bell({
      fs: realFileSystem,
      clock,
      limits,
      log: silentLog,
      folders: [],
      configs: bell.at('nowhere'),
      lock: undefined,
      known,
      ready: () => {},
      swept: () => {},
    })
    await many.sweep()
    expect(turns).toBeGreaterThanOrEqual(5)
    await many.close()
  })

  it('ends when the bell is closed, and is not told', async () => {
    const bell = unwatched({ 'configs/a.yml': 'a' })
    const swept = bell.bell.sweep()
    await bell.bell.close()
    await swept
    expect(bell.sweeps).toBe(0)
  })
})

it('a folder that is made and removed at once is nothing', async () => {
  const bell = await started({})
  mkdirSync(join(bell.root.path, 'configs/short'))
  rmSync(join(bell.root.path, 'configs/short'), { recursive: true })
  bell.root.write('configs/a.yml', 'a')
  await bell.heard('configs/a.yml', 'a')
})
