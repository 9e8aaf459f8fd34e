/** The filesystem service: whole reads and writes inside the root, and nothing outside it. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { FilesystemApi } from '../../modules/contracts/services.ts'
import { shortHash } from '../../modules/lib/hash.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
let files: Handle<FilesystemApi>

beforeEach(async () => {
  system = await startSystem({
    'configs/filesystem.yml': 'prog: services/filesystem\nbytes_max: 1000\nentries_max: 20\nmatches_max: 5\n',
    'notes/a.txt': 'one\ntwo needle\nthree\n',
    'notes/deep/b.txt': 'needle ä\n',
    'notes/deep/c.bin': 'needle\0needle',
    'notes/large.txt': `${'x'.repeat(995)} needle`,
  })
  files = system.getApi<FilesystemApi>('filesystem')
})
afterEach(() => system.stop())

const at = (path: string): string => join(system.root.path, path)
const METHODS = 'delete_file edit_file list_files move_file read_file search_files write_file write_files'.split(' ')
const readCode = async (path: string): Promise<string> => (await rejection(files.read_file(path))).code

describe('reading', () => {
  it('gives the content, the size and the path from the root', async () => {
    const bytes = Buffer.byteLength('needle ä\n')
    const content = 'needle ä\n'
    const expected = { path: 'notes/deep/b.txt', content, bytes, truncated: false, hash: shortHash(content) }
    for (const path of ['notes/deep/b.txt', './notes//deep/./b.txt', 'notes/deep/../deep/b.txt']) {
      expect(await files.read_file(path)).toEqual(expected)
    }
  })

  it('gives a part of a file, and says that it is one', async () => {
    expect(await files.read_file('notes/a.txt', { offset: 4, limit: 3 })).toMatchObject({
      content: 'two',
      truncated: true,
    })
    expect(await files.read_file('notes/a.txt', { offset: 15 })).toMatchObject({ content: 'three\n', truncated: false })
    expect(await files.read_file('notes/a.txt', { offset: 999 })).toMatchObject({ content: '', truncated: false })
  })

  it('refuses a file over the limit as a whole, but gives parts of it', async () => {
    const error = await rejection(files.read_file('notes/large.txt'))
    expect(error).toMatchObject({ code: 'file_too_large', message: expect.stringContaining('1002') as string })
    expect(await files.read_file('notes/large.txt', { offset: 996, limit: 100 })).toMatchObject({ content: 'needle' })
  })

  it('tells a missing file, a folder and something that is no file apart', async () => {
    execFileSync('mkfifo', [at('notes/pipe')])
    expect(await readCode('notes/none.txt')).toBe('file_missing')
    expect(await readCode('notes')).toBe('file_kind')
    expect(await readCode('notes/pipe')).toBe('file_kind')
    expect(await readCode('notes/a.txt/more')).toBe('file_kind')
  })

  it('refuses a binary file instead of giving broken text', async () => {
    writeFileSync(at('notes/image.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe, 0]))
    expect(await readCode('notes/image.png')).toBe('file_kind')
  })

  it('refuses what is no path', async () => {
    for (const path of [undefined, 5, {}, 'a\0b']) expect(await readCode(path as never)).toBe('bad_arguments')
  })
})

describe('writing', () => {
  it('makes a file and its folders, and replaces it whole', async () => {
    expect(await files.write_file('new/folder/x.txt', 'first ä')).toEqual({ path: 'new/folder/x.txt', bytes: 8 })
    await files.write_file('new/folder/x.txt', 'second')
    expect(readFileSync(at('new/folder/x.txt'), 'utf8')).toBe('second')
  })

  it('leaves no other file beside, after many writes and after failed ones', async () => {
    for (let step = 0; step < 30; step++) await files.write_file('out/x.txt', `step ${step}`)
    await files.write_file('out/sub/y.txt', '')
    expect((await rejection(files.write_file('out/sub', 'a folder'))).code).toBe('file_kind')
    expect((await rejection(files.write_file('out/x.txt/z', 'through a file'))).code).toBe('file_kind')
    expect((await rejection(files.write_file('out/big.txt', 'ä'.repeat(501)))).code).toBe('file_too_large')
    expect((await rejection(files.write_file('out/odd.txt', 5 as never))).code).toBe('bad_arguments')
    expect(readdirSync(at('out'))).toEqual(['sub', 'x.txt'])
    expect(readdirSync(at('out/sub'))).toEqual(['y.txt'])
    expect(readFileSync(at('out/x.txt'), 'utf8')).toBe('step 29')
  })

  it('of a config starts the service it asks for', async () => {
    await files.write_file('modules/hello.ts', 'export class Module { greet() { return "hi" } }\n')
    await files.write_file('configs/hello.yml', '')
    await system.live('hello')
    expect(await system.getApi('hello')['greet']?.()).toBe('hi')
  })
})

describe('listing and searching', () => {
  it('list one folder, or everything under it', async () => {
    const { files: direct, truncated } = await files.list_files('notes')
    expect(direct.map(({ path, kind, bytes }) => [path, kind, bytes])).toEqual([
      ['notes/a.txt', 'file', 21],
      ['notes/deep', 'folder', 0],
      ['notes/large.txt', 'file', 1002],
    ])
    expect(truncated).toBe(false)
    const all = await files.list_files('notes', { recursive: true })
    expect(all.files.map(({ path }) => path)).toContain('notes/deep/b.txt')
    expect((await rejection(files.list_files('none'))).code).toBe('file_missing')
    expect((await rejection(files.list_files('notes/a.txt'))).code).toBe('file_kind')
  })

  it('stop at the configured number of entries and say so', async () => {
    for (let index = 0; index < 30; index++) system.root.write(`many/${index}.txt`, 'needle')
    const { files: found, truncated } = await files.list_files('many')
    expect([found.length, truncated]).toEqual([20, true])
    const { matches, truncated: cut } = await files.search_files('needle', 'many')
    expect([matches.length, cut]).toEqual([5, true])
  })

  it('find lines by their text, not in binary files and not in files over the limit', async () => {
    expect(await files.search_files('needle', 'notes')).toEqual({
      matches: [
        { path: 'notes/a.txt', line: 2, text: 'two needle' },
        { path: 'notes/deep/b.txt', line: 1, text: 'needle ä' },
      ],
      truncated: false,
    })
    expect((await files.search_files('n.*dle', 'notes')).matches).toEqual([])
    expect((await rejection(files.search_files(''))).code).toBe('bad_arguments')
  })

  it('of a tree deeper than the limit says that there was more', async () => {
    system.root.write(`${'deep/'.repeat(20)}x.txt`, 'needle')
    expect((await files.list_files('deep', { recursive: true })).truncated).toBe(true)
    expect((await files.search_files('needle', 'deep')).truncated).toBe(true)
  })

  it('of a tree just as large as the limit is not called cut', async () => {
    for (let index = 0; index < 20; index++) system.root.write(`exact/${index}.txt`, 'x')
    expect((await files.list_files('exact')).truncated).toBe(false)
  })
})

describe('what callers can reach', () => {
  it('is the methods of its interface; nothing private, no lifecycle, no constructor', async () => {
    const { methods } = await system.show('filesystem')
    expect(methods.map(({ name }) => name).sort()).toEqual(METHODS)
    const handle = system.getApi('filesystem')
    for (const name of ['_onDisk', '_walk', '__proto', 'getAspect', 'init', 'onDisk', '#onDisk', 'walk']) {
      const error = await rejection(Promise.resolve(handle[name]?.('x')))
      expect([name, error.code]).toEqual([
        name,
        expect.stringMatching(/^(private_member|lifecycle_member|method_not_found)$/),
      ])
    }
    expect(handle['constructor']).toBeUndefined()
  })

  it('as tools is the same, and a tool obeys the same rules', async () => {
    const { tools } = await system.show('filesystem')
    expect(tools.map(({ name }) => name).sort()).toEqual(METHODS.filter((name) => name !== 'write_files'))
    const tool = system.getApi('filesystem').as<Record<'read_file' | 'list_files', (params: object) => unknown>>('tool')
    expect(await tool.read_file({ path: 'notes/a.txt', offset: 0, limit: 3 })).toMatchObject({ content: 'one' })
    expect(await tool.list_files({})).toMatchObject({ path: '.' })
    expect((await rejection(tool.read_file({ path: '.env' }))).code).toBe('path_protected')
    expect((await rejection(tool.read_file({ path: '../x' }))).code).toBe('path_outside')
  })
})
