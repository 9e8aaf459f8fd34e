/** A path as people should see it: from the root when it is inside, absolute when it is not. */
import { isAbsolute, relative, sep } from 'node:path'

export function shownPath(root: string, path: string): string {
  if (!isAbsolute(path)) return path
  const inside = relative(root, path)
  return inside === '' || inside.startsWith('..') ? path : inside.split(sep).join('/')
}
