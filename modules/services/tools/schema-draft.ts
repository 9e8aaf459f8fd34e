/** A JSON Schema of draft 7 in the words of draft 2020-12: `$defs`, `prefixItems`. Pure. */
import type { JsonMap } from '../../contracts/seams.ts'

export function toDraft2020(schema: JsonMap): JsonMap {
  return { ...(rewrite(schema) as JsonMap), $schema: 'https://json-schema.org/draft/2020-12/schema' }
}

/** Maps from names to schemas: their keys are no words of the language. */
const NAMED = new Set(['properties', 'patternProperties', 'definitions'])
/** Values, not schemas. */
const VALUES = new Set(['const', 'enum', 'default', 'examples', 'required'])

function rewrite(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rewrite)
  if (typeof schema !== 'object' || schema === null) return schema
  const tuple = Array.isArray((schema as JsonMap)['items'])
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => word(key, value as unknown, tuple)))
}

function word(key: string, value: unknown, tuple: boolean): [string, unknown] {
  if (key === '$ref' && typeof value === 'string') return [key, value.replace(/^#\/definitions\//, '#/$defs/')]
  if (VALUES.has(key)) return [key, value]
  if (NAMED.has(key)) {
    const named = Object.entries(value ?? {}).map(([name, one]) => [name, rewrite(one)])
    return [key === 'definitions' ? '$defs' : key, Object.fromEntries(named)]
  }
  if (tuple && key === 'items') return ['prefixItems', rewrite(value)]
  if (tuple && key === 'additionalItems') return ['items', rewrite(value)]
  return [key, rewrite(value)]
}
