/**
 * A call's parameters against the tool's JSON Schema: says what is wrong by path, and takes a value otherwise than it
 * came only where nothing can be lost ("3" where a number stands, one value where a list of such values stands), with
 * a warning for each. What a schema says beyond types and names is left to the tool's own check. Pure.
 */
import { nearText } from '../../lib/near.ts'
import { shortJson } from '../../lib/short-json.ts'
import { typeText } from '../../lib/tool-name.ts'
import { coerce } from './coerce.ts'

type Schema = Record<string, unknown>
type Values = Record<string, unknown>

export interface Fitted {
  params: Values
  warnings: string[]
  problems: { param: string; reason: string }[]
}

/** What is found while a value is looked at. `root` is where `$ref` begins. */
interface Look {
  readonly root: Schema
  /** within a value that is tried as the one of a list: no list within that list is made up */
  readonly inSingle: boolean
  readonly warnings: string[]
  readonly problems: { param: string; reason: string }[]
}

const REFERENCES_MAX = 32

export function fitParams(schema: Schema, params: unknown): Fitted {
  const look: Look = { root: schema, inSingle: false, warnings: [], problems: [] }
  const fitted = fit(schema, params ?? {}, [], look)
  return { params: fitted as Values, warnings: look.warnings, problems: look.problems }
}

function fit(given: unknown, value: unknown, path: readonly string[], look: Look): unknown {
  const schema = resolve(given, look.root)
  if (schema === undefined) return value
  const branches = branchesOf(schema)
  if (branches !== undefined) return fitOneOf(schema, branches, value, path, look)
  if (schema['const'] !== undefined || Array.isArray(schema['enum'])) return fitMember(schema, value, path, look)
  if (schema['type'] === 'object') return fitObject(schema, value, path, look)
  if (schema['type'] === 'array' && Array.isArray(value)) return fitList(schema, value, path, look)
  if (isOfType(schema['type'], value)) return value
  const single = schema['type'] === 'array' && !look.inSingle ? singleOf(schema, value, path, look) : undefined
  return taken(schema, value, single ?? coerce(schema['type'], value), path, look)
}

/** undefined: a schema that says nothing about types. */
function resolve(given: unknown, root: Schema): Schema | undefined {
  let schema = given
  for (let hop = 0; hop < REFERENCES_MAX && isMap(schema) && typeof schema['$ref'] === 'string'; hop++) {
    schema = schema['$ref']
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>((at, part) => (isMap(at) ? at[part] : undefined), root)
  }
  return isMap(schema) ? schema : undefined
}

function branchesOf(schema: Schema): unknown[] | undefined {
  for (const key of ['anyOf', 'oneOf']) if (Array.isArray(schema[key])) return schema[key] as unknown[]
  const { type } = schema
  return Array.isArray(type) ? type.map((one) => ({ ...schema, type: one as unknown })) : undefined
}

/** As it came if any branch takes it so; else by the only branch that takes it otherwise. */
function fitOneOf(schema: Schema, branches: unknown[], value: unknown, path: readonly string[], look: Look): unknown {
  const tries = branches.map((branch) => {
    const own: Look = { ...look, warnings: [], problems: [] }
    return { own, fitted: fit(branch, value, path, own) }
  })
  const good = tries.filter(({ own }) => own.problems.length === 0)
  const best = good.find(({ own }) => own.warnings.length === 0) ?? (good.length === 1 ? good[0] : undefined)
  if (best !== undefined) {
    look.warnings.push(...best.own.warnings)
    return best.fitted
  }
  // Among shapes of a map the one it is nearest to says what is missing; of others only the whole can be told.
  const [near, next] = tries.toSorted((a, b) => a.own.problems.length - b.own.problems.length)
  const isNear = near !== undefined && near.own.problems.length < (next?.own.problems.length ?? Infinity)
  if (isMap(value) && isNear) look.problems.push(...near.own.problems)
  else wrong(schema, value, path, look)
  return value
}

function fitMember(schema: Schema, value: unknown, path: readonly string[], look: Look): unknown {
  const members = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : [schema['const']]
  // Lists and maps as members are compared by the tool itself.
  if (members.some((one) => one === value || (typeof one === 'object' && one !== null))) return value
  const same = members.filter((one) => coerce(typeof one, value)?.value === one)
  if (same.length === 1) return taken(schema, value, { value: same[0] }, path, look)
  const near = typeof value === 'string' ? nearText(value, members.map(String)) : ''
  wrong(schema, value, path, look, near)
  return value
}

function fitObject(schema: Schema, value: unknown, path: readonly string[], look: Look): unknown {
  if (!isMap(value)) {
    // A class instance inside the process is the tool's own business.
    if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(schema, value, path, look)
    return value
  }
  const known = isMap(schema['properties']) ? schema['properties'] : {}
  for (const key of Array.isArray(schema['required']) ? (schema['required'] as string[]) : []) {
    if (value[key] !== undefined && Object.hasOwn(value, key)) continue
    look.problems.push({
      param: shown([...path, key]),
      reason: `it is missing; expected ${typeText(child(known, key))}`,
    })
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const at = [...path, key]
      if (one === undefined) return [key, one]
      if (Object.hasOwn(known, key)) return [key, fit(known[key], one, at, look)]
      if (takesOthers(schema)) return [key, fit(schema['additionalProperties'], one, at, look)]
      const near = nearText(key, Object.keys(known))
      const names = Object.keys(known).join(', ') || 'none'
      look.problems.push({ param: shown(at), reason: `there is no such parameter${near || `; there are: ${names}`}` })
      return [key, one]
    }),
  )
}

const child = (map: Schema, key: string): Schema => (isMap(map[key]) ? map[key] : {})

/** Silence means no where names are listed: what a tool would drop without a word is told. */
function takesOthers(schema: Schema): boolean {
  const others = schema['additionalProperties']
  if (others === undefined) return schema['properties'] === undefined || schema['patternProperties'] !== undefined
  return others !== false
}

function fitList(schema: Schema, list: unknown[], path: readonly string[], look: Look): unknown {
  const { items } = schema
  if (Array.isArray(items)) return list.map((one, index) => fit(items[index], one, [...path, String(index)], look))
  return list.map((one, index) => fit(items, one, [...path, String(index)], look))
}

/** A single value as a list of one, where it could not have meant a list of several. */
function singleOf(schema: Schema, value: unknown, path: readonly string[], look: Look): { value: unknown } | undefined {
  const items = resolve(schema['items'], look.root)
  if (items === undefined || typeText(items) === 'any' || value === null) return undefined
  if (typeof value === 'string' && (/[,;\n]/.test(value) || /^\s*[[{]/.test(value))) return undefined
  const own: Look = { ...look, inSingle: true, warnings: [], problems: [] }
  fit(items, value, path, own)
  return own.problems.length + own.warnings.length === 0 ? { value: [value] } : undefined
}

function taken(
  schema: Schema,
  value: unknown,
  coerced: { value: unknown } | undefined,
  path: readonly string[],
  look: Look,
): unknown {
  if (coerced === undefined) {
    wrong(schema, value, path, look)
    return value
  }
  look.warnings.push(`\`${shown(path)}\` came as ${shortJson(value)} and was taken as ${shortJson(coerced.value)}`)
  return coerced.value
}

function wrong(schema: Schema, value: unknown, path: readonly string[], look: Look, near = ''): void {
  const leaveOut = value === null ? '; leave it out when there is none' : ''
  look.problems.push({
    param: shown(path),
    reason: `expected ${typeText(schema)}, came ${shortJson(value)}${near}${leaveOut}`,
  })
}

function isOfType(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type
    case 'number':
      return typeof value === 'number'
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    case 'array':
      return false
    default:
      return true
  }
}

const shown = (path: readonly string[]): string => path.join('.') || '(all)'

function isMap(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]'
}
