/** What the filesystem service keeps closed: everything outside the root, secrets, and the system's own code. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { FilesystemApi } from '../../modules/contracts/services.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
let files: Handle<FilesystemApi>
/** A folder beside the root, with a file nobody may reach. */
let outside: string

beforeEach(async () => {
  outside = mkdtempSync(join(tmpdir(), 'mm-outside-'))
  writeFileSync(join(outside, 'secret.txt'), 'outside')
  system = await startSystem({ 'configs/filesystem.yml': 'prog: services/filesystem\n', 'notes/a.txt': 'one\n' })
  files = system.getApi<FilesystemApi>('filesystem')
})
afterEach(async () => {
  await system.stop()
  rmSync(outside, { recursive: true, force: true })
})

const at = (path: string): string => join(system.root.path, path)
const readCode = async (path: string): Promise<string> => (await rejection(files.read_file(path))).code
const writeCode = async (path: string): Promise<string> => (await rejection(files.write_file(path, 'changed'))).code

describe('the root cannot be left', () => {
  it('by dots or by absolute paths', async () => {
    for (const path of [
      join(outside, 'secret.txt'),
      '../x',
      'notes/../../x',
      '/etc/passwd',
      '..',
      '/',
      `${system.root.path}-other/x`,
    ]) {
      expect([path, await readCode(path)]).toEqual([path, 'path_outside'])
      expect([path, await writeCode(path)]).toEqual([path, 'path_outside'])
      expect([path, (await rejection(files.list_files(path))).code]).toEqual([path, 'path_outside'])
      expect([path, (await rejection(files.search_files('x', path))).code]).toEqual([path, 'path_outside'])
    }
  })

  it('by a link to a file, to a folder, or to a link', async () => {
    symlinkSync(join(outside, 'secret.txt'), at('notes/file-link'))
    symlinkSync(outside, at('notes/folder-link'))
    symlinkSync(at('notes/folder-link'), at('notes/second-link'))
    for (const path of [
      'notes/file-link',
      'notes/folder-link/secret.txt',
      'notes/folder-link/new.txt',
      'notes/second-link/secret.txt',
    ]) {
      expect([path, await readCode(path)]).toEqual([path, 'path_outside'])
      expect([path, await writeCode(path)]).toEqual([path, 'path_outside'])
    }
    expect((await rejection(files.list_files('notes/folder-link'))).code).toBe('path_outside')
    const listed = (await files.list_files('notes', { recursive: true })).files.map(({ path }) => path)
    expect(listed.filter((path) => path.includes('link'))).toEqual([])
    expect((await files.search_files('outside')).matches).toEqual([])
    expect(readdirSync(outside)).toEqual(['secret.txt'])
  })

  it('by a link to something that is not there yet', async () => {
    symlinkSync(join(outside, 'later.txt'), at('notes/later.txt'))
    symlinkSync(join(outside, 'later'), at('notes/later'))
    await files.write_file('notes/later.txt', 'x').catch(() => undefined)
    await files.write_file('notes/later/x.txt', 'x').catch(() => undefined)
    expect(await readCode('notes/later/x.txt')).not.toBe('')
    expect(readdirSync(outside)).toEqual(['secret.txt'])
  })

  it('and a link that stays inside is followed', async () => {
    symlinkSync('a.txt', at('notes/inside-link'))
    expect(await files.read_file('notes/inside-link')).toMatchObject({ path: 'notes/a.txt', bytes: 4 })
  })
})

describe('secrets', () => {
  const SECRETS = [
    '.env',
    '.env.local',
    'modules/.env',
    'runtime/token',
    'runtime/secrets/key',
    'runtime/http.json',
    '.git/config',
    'notes/own.pem',
    '.npmrc',
  ]
  beforeEach(() => {
    for (const path of SECRETS) system.root.write(path, 'needle-of-secrets')
  })

  it.each(SECRETS)('%s can be neither read nor written, in any spelling', async (path) => {
    for (const spelled of [path, path.toUpperCase(), `./${path}`, `notes/../${path}`, path.replace('/', '//')]) {
      expect([spelled, await readCode(spelled)]).toEqual([spelled, 'path_protected'])
      expect([spelled, await writeCode(spelled)]).toEqual([spelled, 'path_protected'])
    }
    symlinkSync(at(path), at('notes/harmless.txt'))
    expect(await readCode('notes/harmless.txt')).toBe('path_protected')
    expect(readFileSync(at(path), 'utf8')).toBe('needle-of-secrets')
  })

  it('are in no list and in no search', async () => {
    expect((await files.search_files('needle-of-secrets')).matches).toEqual([])
    for (const folder of ['.', 'runtime', 'modules', 'notes']) {
      const listed = (await files.list_files(folder, { recursive: true })).files.map(({ path }) => path)
      expect(listed.filter((path) => SECRETS.includes(path))).toEqual([])
    }
    expect((await rejection(files.list_files('runtime/secrets'))).code).toBe('path_protected')
  })

  it('behind a link to their folder stay closed', async () => {
    symlinkSync(at('runtime'), at('notes/link'))
    expect(await readCode('notes/link/token')).toBe('path_protected')
    expect(await readCode('notes/link/secrets/key')).toBe('path_protected')
  })
})

describe('guarded places can be read, not written', () => {
  const GUARDED = `
    run.ts package.json package-lock.json tsconfig.json bin/mm.js cli/main.ts test/x.test.ts
    modules/kernel/kernel.ts modules/kernel/new/x.ts modules/loader/x.ts modules/lib/x.ts modules/contracts/x.ts
    modules/bracket/x.ts modules/control/policy.ts modules/own/node_modules/zod/index.js node_modules/zod/index.js
    configs/meta-v9.9.9.yml configs/meta.yaml configs/control/policy.yml runtime/FREEZE runtime/data.db`
    .trim()
    .split(/\s+/)
  it.each(GUARDED)('%s', async (path) => {
    for (const spelled of [path, path.toUpperCase(), `notes/../${path}`]) {
      expect([spelled, await writeCode(spelled)]).toEqual([spelled, 'path_protected'])
      expect(existsSync(at(spelled))).toBe(false)
    }
    system.root.write(path.replace(/\.yml|\.yaml/, '.txt'), 'readable')
    expect(await files.read_file(path.replace(/\.yml|\.yaml/, '.txt'))).toMatchObject({ content: 'readable' })
  })

  it('and a link to one of them does not help', async () => {
    mkdirSync(at('modules/kernel'))
    symlinkSync(at('modules/kernel'), at('notes/open'))
    expect(await writeCode('notes/open/kernel.ts')).toBe('path_protected')
    expect(readdirSync(at('modules/kernel'))).toEqual([])
  })

  it('runtime/files is the place where modules may write', async () => {
    expect(await files.write_file('runtime/files/report.txt', 'x')).toMatchObject({ path: 'runtime/files/report.txt' })
  })
})
