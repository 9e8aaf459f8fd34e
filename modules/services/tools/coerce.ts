/**
 * One value as another type, where the two are the same thing written differently: the text of exactly that number, of
 * exactly `true` or `false`, or a whole number where text stands. Anything else is undefined. Pure.
 */
export function coerce(type: unknown, value: unknown): { value: unknown } | undefined {
  switch (type) {
    case 'integer':
    case 'number':
      return typeof value === 'string' ? numberOf(value, type) : undefined
    case 'boolean':
      return value === 'true' || value === 'false' ? { value: value === 'true' } : undefined
    case 'string':
      // Only whole numbers: of 1.10 the value that arrives is 1.1, and what was written is lost.
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? { value: String(value) } : undefined
    default:
      return undefined
  }
}

function numberOf(text: string, type: 'integer' | 'number'): { value: number } | undefined {
  const value = Number(text)
  if (!Number.isFinite(value) || String(value) !== text) return undefined
  if (Number.isInteger(value) ? !Number.isSafeInteger(value) : type === 'integer') return undefined
  return { value }
}
