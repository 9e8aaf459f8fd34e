/** docs/http-api.md comes from the table of routes; `npm run docs` writes it. */
import { expect, it } from 'vitest'
import { openApiOf } from '../../modules/services/http/openapi.ts'
import { ROUTES } from '../../modules/services/http/routes/index.ts'
import type { Route } from '../../modules/services/http/routes/route.ts'
import { matchesFile } from './files.ts'

interface Schema {
  $ref?: string
  type?: string | string[]
  description?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  required?: string[]
}

interface Operation {
  parameters?: { name: string; in: string; required: boolean; description?: string }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

const routes: readonly Route[] = ROUTES
const document = openApiOf(ROUTES, '1.0.0') as unknown as {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** A schema in one line: names of members, types where they say more. */
function lineOf(schema: Schema): string {
  const { $ref, enum: values, anyOf, items, properties, required = [] } = schema
  if ($ref !== undefined) return $ref.split('/').at(-1) ?? ''
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ')
  if (anyOf !== undefined) return anyOf.map(lineOf).join(' | ')
  if (items !== undefined) return `${lineOf(items)}[]`
  if (properties === undefined)
    return schema.additionalProperties === undefined
      ? typeOf(schema)
      : `{<name>: ${lineOf(schema.additionalProperties)}}`
  const members = Object.entries(properties).map(([name, member]) => {
    const named = required.includes(name) ? name : `${name}?`
    const line = lineOf(member)
    return /^[A-Z{]|\[\]$/.test(line) ? `${named}: ${line}` : named
  })
  return `{${members.join(', ')}}`
}

const typeOf = ({ type = 'any' }: Schema): string => [type].flat().join(' | ')

function rowOf({ method, path, scope, summary, notes, verb, as, raw }: Route): string {
  const operation = document.paths[path]?.[method.toLowerCase()] as Operation
  const { parameters = [], requestBody, responses } = operation
  const query = parameters.filter((one) => one.in === 'query').map((one) => one.name)
  const body = requestBody?.content['application/json']?.schema
  const answer = Object.values(responses['200']?.content ?? {})[0]?.schema
  const does = [
    `${summary}.`,
    notes ?? '',
    query.length === 0 ? '' : `Query: ${query.map((name) => `\`${name}\``).join(', ')}.`,
    body === undefined || raw === true ? '' : `Body: \`${lineOf(body)}\`.`,
    answer === undefined || raw === true
      ? ''
      : `Answer: \`${lineOf(answer)}\`${as === 'events' ? ', as server-sent events' : ''}.`,
  ]
  const cells = [
    `\`${method} ${path}\``,
    scope,
    does.filter((text) => text !== '').join(' '),
    verb === undefined ? '' : `\`${verb}\``,
  ]
  return `| ${cells.map(cell).join(' | ')} |`
}

function shapeOf([name, { properties = {}, required = [] }]: [string, Schema]): string {
  const rows = Object.entries(properties).map(([member, schema]) => {
    const said = schema.description ?? ''
    return `| \`${member}${required.includes(member) ? '' : '?'}\` | ${cell(`\`${lineOf(schema)}\``)} | ${cell(said)} |`
  })
  return `### ${name}\n\n| member | type | |\n|---|---|---|\n${rows.join('\n')}\n`
}

function page(): string {
  const shapes = Object.entries(document.components.schemas).sort(([a], [b]) => (a < b ? -1 : 1))
  return `# HTTP API

\`runtime/http.json\` says where: \`{url, pid, supervisor_pid, token_file}\`. Requests under \`/api\` need
\`Authorization: Bearer <token>\` with the text of \`token_file\`. The Host header must be an address of the server; a
browser's Origin must be the server's own or allowed by \`origins:\` in \`configs/services/http.yml\`. Bodies are JSON
objects, at most 1 MiB. Names in braces are URL-encoded: \`tasks/counter\` is \`tasks%2Fcounter\`. The same table as OpenAPI
3.1 is at \`GET /api/openapi.json\`. This page is written from \`modules/services/http/routes/\` by \`npm run docs\`.

Errors are \`{"error": {"code", "message", "hint", "doc"}}\`, see [ERRORS.md](../ERRORS.md); what a request got wrong is named
by \`field\`, and \`expected\` says what should stand there. A refusal has a status of 400–499 or 503; an error of the service
itself is 500 with the service's own code. An open event stream and a keep-alive connection live on when the http service
is reloaded.

| call | scope | does | command |
|---|---|---|---|
${routes.map(rowOf).join('\n')}

## Shapes

${shapes.map(shapeOf).join('\n')}`
}

it('docs/http-api.md and the table of routes agree', () => {
  matchesFile('docs/http-api.md', page())
})

it('every route has an id, a method and a path of its own, and says what it does in one sentence', () => {
  const ids = routes.map((one) => one.id)
  const places = routes.map((one) => `${one.method} ${one.path}`)
  expect([new Set(ids).size, new Set(places).size]).toEqual([routes.length, routes.length])
  expect(routes.filter(({ id }) => !/^[a-z]+\.[a-z_]+$/.test(id))).toEqual([])
  expect(routes.filter(({ summary }) => !/^[A-Z].*[^.]$/.test(summary))).toEqual([])
})

it('every name in a path has a schema', () => {
  for (const { path, method } of routes) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const known = document.paths[path]?.[method.toLowerCase()]?.parameters ?? []
    expect([path, known.filter((one) => one.in === 'path').map((one) => one.name)]).toEqual([path, named])
  }
})
