/** A tool's name from its service and method: `database` + `query` → `database_query`, as in the paper. */
export function foldToolName(api: string, method: string): string {
  const snake = (text: string): string =>
    text
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .toLowerCase()
  return `${snake(api)}_${snake(method)}`.slice(0, 64)
}

/** `database_query(sql: string, params?: any[])` from a JSON Schema: what a model reads before it calls. */
export function signatureOf(name: string, schema: Record<string, unknown>): string {
  const properties = (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>
  const required = new Set((schema['required'] as string[] | undefined) ?? [])
  const params = Object.entries(properties).map(
    ([key, one]) => `${key}${required.has(key) ? '' : '?'}: ${typeText(one)}`,
  )
  return `${name}(${params.join(', ')})`
}

/** A JSON Schema in a few words: `string`, `"a" | "b"`, `integer[]`. */
export function typeText(schema: Record<string, unknown>): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map((one) => JSON.stringify(one)).join(' | ')
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as Record<string, unknown>[]).map(typeText).join(' | ')
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  if (schema['type'] === 'array') {
    const item = typeText((schema['items'] ?? {}) as Record<string, unknown>)
    return item.includes(' ') ? `(${item})[]` : `${item}[]`
  }
  if (Array.isArray(schema['type'])) return schema['type'].join(' | ')
  return typeof schema['type'] === 'string' ? schema['type'] : 'any'
}
