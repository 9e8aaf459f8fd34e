/**
 * Chroma's where filters: checked once into a tree, which each store writes in its own language. Pure. `$ne` and `$nin`
 * also find records without the key, and values are compared only within their type: as Chroma does.
 */
import type { Where } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'

export type Scalar = string | number | boolean

export type Filter =
  | { kind: 'and' | 'or'; parts: Filter[] }
  | { kind: 'equals'; key: string; operator: '$eq' | '$ne'; value: Scalar }
  | { kind: 'compare'; key: string; operator: '$gt' | '$gte' | '$lt' | '$lte'; value: number }
  | { kind: 'among'; key: string; operator: '$in' | '$nin'; values: Scalar[] }

const DEPTH_MAX = 16
const PARTS_MAX = 256

const wrong = (reason: string): Error => coded('where_invalid', { reason })
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? typeof value

const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One key a map, one operator a key: what stands side by side must say `$and` or `$or`. */
export function readWhere(where: Where | undefined): Filter | undefined {
  if (where === undefined || where === null) return undefined
  let parts = 0
  const read = (given: unknown, depth: number): Filter => {
    if (depth > DEPTH_MAX) throw wrong(`it is nested deeper than ${DEPTH_MAX}`)
    if (++parts > PARTS_MAX) throw wrong(`it has more than ${PARTS_MAX} parts`)
    if (!isMap(given)) throw wrong(`expected a map, not ${shown(given)}`)
    const entries = Object.entries(given)
    const [first] = entries
    if (first === undefined || entries.length > 1)
      throw wrong(`a map has exactly one key, this one has ${entries.length}; join conditions with $and or $or`)
    const [key, value] = first
    if (key !== '$and' && key !== '$or') return readCondition(key, value)
    if (!Array.isArray(value) || value.length === 0) throw wrong(`${key} takes a list of conditions`)
    const inner = value.map((one) => read(one, depth + 1))
    return inner.length === 1 ? (inner[0] as Filter) : { kind: key === '$and' ? 'and' : 'or', parts: inner }
  }
  return read(where, 1)
}

function readCondition(key: string, value: unknown): Filter {
  if (key === '' || key.startsWith('$')) throw wrong(`${shown(key)} is no key; only $and and $or stand there`)
  if (isScalar(value)) return { kind: 'equals', key, operator: '$eq', value }
  if (!isMap(value)) throw wrong(`the key ${shown(key)} is compared with ${shown(value)}`)
  const entries = Object.entries(value)
  const [first] = entries
  if (first === undefined || entries.length > 1)
    throw wrong(`the key ${shown(key)} has ${entries.length} operators; write one, and join several with $and`)
  const [operator, operand] = first
  switch (operator) {
    case '$eq':
    case '$ne':
      if (!isScalar(operand)) throw wrong(`${operator} takes a text, a number or a boolean, not ${shown(operand)}`)
      return { kind: 'equals', key, operator, value: operand }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (typeof operand !== 'number' || !Number.isFinite(operand))
        throw wrong(`${operator} takes a number, not ${shown(operand)}`)
      return { kind: 'compare', key, operator, value: operand }
    case '$in':
    case '$nin':
      return { kind: 'among', key, operator, values: readList(operator, operand) }
    default:
      throw wrong(`there is no operator ${shown(operator)}; there are $eq $ne $gt $gte $lt $lte $in $nin`)
  }
}

function readList(operator: string, operand: unknown): Scalar[] {
  const values: unknown[] = Array.isArray(operand) ? operand : []
  if (values.length === 0 || values.length > PARTS_MAX)
    throw wrong(`${operator} takes a list of 1 to ${PARTS_MAX} values`)
  const type = typeof values[0]
  if (!values.every((one): one is Scalar => isScalar(one) && typeof one === type))
    throw wrong(`the values of ${operator} are not of one type`)
  return values
}
