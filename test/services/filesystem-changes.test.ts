/** Changes of files by somebody who has read them: all or none, nothing unseen, and each can be taken back. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { FilesystemApi } from '../../modules/contracts/services.ts'
import { putAside } from '../../modules/services/filesystem/changes.ts'
import { rejection } from '../support/system.ts'
import { errorOf, startTools, valueOf, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
let files: Handle<FilesystemApi>

beforeEach(async () => {
  system = await startTools('{}', '', {
    'configs/filesystem.yml': 'prog: services/filesystem\nbytes_max: 1000\ndeleted_kept_max: 3\n',
    'notes/a.txt': 'one\ntwo\nthree\n',
    'notes/b.txt': 'b',
  })
  files = system.getApi<FilesystemApi>('filesystem')
})
afterEach(() => system.stop())

const at = (path: string): string => join(system.root.path, path)
const hashOf = async (path: string): Promise<string> => (await files.read_file(path)).hash ?? ''
const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code

describe('a batch', () => {
  it('writes, replaces and deletes, and says the hashes before and after', async () => {
    const before = await hashOf('notes/a.txt')
    const [written, replaced, deleted] = await files.write_files([
      { path: 'new/c.txt', content: 'c', base: null },
      { path: 'notes/a.txt', content: 'other', base: before },
      { path: 'notes/b.txt', content: null },
    ])
    expect([written?.before, replaced?.before, deleted?.hash]).toEqual([null, before, null])
    expect([written?.hash, replaced?.hash]).toEqual([await hashOf('new/c.txt'), await hashOf('notes/a.txt')])
    expect(existsSync(at('notes/b.txt'))).toBe(false)
  })

  it.each([
    [
      'a file that is not what was read',
      { path: 'notes/a.txt', content: 'x', base: '0000000000000000' },
      'file_changed',
    ],
    ['a file that must not be there', { path: 'notes/a.txt', content: 'x', base: null }, 'file_changed'],
    ['a file that must be there', { path: 'none.txt', content: 'x', base: '0000000000000000' }, 'file_changed'],
    ['a file to delete that is not there', { path: 'none.txt', content: null }, 'file_missing'],
    ['a protected path', { path: 'run.ts', content: 'x' }, 'path_protected'],
    ['a path outside', { path: '../x', content: 'x' }, 'path_outside'],
    ['too much', { path: 'x.txt', content: 'x'.repeat(1001) }, 'file_too_large'],
    ['a folder', { path: 'notes', content: 'x' }, 'file_kind'],
    ['a file under a file', { path: 'notes/a.txt/x', content: 'x' }, 'file_kind'],
    ['no text', { path: 'x.txt', content: 5 as never }, 'bad_arguments'],
  ])('with %s changes nothing', async (_name, change, code) => {
    const good = { path: 'notes/b.txt', content: 'changed' }
    expect(await codeOf(files.write_files([good, change]))).toBe(code)
    expect([readFileSync(at('notes/a.txt'), 'utf8'), readFileSync(at('notes/b.txt'), 'utf8')]).toEqual([
      'one\ntwo\nthree\n',
      'b',
    ])
  })

  it('that fails on the disk half-way is taken back', async () => {
    const changes = [
      { path: 'notes/b.txt', content: 'changed' },
      { path: 'fresh.txt', content: 'a file' },
      { path: 'fresh.txt/more.txt', content: 'where that would have to be a folder' },
    ]
    expect(await codeOf(files.write_files(changes))).toBe('file_kind')
    expect([readFileSync(at('notes/b.txt'), 'utf8'), existsSync(at('fresh.txt'))]).toEqual(['b', false])
  })

  it('has a limit, and no file twice', async () => {
    expect(await codeOf(files.write_files([]))).toBe('bad_arguments')
    const many = Array.from({ length: 51 }, (_, index) => ({ path: `many/${index}`, content: 'x' }))
    expect(await codeOf(files.write_files(many))).toBe('bad_arguments')
    const twice = ['x.txt', './x.txt'].map((path) => ({ path, content: 'x' }))
    expect(await codeOf(files.write_files(twice))).toBe('bad_arguments')
  })

  it('leaves a file that is no text alone', async () => {
    writeFileSync(at('notes/image.png'), Buffer.from([0x89, 0x50, 0xff, 0xfe]))
    expect(await codeOf(files.write_files([{ path: 'notes/image.png', content: 'x' }]))).toBe('file_kind')
  })
})

describe('an edit', () => {
  it('replaces the piece that stands there once, and says where', async () => {
    const result = await system.tools.invoke('filesystem_edit_file', {
      path: 'notes/a.txt',
      old_text: 'two\n',
      new_text: '2\n$& $1\n',
    })
    expect(valueOf(result)).toMatchObject({ path: 'notes/a.txt', line: 2, hash: await hashOf('notes/a.txt') })
    expect(readFileSync(at('notes/a.txt'), 'utf8')).toBe('one\n2\n$& $1\nthree\n')
  })

  it.each([
    ['none', 'four', '0 times'],
    ['two', 'e\n', '2 times'],
    ['overlapping ones', 'aa', '2 times'],
  ])('of %s is refused', async (_name, old_text, count) => {
    system.root.write('notes/a.txt', 'one\naaa\nthree\n')
    const result = await system.tools.invoke('filesystem_edit_file', { path: 'notes/a.txt', old_text, new_text: 'x' })
    expect(errorOf(result)).toMatchObject({
      code: 'edit_not_unique',
      message: expect.stringContaining(count) as string,
    })
    expect(readFileSync(at('notes/a.txt'), 'utf8')).toBe('one\naaa\nthree\n')
  })

  it('of a file that has changed since it was read is refused', async () => {
    const base = await hashOf('notes/a.txt')
    system.root.write('notes/a.txt', 'one\ntwo\nfour\n')
    expect(await codeOf(files.edit_file('notes/a.txt', 'two', '2', base))).toBe('file_changed')
    expect(await codeOf(files.edit_file('run.ts', 'a', 'b'))).toMatch(/file_missing|path_protected/)
  })
})

describe('moving and deleting', () => {
  it('go one way and back', async () => {
    expect(await files.move_file('notes/a.txt', 'other/place/a.md')).toEqual({
      from: 'notes/a.txt',
      to: 'other/place/a.md',
    })
    const { kept_at } = valueOf(await system.tools.invoke('filesystem_delete_file', { path: 'other/place/a.md' })) as {
      kept_at: string
    }
    expect(existsSync(at('other/place/a.md'))).toBe(false)
    expect(await system.tools.invoke('filesystem_move_file', { from: kept_at, to: 'notes/a.txt' })).toMatchObject({
      status: 'success',
    })
    expect(readFileSync(at('notes/a.txt'), 'utf8')).toBe('one\ntwo\nthree\n')
  })

  it('never over another file, never a folder, never where writing is refused', async () => {
    system.root.write('modules/kernel/x.ts', 'x')
    system.root.write('.env', 'KEY=1')
    expect(await codeOf(files.move_file('notes/a.txt', 'notes/b.txt'))).toBe('file_exists')
    expect(await codeOf(files.move_file('notes', 'other'))).toBe('file_kind')
    for (const path of ['modules/kernel/x.ts', '.env', 'runtime/token']) {
      expect(await codeOf(files.move_file(path, 'x.txt'))).toBe('path_protected')
      expect(await codeOf(files.move_file('notes/a.txt', path))).toBe('path_protected')
      expect(await codeOf(files.delete_file(path))).toBe('path_protected')
    }
    expect(await codeOf(files.delete_file('none.txt'))).toBe('file_missing')
  })

  it('what was put aside goes in the order it came, though all came at one time or the clock went back', () => {
    const { root } = system
    const limits = { bytes_max: 1000, batch_files_max: 1, deleted_kept_max: 3 }
    for (const [index, now] of [7, 7, 7, 9, 9, 8, 8, 8].entries()) {
      root.write('x.txt', `number ${index}`)
      const { kept_at } = putAside(root.path, limits, 'x.txt', now)
      expect(root.read(kept_at)).toBe(`number ${index}`)
    }
    const kept = readdirSync(join(root.path, 'runtime/files/deleted')).map((name) =>
      root.read(`runtime/files/deleted/${name}`),
    )
    expect(kept.toSorted()).toEqual(['number 5', 'number 6', 'number 7'])
  })

  it('what was put aside has a limit, and is not put aside again', async () => {
    for (let index = 0; index < 6; index++) {
      await files.write_file('x.txt', `number ${index}`)
      const { kept_at } = await files.delete_file('x.txt')
      if (index === 5) expect(await codeOf(files.delete_file(kept_at))).toBe('path_protected')
    }
    const kept = readdirSync(at('runtime/files/deleted')).map((name) =>
      system.root.read(`runtime/files/deleted/${name}`),
    )
    expect(kept.toSorted()).toEqual(['number 3', 'number 4', 'number 5'])
  })
})

it('a whole file is written as a tool, with the hash that was read', async () => {
  const write = (params: object): Promise<unknown> =>
    system.tools.invoke('filesystem_write_file', params as Record<string, unknown>)
  const base = await hashOf('notes/b.txt')
  expect(await write({ path: 'notes/b.txt', content: 'B', base })).toMatchObject({ status: 'success' })
  expect(await write({ path: 'notes/b.txt', content: 'BB', base })).toMatchObject({ error: { code: 'file_changed' } })
  expect(readFileSync(at('notes/b.txt'), 'utf8')).toBe('B')
})
