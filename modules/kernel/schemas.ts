/** What each live module takes as its config, as JSON Schema (draft 7), for editors. Reads only. */
import { z } from 'zod'
import type { ConfigSchema } from '../contracts/kernel.ts'
import type { JsonMap } from '../contracts/seams.ts'
import type { ServiceRecord } from '../contracts/state.ts'

/** Keys the kernel reads itself: see docs/configs.md. */
const RESERVED = 'api prog enabled domain needs sandbox grants reload restart limits record description params'.split(
  ' ',
)

export function schemasOf(services: Iterable<ServiceRecord>): ConfigSchema[] {
  return [...services].flatMap(({ api, live }) => {
    if (live === undefined || api === 'kernel') return []
    return [{ api, config_file: live.desired.file, schema: schemaOf(live.evaluated?.exports['configSchema']) }]
  })
}

/** A schema that cannot be shown as JSON refuses nothing in an editor; the kernel goes by the module's own. */
function schemaOf(given: unknown): JsonMap {
  const reserved = Object.fromEntries(RESERVED.map((key) => [key, {}]))
  let own: JsonMap = {}
  try {
    if (given !== undefined)
      own = z.toJSONSchema(given as z.ZodType, { target: 'draft-7', io: 'input', unrepresentable: 'any' }) as JsonMap
  } catch {
    own = {}
  }
  const properties = own['properties'] as JsonMap | undefined
  // What is required may stand under `params:` as well.
  const { required: _required, ...rest } = own
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    ...rest,
    properties: { ...reserved, ...properties },
  }
}
