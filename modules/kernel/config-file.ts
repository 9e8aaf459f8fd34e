/**
 * One YAML config: text → values, with the place of every mistake. Pure. Reserved keys are checked here; a module's
 * own keys are checked later, against its `configSchema`.
 */
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { ErrorCode, ErrorData } from '../contracts/errors.ts'
import type { Json, JsonMap } from '../contracts/seams.ts'
import { coded, toErrorData, type ErrorPlace } from '../lib/errors.ts'
import { SERVICE_LIMITS } from './limits.ts'

export type ParsedConfig = { ok: true; value: JsonMap } | { ok: false; error: ErrorData }

export const RESERVED_KEYS = [
  'api',
  'prog',
  'enabled',
  'domain',
  'needs',
  'sandbox',
  'grants',
  'reload',
  'restart',
  'limits',
  'record',
  'description',
] as const

const DEPTH_MAX = 200
/** `- - - -` and `? ? ? ?` nest within one line. */
const COMPACT_NEST = new RegExp(`^[ \\t]*(?:[-?][ \\t]+){${DEPTH_MAX + 1}}`, 'm')

const NAME = /^[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$/

function refuse(code: ErrorCode, details: Record<string, unknown>, place: ErrorPlace): ParsedConfig {
  return { ok: false, error: toErrorData(coded(code, details, place)) }
}

/** Changes when an equal text may be read as another value. */
export const YAML_VERSION = 'yaml 2.9.1, 1'

/** A value that was read from a text before; undefined when it is wrong, and its place is needed. */
export const configFromValue = (value: JsonMap): ParsedConfig | undefined =>
  wrongReservedKey(value) === undefined ? { ok: true, value } : undefined

/** An empty file is an empty map: everything has a default. */
export function parseConfig(file: string, text: string, bytesMax: number): ParsedConfig {
  if (text.length > bytesMax) return refuse('config_too_large', { bytes: text.length, limit: bytesMax }, { file })
  if (isTooDeep(text)) {
    return refuse('config_syntax', { reason: `nested more than ${DEPTH_MAX} deep` }, { file, line: 1, column: 1 })
  }
  const lines = new LineCounter()
  let document: Document
  let value: unknown
  let odd: (string | number)[] | undefined
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
    const error = document.errors[0]
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0])
      return refuse('config_syntax', { reason: error.message }, { file, line, column: col })
    }
    value = document.toJS({ maxAliasCount: 100 })
    odd = findOdd(value)
  } catch (thrown) {
    return refuse('config_syntax', { reason: (thrown as Error).message }, { file, line: 1, column: 1 })
  }
  if (odd !== undefined) {
    const reason = `\`${odd.join('.')}\` must be text, a number, true, false, null, a list or a map`
    return refuse('config_syntax', { reason }, { file, ...placeOfKey(document, lines, odd) })
  }
  if (value === null || value === undefined) return { ok: true, value: {} }
  if (typeof value !== 'object' || Array.isArray(value)) {
    const found = Array.isArray(value) ? 'a list' : `a ${typeof value}`
    return refuse('config_not_map', { found }, { file, line: 1, column: 1 })
  }
  const wrong = wrongReservedKey(value as JsonMap)
  if (wrong !== undefined) {
    return refuse('config_key', wrong, { file, ...placeOfKey(document, lines, [wrong.key]) })
  }
  return { ok: true, value: value as JsonMap }
}

/**
 * The parser is recursive: a few kilobytes of `[[[[` or `? ? ? ?` make it run for minutes, or abort the process where
 * no error can be caught. Counted roughly, before it sees the text: a bracket within a string counts too.
 */
function isTooDeep(text: string): boolean {
  if (COMPACT_NEST.test(text)) return true
  let depth = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = Math.max(0, depth + (bracket === '[' || bracket === '{' ? 1 : -1))
    if (depth > DEPTH_MAX) return true
  }
  return false
}

/** The path of the first value that JSON does not have: `.inf`, or a value of a tag as `!!binary`. */
function findOdd(value: unknown, path: (string | number)[] = []): (string | number)[] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value) && Object.prototype.toString.call(value) !== '[object Object]') return path
  for (const [key, one] of Object.entries(value)) {
    const found = findOdd(one, [...path, Array.isArray(value) ? Number(key) : key])
    if (found !== undefined) return found
  }
  return undefined
}

/** Where a key stands: for errors found after the text was parsed. Falls back to the nearest parent that is there. */
export function locate(text: string, path: readonly (string | number)[]): { line: number; column: number } {
  const lines = new LineCounter()
  return placeOfKey(parseDocument(text, { lineCounter: lines, prettyErrors: false }), lines, path)
}

function placeOfKey(
  document: Document,
  lines: LineCounter,
  path: readonly (string | number)[],
): { line: number; column: number } {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    const key = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === last)?.key
      : undefined
    const node = isScalar(key) ? key : document.getIn(path.slice(0, length), true)
    const range = (node as { range?: [number, number, number] } | undefined)?.range
    if (range !== undefined && range !== null) {
      const { line, col } = lines.linePos(range[0])
      return { line, column: col }
    }
  }
  return { line: 1, column: 1 }
}

type Check = (value: Json) => string | undefined

const isMapValue = (value: Json): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const name: Check = (value) =>
  typeof value === 'string' && NAME.test(value)
    ? undefined
    : 'it must be a name of letters, digits and _ . / : - (at most 128)'
const text: Check = (value) => (typeof value === 'string' ? undefined : 'it must be text')

const CHECKS: Record<(typeof RESERVED_KEYS)[number], Check> = {
  api: (value) => (value === 'kernel' ? '`kernel` is the name of the built-in service' : name(value)),
  prog: name,
  enabled: (value) => (typeof value === 'boolean' ? undefined : 'it must be true or false'),
  domain: text,
  needs: (value) =>
    Array.isArray(value) && value.every((one) => name(one) === undefined) ? undefined : 'it must be a list of names',
  sandbox: (value) =>
    typeof value === 'boolean' || isMapValue(value) ? undefined : 'it must be true, false or a map of limits',
  grants: (value) => (isMapValue(value) || Array.isArray(value) ? undefined : 'it must be a map or a list'),
  reload: (value) => (value === 'overlap' || value === 'quiesce' ? undefined : 'it must be overlap or quiesce'),
  restart: (value) => (typeof value === 'boolean' || isMapValue(value) ? undefined : 'it must be a map or a boolean'),
  limits: (value) => {
    if (!isMapValue(value)) return 'it must be a map of numbers'
    const unknown = Object.keys(value).find((key) => !(SERVICE_LIMITS as readonly string[]).includes(key))
    if (unknown !== undefined) return `\`${unknown}\` is not one of ${SERVICE_LIMITS.join(', ')}`
    const wrong = Object.entries(value).find(([, one]) => typeof one !== 'number' || !(one >= 0))
    return wrong === undefined ? undefined : `\`${wrong[0]}\` must be a number of milliseconds or calls`
  },
  record: (value) => (typeof value === 'boolean' || isMapValue(value) ? undefined : 'it must be true, false or a map'),
  description: text,
}

function wrongReservedKey(value: JsonMap): { key: string; reason: string } | undefined {
  for (const key of RESERVED_KEYS) {
    if (!Object.hasOwn(value, key)) continue
    const reason = CHECKS[key](value[key] as Json)
    if (reason !== undefined) return { key, reason }
  }
  if (Object.hasOwn(value, 'params') && value['params'] !== null && !isMapValue(value['params'] as Json)) {
    return { key: 'params', reason: 'it must be a map' }
  }
  return undefined
}
