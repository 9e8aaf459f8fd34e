/** The catalogue of tools, and calls of them. */
import { z } from 'zod'
import type { AnsweredBy, ToolInfo, ToolMore } from '../../../contracts/tool.ts'
import { fromErrorData } from '../../../lib/errors.ts'
import { plainMember } from '../../../lib/plain-json.ts'
import { bearerOf, OPERATOR } from '../../../lib/tokens.ts'
import { entryOf } from '../entry.ts'
import { route, shape, type Desk } from './route.ts'
import { nextCursor, pageOf, pageQuery } from './paging.ts'
import { jsonMap } from './shapes.ts'

const toolInfo = shape<ToolInfo>(
  'Tool',
  z.object({
    name: z.string().describe('folded, as `filesystem_read_file`'),
    api: z.string(),
    method: z.string(),
    description: z.string(),
    schema: jsonMap.describe('JSON Schema of the parameters'),
    signature: z.string(),
    deadline_ms: z.number().exactOptional(),
    read_only: z.boolean().exactOptional(),
  }),
)

const toolMore: z.ZodType<ToolMore, ToolMore> = z.object({
  token: z.string(),
  offset: z.number(),
  total: z.number(),
  kind: z.enum(['text', 'list', 'json']),
  member: z.string().exactOptional(),
  hint: z.string(),
})

/** Who shows the system's own token is a person; any other token is a program's, and its calls are judged. */
function operatorOf({ asker, headers }: Desk): { operator?: string } {
  const token = asker?.name === OPERATOR ? bearerOf(headers.authorization) : undefined
  return token === undefined ? {} : { operator: token }
}

const answeredBy: z.ZodType<AnsweredBy, AnsweredBy> = z.object({
  generation: z.number(),
  source_hash: z.string().nullable().describe('of the source that answered'),
  config_hash: z.string().nullable().describe('of the config that answered'),
})

/** Only a token with less than all asks for the catalogue first. */
async function checkTool(desk: Desk, name: string): Promise<void> {
  if (desk.asker?.scope === 'admin') return
  const { tools } = await desk.tools.list()
  const found = tools.find((one) => one.name === name)
  if (found !== undefined) desk.checkCall(found.api, found.method)
}

const nameParam = z.object({ name: z.string().min(1).describe('the name of a tool') })

export const toolRoutes = [
  route({
    id: 'tools.list',
    method: 'GET',
    path: '/api/tools',
    scope: 'read',
    summary: 'Names, descriptions and JSON Schemas of all tools',
    verb: 'mm tools',
    query: pageQuery,
    answer: z.object({ tools: z.array(toolInfo), conflicts: z.array(z.string()), ...nextCursor }),
    async act({ desk, query }) {
      const { tools, conflicts } = await desk.tools.list()
      const { items, next } = pageOf(tools, (one) => one.name, query)
      return { tools: items, conflicts, ...next }
    },
  }),
  route({
    id: 'tools.show',
    method: 'GET',
    path: '/api/tools/{name}',
    scope: 'read',
    summary: 'One tool',
    params: nameParam,
    query: z.object({ draft: z.string().optional().describe('of JSON Schema: `7` or `2020-12`') }),
    answer: toolInfo,
    errors: ['tool_not_found', 'bad_arguments'],
    act: ({ desk, params, query }) =>
      desk.tools.describe(params.name, query.draft === undefined ? {} : { draft: query.draft as '7' }),
  }),
  route({
    id: 'tools.call',
    method: 'POST',
    path: '/api/tools/{name}',
    scope: 'operate',
    summary: 'Calls a tool; the body is its parameters',
    notes: 'With the header `Idempotency-Key` it runs once; see [tools.md](tools.md).',
    params: nameParam,
    body: jsonMap,
    answer: z.object({
      name: z.string(),
      status: z.literal('success'),
      value: z.unknown(),
      warnings: z.array(z.string()).exactOptional(),
      more: toolMore.exactOptional(),
      answered_by: answeredBy.exactOptional().describe('the version that answered'),
    }),
    errors: ['tool_not_found', 'bad_params', 'retry_id_reused'],
    idempotent: 'elsewhere',
    async act({ desk, params, body }) {
      await checkTool(desk, params.name)
      const id = desk.headers['idempotency-key']
      // With a key the caller may come again for the result: a lost connection does not end the call.
      const how = typeof id === 'string' ? { id } : { signal: desk.signal }
      const { call, place } = entryOf(desk)
      const own = { caller: desk.asker?.name === OPERATOR ? 'http' : `http:${desk.asker?.name}`, trace: place }
      const result = await desk.tools
        .with(call)
        .invoke(params.name, body, { ...how, ...own, ...operatorOf(desk), detail: true })
      if (result.status !== 'success') throw fromErrorData(result.error)
      const { value, ...rest } = result
      return plainMember('value', value, { api: 'tools', method: result.name }, rest)
    },
  }),
]
