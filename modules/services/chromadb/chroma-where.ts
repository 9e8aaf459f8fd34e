/** A where filter in Chroma's own JSON. The server takes no list that mixes whole and broken numbers: such a list is spelled out. */
import type { Where } from 'chromadb'
import type { Filter } from './where.ts'

export function chromaWhere(filter: Filter): Where {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const parts = filter.parts.map(chromaWhere)
      return filter.kind === 'and' ? { $and: parts } : { $or: parts }
    }
    case 'equals':
    case 'compare':
      return { [filter.key]: { [filter.operator]: filter.value } } as Where
    case 'among': {
      const { key, operator, values } = filter
      const whole = values.filter((value) => Number.isInteger(value)).length
      if (typeof values[0] !== 'number' || whole === 0 || whole === values.length)
        return { [key]: { [operator]: values } } as Where
      return operator === '$in'
        ? { $or: values.map((value): Where => ({ [key]: { $eq: value } })) }
        : { $and: values.map((value): Where => ({ [key]: { $ne: value } })) }
    }
    default: {
      const never: never = filter
      return never
    }
  }
}
