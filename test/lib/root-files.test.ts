/** The files a root has only one of: the lock that keeps a second system out, the log that turns over, the meta files. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { holderOf, takeLock } from '../../modules/lib/lock.ts'
import { RotatingFile } from '../../modules/lib/log.ts'
import { findMetaFiles, readMeta } from '../../modules/lib/meta-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mm-lib-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'nothing thrown'
}

describe('the lock', () => {
  const path = (): string => join(folder, 'runtime', 'lock')
  const take = (): (() => void) => takeLock(folder, path()).release
  const owner = (): { pid: number; started: string } =>
    JSON.parse(readFileSync(path(), 'utf8')) as { pid: number; started: string }

  it('is taken with its folder, names its owner, is for nobody else to read, and leaves nothing beside', () => {
    const release = take()
    expect(owner().pid).toBe(process.pid)
    expect(statSync(path()).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'runtime'))).toEqual(['lock'])
    release()
    expect(readdirSync(join(folder, 'runtime'))).toEqual([])
  })

  it('is refused while its owner lives, naming it, and is free after it was released', () => {
    const release = take()
    expect(codeOf(take)).toBe('root_in_use')
    expect(() => take()).toThrow(String(process.pid))
    expect(readdirSync(join(folder, 'runtime'))).toEqual(['lock'])
    release()
    take()()
  })

  it('is refused when another process owns it, and taken over when that one was killed', async () => {
    const lock = new URL('../../modules/lib/lock.ts', import.meta.url)
    const script = `import { takeLock } from '${lock.href}'
      takeLock(${JSON.stringify(folder)}, ${JSON.stringify(path())})
      process.stdout.write('taken')
      process.stdin.resume()`
    const other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ended = new Promise((resolve) => other.on('exit', resolve))
    await Promise.race([new Promise((resolve) => other.stdout.once('data', resolve)), ended])
    expect(owner().pid).toBe(other.pid)
    expect(codeOf(take)).toBe('root_in_use')
    other.kill('SIGKILL')
    await ended
    take()
    expect(owner().pid).toBe(process.pid)
  })

  it('of a process whose pid is used again by another program is taken over', () => {
    take()
    writeFileSync(path(), JSON.stringify({ pid: process.pid, started: 'long ago' }))
    take()
    expect(owner().started).not.toBe('long ago')
  })

  it('that is empty or broken is taken over', () => {
    for (const text of ['', '{', '{}', '{"pid": "x"}', 'null', '[]']) {
      take()
      writeFileSync(path(), text)
      take()()
    }
  })

  it('is kept by the system that its owner ran, until that one has ended too', async () => {
    const system = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise((resolve) => system.on('exit', resolve))
    const lock = takeLock(folder, path())
    lock.runs(system.pid ?? 0)
    expect(readdirSync(join(folder, 'runtime'))).toEqual(['lock'])
    expect(holderOf(path())).toEqual({ pid: process.pid, orphan: false })
    writeFileSync(path(), JSON.stringify({ ...owner(), started: 'long ago' }))
    expect(holderOf(path())).toEqual({ pid: system.pid, orphan: true })
    expect(() => take()).toThrow(String(system.pid))
    system.kill('SIGKILL')
    await ended
    expect(holderOf(path())).toBeUndefined()
    take()()
  })

  it('that somebody else took over meanwhile is not released by its first owner', () => {
    const release = take()
    const text = JSON.stringify({ pid: 1, started: 'x' })
    writeFileSync(path(), text)
    release()
    expect(readFileSync(path(), 'utf8')).toBe(text)
  })
})

describe('the log file', () => {
  const path = (): string => join(folder, 'logs', 'mm.log')
  const files = (): string[] => readdirSync(join(folder, 'logs')).sort((a, b) => (a < b ? -1 : 1))

  it('turns over before it exceeds its limit, and no line is lost or cut', () => {
    const log = new RotatingFile(path(), 16, 3)
    for (const line of ['one\n', 'two\n', 'three is long\n', 'four\n']) log.write(line)
    expect(files()).toEqual(['mm.log', 'mm.log.1', 'mm.log.2'])
    const texts = files().map((name) => readFileSync(join(folder, 'logs', name), 'utf8'))
    expect(texts).toEqual(['four\n', 'three is long\n', 'one\ntwo\n'])
  })

  it('keeps only the newest files', () => {
    const log = new RotatingFile(path(), 10, 2)
    for (let line = 0; line < 10; line++) log.write(`line ${line}\n`)
    expect(files()).toEqual(['mm.log', 'mm.log.1', 'mm.log.2'])
    expect(files().map((name) => readFileSync(join(folder, 'logs', name), 'utf8'))).toEqual([
      'line 9\n',
      'line 8\n',
      'line 7\n',
    ])
  })

  it('counts bytes, so that no file exceeds its limit in any language', () => {
    const log = new RotatingFile(path(), 30, 9)
    for (let line = 0; line < 20; line++) log.write(`ä€${'日'.repeat(line % 5)}\n`)
    for (const name of files()) expect(statSync(join(folder, 'logs', name)).size).toBeLessThanOrEqual(30)
  })

  it('goes on where it was after a restart', () => {
    new RotatingFile(path(), 10, 2).write('12345678\n')
    new RotatingFile(path(), 10, 2).write('next\n')
    expect(readFileSync(path(), 'utf8')).toBe('next\n')
    expect(readFileSync(`${path()}.1`, 'utf8')).toBe('12345678\n')
  })

  it('takes a line over the limit whole', () => {
    const log = new RotatingFile(path(), 10, 2)
    log.write(`${'x'.repeat(50)}\n`)
    log.write('y\n')
    expect(readFileSync(`${path()}.1`, 'utf8')).toBe(`${'x'.repeat(50)}\n`)
  })

  it('that cannot be written costs the log, not the caller', () => {
    writeFileSync(join(folder, 'logs'), 'a file where the folder should be')
    const log = new RotatingFile(path(), 10, 2)
    expect(() => log.write('x\n')).not.toThrow()
    expect(existsSync(path())).toBe(false)
  })
})

describe('the meta files', () => {
  const found = (...names: string[]): string[] =>
    findMetaFiles('/root', { list: () => names }).map(({ path }) => path.replace('configs/', ''))

  it('come newest first, whatever order the disk gives', () => {
    const right = [
      'meta-v2.yml',
      'meta-v1.10.0.yaml',
      'meta-v1.9.yml',
      'meta-v1.0.0.yml',
      'meta-v1.0.0-beta.yml',
      'meta.yml',
    ]
    expect(found(...right)).toEqual(right)
    expect(found(...[...right].reverse())).toEqual(right)
  })

  it('are told apart from services and from files that are off', () => {
    expect(
      found('.meta-v9.yml', 'api.yml', 'meta-v1.yml', 'meta-v1.yml.bak', 'mymeta.yml', 'meta.json', 'services'),
    ).toEqual(['meta-v1.yml'])
    expect(found()).toEqual([])
  })

  it('whose version cannot be read come last, so that a slip does not cost the only kernel', () => {
    expect(found('meta-v1.0.0.1.yml', 'meta.yml', 'meta-v1.yml')).toEqual([
      'meta-v1.yml',
      'meta.yml',
      'meta-v1.0.0.1.yml',
    ])
    expect(found('meta-v01.yml')).toEqual(['meta-v01.yml'])
  })

  it('of other names that begin with meta are ordered by version too', () => {
    expect(found('meta-test-v1.yml', 'meta-v2.yml', 'meta-a-v3.yml')).toEqual([
      'meta-a-v3.yml',
      'meta-v2.yml',
      'meta-test-v1.yml',
    ])
  })

  it('are maps that name their kernel; anything else is an error with its place', () => {
    expect(readMeta('configs/meta.yml', 'prog: kernel\ndefaults: {a: 1}\n')).toEqual({
      prog: 'kernel',
      defaults: { a: 1 },
    })
    for (const [text, code] of [
      ['', 'config_not_map'],
      ['- a\n', 'config_not_map'],
      ['just text', 'config_not_map'],
      ['defaults: {}\n', 'config_key'],
      ['prog: 5\n', 'config_key'],
      ['prog: [\n', 'config_syntax'],
      ['a: 1\na: 2\n', 'config_syntax'],
    ] as const) {
      expect([text, codeOf(() => readMeta('configs/meta.yml', text))]).toEqual([text, code])
    }
    expect(() => readMeta('configs/meta.yml', 'a: 1\nprog: [\n')).toThrow(
      expect.objectContaining({ file: 'configs/meta.yml', line: 3 }),
    )
  })
})
