/** A where filter as SQL over the column `metadata` (JSON text). Keys and values go in as parameters only. */
import type { SqlValue } from '../../contracts/services.ts'
import type { Filter, Scalar } from './where.ts'

export interface Sql {
  text: string
  params: SqlValue[]
}

const SIGNS = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const
const NUMBERS = `m.type IN ('integer', 'real')`

const has = (condition: string, ...params: SqlValue[]): Sql => ({
  text: `EXISTS (SELECT 1 FROM json_each(metadata) AS m WHERE m.key = ? AND ${condition})`,
  params,
})

export function filterSql(filter: Filter): Sql {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const parts = filter.parts.map(filterSql)
      const text = parts.map((one) => one.text).join(filter.kind === 'and' ? ' AND ' : ' OR ')
      return { text: `(${text})`, params: parts.flatMap((one) => one.params) }
    }
    case 'among': {
      const found = among(filter.key, filter.values)
      return filter.operator === '$in' ? found : not(found)
    }
    case 'equals': {
      const found = among(filter.key, [filter.value])
      return filter.operator === '$eq' ? found : not(found)
    }
    case 'compare':
      return has(`${NUMBERS} AND m.value ${SIGNS[filter.operator]} ?`, filter.key, filter.value)
    default: {
      const never: never = filter
      return never
    }
  }
}

const not = ({ text, params }: Sql): Sql => ({ text: `NOT ${text}`, params })

/** All values are of one type. JSON's booleans are told by their type: as values they are 0 and 1. */
function among(key: string, values: readonly Scalar[]): Sql {
  const marks = values.map(() => '?').join(', ')
  switch (typeof values[0]) {
    case 'boolean':
      return has(`m.type IN (${marks})`, key, ...values.map(String))
    case 'number':
      return has(`${NUMBERS} AND m.value IN (${marks})`, key, ...(values as number[]))
    default:
      return has(`m.type = 'text' AND m.value IN (${marks})`, key, ...(values as string[]))
  }
}
