/** A path as people should see it: from the root when it is inside, absolute when it is not. */
import { isAbsolute, relative, sep } from 'node:path'

const UNEVEN = /\/\/|\/\.{1,2}(?:\/|$)/

export function shownPath(root: string, path: string): string {
  // Each look at the services asks for the paths of all, and nearly every one is written straight.
  if (
    sep === '/' &&
    path.startsWith(root) &&
    path[root.length] === '/' &&
    path.length > root.length + 1 &&
    !UNEVEN.test(path)
  )
    return path.endsWith('/') ? path.slice(root.length + 1, -1) : path.slice(root.length + 1)
  if (!isAbsolute(path)) return path
  const inside = relative(root, path)
  return inside === '' || inside.startsWith('..') ? path : inside.split(sep).join('/')
}
