/**
 * What a module gets from its config: `${ENV}` and `secret:NAME` filled in, then checked against the module's own
 * `configSchema`. Filled values never go back into a hash, a status or a log. Pure but for the two readers handed in.
 */
import { join } from 'node:path'
import type { Json, JsonMap } from '../contracts/seams.ts'
import type { DesiredService } from '../contracts/state.ts'
import { coded, toErrorData } from './errors.ts'
import { locate } from './yaml.ts'

export interface ValueReaders {
  env(name: string): string | undefined
  /** undefined when there is none; `mode` are the permission bits */
  secret(name: string): { text: string; mode: number } | undefined
}

const ENV = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g
const SECRET = /^secret:([A-Za-z0-9_.-]+)$/

/** Throws `env_missing`, `secret_missing` or `secret_open`, naming the key. */
export function fillValues(params: JsonMap, readers: ValueReaders): JsonMap {
  return fill(params, [], readers) as JsonMap
}

function fill(value: Json, path: string[], readers: ValueReaders): Json {
  if (typeof value === 'string') return fillText(value, path, readers)
  if (Array.isArray(value)) return value.map((one, index) => fill(one, [...path, String(index)], readers))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one, [...path, key], readers)]))
  }
  return value
}

function fillText(text: string, path: string[], readers: ValueReaders): string {
  const key = path.join('.')
  const secret = SECRET.exec(text)?.[1]
  if (secret !== undefined) {
    const found = readers.secret(secret)
    if (found === undefined) throw coded('secret_missing', { name: secret, key })
    const mode = found.mode & 0o777
    if ((mode & 0o077) !== 0) throw coded('secret_open', { name: secret, key, mode: mode.toString(8) })
    return found.text.replace(/\r?\n$/, '')
  }
  return text.replace(ENV, (_whole, name: string, fallback: string | undefined) => {
    const found = readers.env(name) ?? fallback
    if (found === undefined) throw coded('env_missing', { name, key })
    return found
  })
}

interface Issue {
  path: (string | number | symbol)[]
  message: string
}

type ParseResult = { success: true; data: unknown } | { success: false; error: { issues: Issue[] } }

const hasSafeParse = (schema: unknown): schema is { safeParse(value: unknown): ParseResult } =>
  typeof schema === 'object' && schema !== null && typeof (schema as { safeParse?: unknown }).safeParse === 'function'

interface SchemaLike {
  shape?: Record<string, SchemaLike>
  meta?: () => { secret?: unknown } | undefined
  _zod?: { def?: { innerType?: SchemaLike } }
}

/**
 * A top-level key that a zod object marks `.meta({ secret: true })` is never written out in a config: it is `secret:NAME`
 * or `${ENV}`. `values` are as written. Throws `secret_plain`.
 */
export function checkSecrets(schema: unknown, values: JsonMap): void {
  const isSecret = (one: SchemaLike | undefined): boolean =>
    one !== undefined && (one.meta?.()?.secret === true || isSecret(one._zod?.def?.innerType))
  for (const [key, one] of Object.entries((schema as SchemaLike | undefined)?.shape ?? {})) {
    const value = values[key]
    if (value === undefined || !isSecret(one)) continue
    const elsewhere = typeof value === 'string' && (SECRET.test(value) || /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(value))
    if (!elsewhere) throw coded('secret_plain', { key })
  }
}

/** The schema's output, or `config_invalid` with file, line, column and key. `text` is the config file as read. */
export function checkSchema(
  schema: unknown,
  values: JsonMap,
  service: DesiredService,
  text: string | undefined,
): unknown {
  if (!hasSafeParse(schema)) return values
  const result = schema.safeParse(values)
  if (result.success) return result.data
  const issue = result.error.issues[0] ?? { path: [], message: 'it does not fit' }
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const key = path.length === 0 ? '(top level)' : path.join('.')
  throw coded(
    'config_invalid',
    { key, prog: service.prog, reason: issue.message },
    { file: service.file, ...placeOf(text, path) },
  )
}

/** A key of the module may stand at the top or under `params:`; the deeper place wins, as its value does. */
function placeOf(text: string | undefined, path: (string | number)[]): { line?: number; column?: number } {
  if (text === undefined) return {}
  const under = locate(text, ['params', ...path])
  const params = locate(text, ['params'])
  if (path.length > 0 && (under.line !== params.line || under.column !== params.column)) return under
  return locate(text, path)
}

/** Points a value error at its key's line. */
export function placeValueError(thrown: unknown, service: DesiredService, text: string | undefined): unknown {
  const key = (thrown as { details?: { key?: unknown } }).details?.key
  if (typeof key !== 'string') return thrown
  return Object.assign(thrown as object, { file: service.file, ...placeOf(text, key.split('.')) }, toErrorData(thrown))
}

export const secretPath = (root: string, name: string): string => join(root, 'runtime', 'secrets', name)
