import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConfigTree } from '../../modules/kernel/config-tree.ts'
import { FileCache } from '../../modules/lib/file-cache.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
let tree: ConfigTree

beforeEach(() => {
  root = createRoot({ 'configs/a.yml': 'a', 'configs/deep/er/b.yml': 'b', 'configs/deep/c.yml': 'c' })
  const cache = new FileCache(realFileSystem, { now: () => 0 })
  tree = new ConfigTree({ folder: join(root.path, 'configs'), fs: realFileSystem, cache })
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
