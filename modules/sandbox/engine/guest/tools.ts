/**
 * The tools of a module: their JSON Schemas, worked out by the zod the module itself brings, and the check of arguments
 * by its own schemas. The other side checks by the JSON Schema before; what only zod knows is checked here.
 */
import type { GuestMember } from '../../../contracts/sandbox.ts'
import type { Json, JsonMap } from '../../../contracts/seams.ts'
import { shortJson } from '../../../lib/short-json.ts'
import { foldToolName, signatureOf } from '../../../lib/tool-name.ts'
import { coded } from './errors.ts'
import { apply } from './primordials.ts'

interface Issue {
  path: PropertyKey[]
  message: string
}

export interface Schema {
  safeParse(value: unknown): { success: true; data: unknown } | { success: false; error: { issues: Issue[] } }
  shape?: Record<string, never>
}

export type ToSchema = (schema: unknown, options: { target: 'draft-7'; io: 'input' }) => Json
export type ToolRun = (given: unknown, context: unknown) => unknown

interface LooseTool {
  description?: unknown
  params?: unknown
  run?: unknown
  deadline_ms?: unknown
  read_only?: unknown
}

export function toSchema(schema: unknown, toJsonSchema: ToSchema | undefined): JsonMap {
  if (toJsonSchema === undefined) throw new TypeError('its schemas are not of a zod that this module imports')
  const { $schema: _draft, ...rest } = toJsonSchema(schema, { target: 'draft-7', io: 'input' }) as JsonMap
  return rest
}

export const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && typeof (value as { safeParse?: unknown }).safeParse === 'function'

/** Throws `aspect_invalid` for the first that is none. */
export function readTools(
  api: string,
  tools: object,
  toJsonSchema: ToSchema | undefined,
): { members: GuestMember[]; runs: Record<string, ToolRun> } {
  const members: GuestMember[] = []
  const runs: Record<string, ToolRun> = {}
  for (const [name, definition] of Object.entries(tools)) {
    if (name.startsWith('_')) continue
    const { member, run } = readTool(api, name, definition, tools, toJsonSchema)
    members.push(member)
    runs[name] = run
  }
  return { members, runs }
}

function readTool(
  api: string,
  name: string,
  definition: unknown,
  owner: object,
  toJsonSchema: ToSchema | undefined,
): { member: GuestMember; run: ToolRun } {
  const wrong = (reason: string): Error => coded('aspect_invalid', { aspect: 'tool', reason: `\`${name}\` ${reason}` })
  const loose = definition as LooseTool
  const run = typeof definition === 'function' ? definition : loose.run
  if (typeof run !== 'function') throw wrong('has no function `run`')
  if (typeof loose.description !== 'string' || loose.description === '') throw wrong('has no `description`')
  const { params, deadline_ms } = loose
  const schema = readParams(params, toJsonSchema, wrong)
  const tool: NonNullable<GuestMember['tool']> = { description: loose.description, schema }
  if (deadline_ms !== undefined) {
    if (!(typeof deadline_ms === 'number' && deadline_ms > 0))
      throw wrong('has a `deadline_ms` that is no positive number')
    tool.deadline_ms = deadline_ms
  }
  if (loose.read_only === true) tool.read_only = true
  const self = typeof definition === 'function' ? owner : definition
  const checked: ToolRun = (given, context) => {
    if (!isSchema(params)) return apply(run, self, [given ?? {}, context])
    const result = params.safeParse(given ?? {})
    if (result.success) return apply(run, self, [result.data, context])
    throw badParams(foldToolName(api, name), schema, result.error.issues, given)
  }
  return { member: { name, kind: 'tool', length: 1, tool }, run: checked }
}

function readParams(params: unknown, toJsonSchema: ToSchema | undefined, wrong: (reason: string) => Error): JsonMap {
  if (params === undefined) return { type: 'object', properties: {} }
  let schema: JsonMap
  try {
    schema = isSchema(params) ? toSchema(params, toJsonSchema) : { ...(params as JsonMap) }
  } catch (thrown) {
    throw wrong(`has \`params\` without a JSON Schema: ${String((thrown as Error).message)}`)
  }
  if (schema['type'] !== 'object')
    throw wrong('has `params` that are neither a zod object nor a JSON Schema of an object')
  delete schema['$schema']
  return schema
}

function badParams(tool: string, schema: JsonMap, issues: readonly Issue[], given: unknown): Error {
  const issue = issues[0]
  const came = (issue?.path ?? []).reduce<unknown>((at, key) => (at as never)?.[key], given)
  return coded('bad_params', {
    tool,
    param: (issue?.path ?? []).map(String).join('.') || '(all)',
    reason: `${issue?.message ?? 'it does not fit'}, came ${shortJson(came)}`,
    signature: signatureOf(tool, schema),
  })
}
