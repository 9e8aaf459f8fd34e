/**
 * A file of a package, as isolates get it: each keeps a copy, so what does nothing is left out. Comments go, and of an ES
 * file what nobody asks for; their line breaks stay. Letters outside of Latin1 are written as escapes.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'
import type { Node } from '../scan/tree.ts'
import { takeApart, type EsFile, type Range } from './es-file.ts'
import type { LiveFile } from './live.ts'
import { oneByte } from './one-byte.ts'

export interface PackageSource {
  readonly isCommonJs: boolean
  /** undefined: it is not one of ES, or nobody knows what is in it */
  readonly es: EsFile | undefined
  readonly written: string
  readonly comments: readonly Range[]
}

export function readSource(path: string): PackageSource {
  const written = readFileSync(path, 'utf8')
  if (path.endsWith('.json')) {
    const code = `module.exports=JSON.parse(${JSON.stringify(written)})`
    return { isCommonJs: true, es: undefined, written: code, comments: [] }
  }
  const parsed = parseSync(path, written, { preserveParens: false })
  const { comments, module, errors } = parsed
  const isCommonJs = path.endsWith('.cjs') || (!path.endsWith('.mjs') && !module.hasModuleSyntax)
  if (isCommonJs || errors.length > 0) return { isCommonJs, es: undefined, written, comments }
  const es = takeApart(written, parsed.program as unknown as Node, comments)
  const ranges = comments.map(({ start, end }) => ({ start, end }))
  return { isCommonJs, es, written, comments: ranges }
}

/** All of it, or what is live. */
export function textOf({ isCommonJs, es, written, comments }: PackageSource, live?: LiveFile): string {
  const dead = es === undefined || live === undefined ? [] : deadParts(es, live)
  const parts: DeadPart[] = [...comments, ...dead].sort((a, b) => a.start - b.start)
  let text = ''
  let at = 0
  for (const { start, end, instead } of parts) {
    if (end <= at) continue
    const gone = written.slice(Math.max(start, at), end)
    text += written.slice(at, start)
    if (isCommonJs) text += linesOf(gone) || ' '
    else text += instead === undefined ? blanked(gone) : instead + linesOf(gone)
    at = end
  }
  text += written.slice(at)
  // What bundlers put in: there is no `process` in an isolate.
  return oneByte(text.replaceAll('process.env.NODE_ENV', '"production"'))
}

const linesOf = (text: string): string => text.replace(/[^\n]+/g, '')

/** What is not CommonJS is printed anew, from these places: blanks cost nothing. */
const blanked = (text: string): string => text.replace(/[^\n]/g, ' ')

interface DeadPart extends Range {
  readonly instead?: string | undefined
}

function deadParts({ statements, exported, stars }: EsFile, live: LiveFile): DeadPart[] {
  const dead: DeadPart[] = []
  for (const one of statements) {
    if (!live.statements.has(one)) dead.push(one)
    else if (one.keyword !== undefined && !one.names.some((name) => live.exports.has(name))) dead.push(one.keyword)
  }
  for (const [name, { range }] of exported) if (range !== undefined && !live.exports.has(name)) dead.push(range)
  // Each name costs something for each file it goes through.
  for (const [specifier, { start, end }] of stars) {
    const names = live.stars.get(specifier) ?? new Set()
    if (names === 'all') continue
    const instead = `export {${[...names].join()}} from ${JSON.stringify(specifier)};`
    dead.push({ start, end, instead })
  }
  return dead
}

/** Whether its package says that nothing happens when the file is only loaded. */
export function hasNoEffects(path: string, known: Map<string, PackageFacts | undefined>): boolean {
  const facts = packageOf(dirname(path), known)
  if (facts === undefined || facts.sideEffects === false) return facts !== undefined
  if (!Array.isArray(facts.sideEffects)) return false
  const own = `./${relative(facts.folder, path)}`
  return !facts.sideEffects.some((one) => own === one || String(one).includes('*'))
}

export interface PackageFacts {
  folder: string
  sideEffects: unknown
}

function packageOf(folder: string, known: Map<string, PackageFacts | undefined>): PackageFacts | undefined {
  if (known.has(folder)) return known.get(folder)
  let facts: PackageFacts | undefined
  const file = join(folder, 'package.json')
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) {
    const { name, sideEffects } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; sideEffects?: unknown }
    // A folder may have a file of its own that says no more than how its code is written.
    if (name !== undefined) facts = { folder, sideEffects }
  }
  const parent = dirname(folder)
  facts ??= parent === folder ? undefined : packageOf(parent, known)
  known.set(folder, facts)
  return facts
}
