/**
 * A guest's `configSchema` as the kernel sees it in this process: the shape, so that a mistake is told with its place,
 * and which keys are volatile or secret. The guest checks by its own schema afterwards and fills in the defaults, so
 * values pass here as they are written.
 */
import { z } from 'zod'
import type { GuestFacts } from '../../contracts/sandbox.ts'
import type { JsonMap } from '../../contracts/seams.ts'

interface SchemaFace {
  shape: Record<string, { meta(): { volatile: boolean; secret: boolean } }>
  safeParse(value: unknown): unknown
}

export function configSchemaOf({ configSchema }: GuestFacts): SchemaFace | undefined {
  if (configSchema === undefined) return undefined
  const schema = configSchema.schema as JsonMap
  const properties = (schema['properties'] ?? {}) as Record<string, JsonMap>
  const shape: SchemaFace['shape'] = Object.create(null) as SchemaFace['shape']
  for (const [key, one] of Object.entries(properties)) {
    const facts = { volatile: configSchema.volatile.includes(key), secret: one['secret'] === true }
    shape[key] = { meta: () => facts }
  }
  const check = checkOf(schema)
  return {
    shape,
    safeParse: (value) => {
      const result = check?.safeParse(value)
      return result === undefined || result.success ? { success: true, data: value } : result
    },
  }
}

/** undefined where zod cannot read it: then only the guest checks. */
function checkOf(schema: JsonMap): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(schema)
  } catch {
    return undefined
  }
}
