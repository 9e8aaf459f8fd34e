/**
 * The table of routes as an OpenAPI 3.1 document. Shapes with a name stand once, under `components`. Made when somebody
 * asks for it: nothing at boot. Pure.
 */
import { z } from 'zod'
import type { Route } from './routes/route.ts'
import { SHAPES } from './routes/route.ts'
import { ErrorAnswer } from './routes/shapes.ts'
import { ERRORS } from '../../contracts/errors.ts'

type Json = Record<string, unknown>

/** What any route under a token may refuse with. */
const COMMON = ['unauthorized', 'host_refused', 'bad_request'] as const

export function openApiOf(routes: readonly Route[], version: string): Json {
  const schemas = new Schemas()
  const paths: Record<string, Json> = {}
  for (const one of routes) {
    const path = (paths[one.path] ??= {})
    path[one.method.toLowerCase()] = operationOf(one, schemas)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'meta-machine', version },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: schemas.named,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The text of `token_file` in runtime/http.json.' },
      },
    },
  }
}

function operationOf(one: Route, schemas: Schemas): Json {
  const { id, summary, notes, scope, verb, method } = one
  const scoped = scope === 'open' ? [] : [`Scope: \`${scope}\`.`]
  const description = [notes, ...scoped, verb === undefined ? undefined : `Command: \`${verb}\`.`]
  const parameters = [...parametersOf(one.params, 'path', schemas), ...parametersOf(one.query, 'query', schemas)]
  const body = method === 'GET' || method === 'DELETE' ? {} : bodyOf(one, schemas)
  return {
    operationId: id,
    summary,
    description: description.filter((text) => text !== undefined).join(' '),
    tags: [id.split('.')[0]],
    ...(scope === 'open' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...body,
    responses: responsesOf(one, schemas),
  }
}

function bodyOf({ body }: Route, schemas: Schemas): Json {
  const schema = schemas.of(body, 'input')
  const properties = schema['properties'] as Json | undefined
  if (properties !== undefined && Object.keys(properties).length === 0) return {}
  const required = Array.isArray(schema['required']) && schema['required'].length > 0
  return { requestBody: { required, content: { 'application/json': { schema } } } }
}

const TYPES = { json: 'application/json', text: 'text/plain', events: 'text/event-stream' } as const

function responsesOf(one: Route, schemas: Schemas): Json {
  const { as = 'json', answer, errors = [], scope, raw } = one
  const content = { [TYPES[as]]: { schema: schemas.of(answer, 'output') } }
  const codes = [...(scope === 'open' ? ['bad_request' as const] : COMMON), ...errors]
  const refusals = new Map<number, string[]>()
  for (const code of codes) refusals.set(ERRORS[code].status, [...(refusals.get(ERRORS[code].status) ?? []), code])
  const error = { 'application/json': { schema: schemas.of(ErrorAnswer, 'output') } }
  const refused = [...refusals].map(([status, of]) => [
    String(status),
    { description: of.map((code) => `\`${code}\``).join(', '), content: error },
  ])
  return {
    '200': { description: 'Done', ...(raw === true ? {} : { content }) },
    ...Object.fromEntries(refused),
    default: { description: 'Refused or failed: the code says why', content: error },
  }
}

function parametersOf(schema: z.ZodType, where: 'path' | 'query', schemas: Schemas): Json[] {
  const { properties = {}, required = [] } = schemas.of(schema, 'input') as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

/** JSON Schemas of one document, those with a name gathered. */
class Schemas {
  readonly named: Record<string, Json> = {}

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const made = z.toJSONSchema(schema, {
      metadata: SHAPES,
      io,
      unrepresentable: 'any',
      // What was said of a schema stands in zod's own registry, the names in ours.
      override: ({ zodSchema, jsonSchema }) => {
        Object.assign(jsonSchema, z.globalRegistry.get(zodSchema as unknown as z.ZodType))
        // An answer may grow: a client must not refuse what it does not know.
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
      },
    }) as Json
    const { $schema: _dialect, $defs = {}, ...rest } = moved(made) as Json & { $defs?: Record<string, Json> }
    for (const [name, definition] of Object.entries($defs)) this.named[name] = definition
    return rest
  }
}

/** `#/$defs/X` is `#/components/schemas/X` in such a document, and a name is not said twice. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (key === '$ref') return [[key, String(member).replace('#/$defs/', '#/components/schemas/')]]
    return key === 'id' && typeof member === 'string' ? [] : [[key, moved(member)]]
  })
  return Object.fromEntries(entries)
}
