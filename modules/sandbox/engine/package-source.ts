/**
 * The source of a package's file as isolates get it: each keeps a copy, so what does nothing is left out. Comments go, their
 * line breaks stay; letters outside of Latin1 are written as escapes, since one of them would double the size of the whole.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'

export interface PackageSource {
  text: string
  isCommonJs: boolean
}

export function readSource(path: string): PackageSource {
  const written = readFileSync(path, 'utf8')
  if (path.endsWith('.json')) return { text: `module.exports=JSON.parse(${JSON.stringify(written)})`, isCommonJs: true }
  const { comments, module } = parseSync(path, written)
  const isCommonJs = path.endsWith('.cjs') || (!path.endsWith('.mjs') && !module.hasModuleSyntax)
  let text = ''
  let at = 0
  for (const { start, end } of comments) {
    const lines = written.slice(start, end).replace(/[^\n]+/g, '')
    text += written.slice(at, start) + (lines === '' ? ' ' : lines)
    at = end
  }
  text += written.slice(at)
  // What bundlers put in: there is no `process` in an isolate.
  return { text: escaped(text.replaceAll('process.env.NODE_ENV', '"production"')), isCommonJs }
}

const escaped = (text: string): string =>
  text.replace(/[^\0-\xff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** `export * as name from '…'` of a file. */
export function namespacesOf(source: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', , specifier = ''] of source.matchAll(/^export \* as ([\w$]+) from (["'])([^"']+)\2/gm)) {
    found.set(specifier, name)
  }
  return found
}

/** Whether its package says that nothing happens when the file is only loaded. */
export function hasNoEffects(path: string): boolean {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (statSync(file, { throwIfNoEntry: false }) === undefined) continue
    const { name, sideEffects } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; sideEffects?: unknown }
    // A folder may have a file of its own that says no more than how its code is written.
    if (name === undefined) continue
    if (sideEffects === false) return true
    if (!Array.isArray(sideEffects)) return false
    const own = `./${relative(folder, path)}`
    return !sideEffects.some((one) => own === one || String(one).includes('*'))
  }
  return false
}
