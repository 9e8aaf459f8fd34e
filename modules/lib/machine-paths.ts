/**
 * Takes paths of this machine out of text for others: inside the root they are shown from it, elsewhere only their last
 * part is left. What begins with a folder that stands at the top of the file system is such a path; `/api/…` is none. Pure.
 */

/** `top`: names of the folders at the top of the file system. */
export function withoutPaths(text: string, root: string, top: readonly string[]): string {
  if (!/[\\/]/.test(text)) return text
  const inside = text.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '').replaceAll(root, '.')
  const names = top.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  if (names === '') return inside
  const path = new RegExp(`(?<![\\w.:/-])(?:file://)?/(?:${names})(?:/[^\\s'"\`()\\[\\]{},:;/]+)+/?`, 'g')
  return inside.replace(path, (whole) => `…/${whole.split('/').findLast((part) => part !== '') ?? ''}`)
}
