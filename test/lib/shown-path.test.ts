/** A path as people see it: the short way says what the long one would. */
import { isAbsolute, relative } from 'node:path'
import { expect, it } from 'vitest'
import { shownPath } from '../../modules/lib/shown-path.ts'

it.each([
  ['/root', '/root/modules/shop.ts', 'modules/shop.ts'],
  ['/root', '/root/modules/', 'modules'],
  ['/root', '/root//modules/./shop.ts', 'modules/shop.ts'],
  ['/root', '/root/modules/../configs/a.yml', 'configs/a.yml'],
  ['/root', '/root/../other/a.yml', '/root/../other/a.yml'],
  ['/root', '/rooted/a.yml', '/rooted/a.yml'],
  ['/root', '/root', '/root'],
  ['/root', '/root/', '/root/'],
  ['/root/', '/root/a.yml', 'a.yml'],
  ['/', '/a.yml', 'a.yml'],
  ['/root', 'modules/shop.ts', 'modules/shop.ts'],
])('below %s, %s is %s', (root, path, shown) => {
  expect(shownPath(root, path)).toBe(shown)
})

it('is what the path module says, whatever the pieces', () => {
  const pieces = ['a', 'b.ts', '.', '..', '', '.hidden']
  const paths = pieces.flatMap((one) => pieces.flatMap((two) => pieces.map((three) => `/root/${one}/${two}/${three}`)))
  for (const path of paths) {
    const inside = relative('/root', path)
    const expected = inside === '' || inside.startsWith('..') ? path : inside
    expect([path, shownPath('/root', path)]).toEqual([path, isAbsolute(path) ? expected : path])
  }
})
