import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FileSystem } from '../../modules/contracts/seams.ts'
import { ConfigTree } from '../../modules/kernel/config-tree.ts'
import { FileCache } from '../../modules/lib/file-cache.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
let tree: ConfigTree
/** paths that the disk gives no answer for, and why */
let refused: Record<string, string>

beforeEach(() => {
  root = createRoot({ 'configs/a.yml': 'a', 'configs/deep/er/b.yml': 'b', 'configs/deep/c.yml': 'c' })
  refused = {}
  const ask =
    <T>(read: (path: string) => T) =>
    (path: string): T => {
      const code = refused[path.slice(root.path.length + 1)]
      if (code !== undefined) throw Object.assign(new Error(`${code}: no`), { code })
      return read(path)
    }
  const fs: FileSystem = { ...realFileSystem, read: ask(realFileSystem.read), list: ask(realFileSystem.list) }
  const cache = new FileCache(fs, { now: () => 0 })
  tree = new ConfigTree({ folder: join(root.path, 'configs'), fs, cache, bytes_max: () => 1_000 })
  tree.lookAll()
})
afterEach(() => root.dispose())

const at = (path: string): string => join(root.path, 'configs', path)
const texts = (): Record<string, string> =>
  Object.fromEntries(
    tree
      .all()
      .filter(({ path }) => !path.startsWith('meta'))
      .map(({ path, text }) => [path, text]),
  )

it('finds every file that is not switched off, also on a second look', () => {
  root.write('configs/.off.yml', '')
  root.write('configs/.off/x.yml', '')
  root.write('configs/notes.txt', '')
  root.write('configs/new.yaml', 'new')
  tree.lookAll()
  expect(texts()).toEqual({ 'a.yml': 'a', 'deep/er/b.yml': 'b', 'deep/c.yml': 'c', 'new.yaml': 'new' })
})

it('looks at one file without touching the others', () => {
  root.write('configs/a.yml', 'changed')
  root.write('configs/deep/c.yml', 'changed too')
  tree.look(at('a.yml'))
  expect(texts()).toEqual({ 'a.yml': 'changed', 'deep/er/b.yml': 'b', 'deep/c.yml': 'c' })
  root.remove('configs/a.yml')
  tree.look(at('a.yml'))
  expect(Object.keys(texts())).toEqual(['deep/c.yml', 'deep/er/b.yml'])
})

it('looks at a folder: what is new in it, what is gone from it, and when it is gone itself', () => {
  root.remove('configs/deep/c.yml')
  root.write('configs/deep/d.yml', 'd')
  tree.look(at('deep'))
  expect(texts()).toEqual({ 'a.yml': 'a', 'deep/er/b.yml': 'b', 'deep/d.yml': 'd' })
  renameSync(at('deep'), at('moved'))
  tree.look(at('deep'))
  expect(texts()).toEqual({ 'a.yml': 'a' })
  tree.look(at('moved'))
  expect(texts()).toEqual({ 'a.yml': 'a', 'moved/er/b.yml': 'b', 'moved/d.yml': 'd' })
})

it('does not look outside, and not at what was never there', () => {
  root.write('outside.yml', 'x')
  mkdirSync(at('empty'))
  for (const path of [join(root.path, 'outside.yml'), root.path, at('4913'), at('empty'), at('gone/x.yml')])
    tree.look(path)
  expect(texts()).toEqual({ 'a.yml': 'a', 'deep/er/b.yml': 'b', 'deep/c.yml': 'c' })
})

it('a file whose content did not change keeps its object', () => {
  const [before] = tree.all().filter(({ path }) => path === 'a.yml')
  root.writeByRename('configs/a.yml', 'a')
  tree.look(at('a.yml'))
  tree.lookAll()
  expect(tree.all().find(({ path }) => path === 'a.yml')).toBe(before)
})

const errors = (): (string | undefined)[] => tree.all().map(({ path, error }) => error && `${path} ${error.code}`)
const wrong = (): string[] => errors().filter((one) => one !== undefined)

it('a file that cannot be read is an error of its own until it can, and one that leads to itself too', () => {
  symlinkSync('loop.yml', at('loop.yml'))
  refused['configs/deep/c.yml'] = 'EACCES'
  root.write('configs/deep/c.yml', 'other')
  tree.lookAll()
  expect(wrong().sort()).toEqual(['deep/c.yml config_unreadable', 'loop.yml config_unreadable'])
  expect(tree.all().find(({ path }) => path === 'loop.yml')?.error).toMatchObject({
    file: 'configs/loop.yml',
    line: 1,
    column: 1,
  })
  expect(Object.fromEntries(tree.stamps())[at('deep/c.yml')]).toBe('')
  refused = {}
  rmSync(at('loop.yml'))
  tree.lookAll()
  expect(texts()).toEqual({ 'a.yml': 'a', 'deep/er/b.yml': 'b', 'deep/c.yml': 'other' })
})

it('a file above the limit is not read', () => {
  root.write('configs/a.yml', 'x'.repeat(1_001))
  refused['configs/a.yml'] = 'it was read'
  tree.look(at('a.yml'))
  expect(wrong()).toEqual(['a.yml config_too_large'])
})

it('nothing in a folder that gives no list is gone, and the folder is looked at again', () => {
  refused['configs/deep'] = 'EIO'
  root.remove('configs/deep/er')
  tree.lookAll()
  expect(wrong()).toEqual(['deep config_unreadable'])
  expect(tree.all().map(({ path }) => path)).toEqual(expect.arrayContaining(['deep/c.yml', 'deep/er/b.yml']))
  expect(tree.retry()).toBe(true)
  refused = {}
  expect(tree.retry()).toBe(true)
  expect(texts()).toEqual({ 'a.yml': 'a', 'deep/c.yml': 'c' })
  expect(tree.retry()).toBe(false)
})

it('a link back into the folders is not followed; one to another folder is', () => {
  symlinkSync('.', at('here'))
  symlinkSync('../..', at('deep/er/up'))
  symlinkSync('nowhere', at('gone.yml'))
  symlinkSync('deep/er', at('also'))
  tree.lookAll()
  for (const path of ['here', 'here/a.yml', 'deep/er/up/a.yml', 'deep/er/up']) tree.look(at(path))
  expect(Object.keys(texts()).sort()).toEqual(['a.yml', 'also/b.yml', 'deep/c.yml', 'deep/er/b.yml'])
})
