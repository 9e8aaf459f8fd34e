/**
 * Changes of single keys in a YAML text that leave every other byte alone where that is possible: a value is replaced
 * in its place, a new key goes to the end, a key goes with its lines. `rules.2` is an item of a list: replaced, put
 * behind the last one, or gone with its lines. Where it is not possible, the text is printed anew, with its comments.
 * Each step is read back and must say exactly what was asked for; else nothing is returned. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { isMap, isNode, isScalar, isSeq, parseDocument, stringify, type Document, type Pair } from 'yaml'
import { coded, reasonOf } from './errors.ts'

export interface YamlEdit {
  /** `limits.drain_ms` → value; a dot goes one level down */
  set: Readonly<Record<string, unknown>>
  remove: readonly string[]
}

type Path = readonly string[]
type Values = Record<string, unknown>

const PRINTED = { lineWidth: 0 } as const

/** Throws `config_syntax` for a text that does not parse, `config_edit_failed` for a change that cannot be made. */
export function editYaml(file: string, text: string, { set, remove }: YamlEdit): string {
  let edited = text
  for (const [key, value] of Object.entries(set)) edited = setKey(file, edited, key, value)
  for (const key of remove) edited = removeKey(file, edited, key)
  return edited
}

function setKey(file: string, text: string, key: string, value: unknown): string {
  const document = parse(file, text)
  const path = pathOf(document, key)
  const expected = valuesOf(document)
  put(key, expected, path, value)
  const atEnd = path.length === 1 && !document.hasIn(path) ? appended(text, path[0] ?? '', value) : undefined
  return firstThatSays(expected, key, [
    () => replaced(document, text, path, value),
    () => withItem(document, text, path, value),
    () => atEnd,
    () => {
      if (document.contents === null) document.contents = document.createNode({}) as never
      document.setIn(path, isPlain(value) ? value : document.createNode(value))
      return document.toString(PRINTED)
    },
  ])
}

function removeKey(file: string, text: string, key: string): string {
  const document = parse(file, text)
  const path = pathOf(document, key)
  if (!document.hasIn(path)) throw failed(key, 'there is no such key')
  const expected = valuesOf(document)
  take(expected, path)
  return firstThatSays(expected, key, [
    () => withoutLines(document, text, path),
    () => withoutItem(document, text, path),
    () => {
      document.deleteIn(path)
      return document.toString(PRINTED)
    },
  ])
}

/** The first spelling that is read as what was asked for. */
function firstThatSays(expected: Values, key: string, spellings: (() => string | undefined)[]): string {
  let reason = 'the file would say something else; edit it as text'
  for (const spelling of spellings) {
    try {
      const text = spelling()
      if (text !== undefined && isDeepStrictEqual(valuesOf(parse('', text)), expected)) return text
    } catch (thrown) {
      reason = reasonOf(thrown)
    }
  }
  throw failed(key, reason)
}

/** A plain value in the place of another one in the same line. */
function replaced(document: Document, text: string, path: Path, value: unknown): string | undefined {
  const node = document.getIn(path, true)
  if (!isScalar(node) || !node.range || !isPlain(value)) return undefined
  const [from, to] = node.range
  if (from === to || text.slice(from, to).includes('\n')) return undefined
  return text.slice(0, from) + stringify(value, { ...PRINTED, blockQuote: false }).trimEnd() + text.slice(to)
}

const appended = (text: string, key: string, value: unknown): string =>
  `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${stringify({ [key]: value }, PRINTED)}`

/** From the key to the end of its value, where these are whole lines. */
function withoutLines(document: Document, text: string, path: Path): string | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (!isMap(parent) || parent.flow === true) return undefined
  const pair = parent.items.find((one: Pair) => isScalar(one.key) && one.key.value === path.at(-1))
  const [from] = isScalar(pair?.key) ? (pair.key.range ?? []) : []
  const end = (pair?.value as { range?: readonly number[] } | null | undefined)?.range?.[2]
  if (from === undefined || end === undefined) return undefined
  const start = text.lastIndexOf('\n', from - 1) + 1
  return text.slice(start, from).trim() === '' ? text.slice(0, start) + text.slice(end) : undefined
}

/** Where an item of a list stands: whole lines, behind so many spaces. Undefined where it is written another way. */
function itemLines(
  document: Document,
  text: string,
  path: Path,
): { from: number; to: number; indent: string } | undefined {
  const node = document.getIn(path, true)
  const [start, end] = (isNode(node) && node.range) || []
  const list = document.getIn(path.slice(0, -1), true)
  if (start === undefined || end === undefined || !isSeq(list) || list.flow === true) return undefined
  const from = text.lastIndexOf('\n', start - 1) + 1
  const [, indent] = /^( *)- +$/.exec(text.slice(from, start)) ?? []
  if (indent === undefined) return undefined
  const last = start + text.slice(start, end).trimEnd().length
  const next = text.indexOf('\n', last)
  return { from, to: next === -1 ? text.length : next + 1, indent }
}

/** An item in the place of another one, or behind the last. */
function withItem(document: Document, text: string, path: Path, value: unknown): string | undefined {
  const at = Number(path.at(-1))
  const old = itemLines(document, text, path)
  const before = old ?? itemLines(document, text, [...path.slice(0, -1), String(at - 1)])
  if (before === undefined) return undefined
  const printed = stringify([value], PRINTED).replaceAll(/^(?=.)/gm, before.indent)
  const [from, to] = old === undefined ? [before.to, before.to] : [before.from, before.to]
  const head = text.slice(0, from)
  return head + (head.endsWith('\n') ? '' : '\n') + printed + text.slice(to)
}

function withoutItem(document: Document, text: string, path: Path): string | undefined {
  const lines = itemLines(document, text, path)
  return lines && text.slice(0, lines.from) + text.slice(lines.to)
}

function parse(file: string, text: string): Document {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error === undefined && (document.contents === null || isMap(document.contents))) return document
  const [place] = error?.linePos ?? []
  const where = place === undefined ? { file } : { file, line: place.line, column: place.col }
  throw coded('config_syntax', { reason: error?.message ?? 'it is no map of keys to values' }, where)
}

const valuesOf = (document: Document): Values => structuredClone((document.toJS() ?? {}) as Values)

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null

/** A key that stands under `params:` is meant there: that is the one in force. */
function pathOf(document: Document, key: string): Path {
  const path = key.split('.')
  if (path.some((part) => part === '' || part === '__proto__')) throw failed(key, 'it is no path of keys')
  return path[0] !== 'params' && document.hasIn(['params', path[0]]) ? ['params', ...path] : path
}

function put(key: string, map: Values, path: Path, value: unknown): void {
  let at = map
  for (const part of path.slice(0, -1)) {
    const next = (at[part] ??= {})
    if (typeof next !== 'object' || next === null) throw failed(key, `\`${part}\` is no map`)
    at = next as Values
  }
  at[path.at(-1) ?? ''] = value
}

function take(map: Values, path: Path): void {
  const holder = path.slice(0, -1).reduce<unknown>((at, part) => (at as Values)[part], map)
  if (Array.isArray(holder)) holder.splice(Number(path.at(-1)), 1)
  else Reflect.deleteProperty(holder as object, path.at(-1) ?? '')
}

const failed = (key: string, reason: string): Error => coded('config_edit_failed', { key, reason })
