/**
 * Tools that change the system itself ask for two more arguments: `confirm: true` and a reason for the log. They are
 * added to the schema that clients see, checked here, and taken out before the tool gets its parameters. Pure.
 */
import type { JsonMap } from '../../contracts/seams.ts'
import type { ToolInfo } from '../../contracts/tool.ts'
import { coded, type CodedError } from '../../lib/errors.ts'

const CONFIRM: JsonMap = {
  type: 'boolean',
  description: 'This tool changes the system. Pass true once the person you work for has agreed.',
}
const REASON: JsonMap = { type: 'string', minLength: 1, description: 'Why, for the log.' }

export const REASON_CHARS_MAX = 1_000

export function withConfirmation(schema: JsonMap): JsonMap {
  const properties = (schema['properties'] ?? {}) as JsonMap
  const required = (schema['required'] ?? []) as string[]
  return {
    ...schema,
    properties: { ...properties, confirm: properties['confirm'] ?? CONFIRM, reason: properties['reason'] ?? REASON },
    required: [...new Set([...required, 'confirm', 'reason'])],
  }
}

export interface Confirmed {
  /** what the tool itself asked for */
  params: Record<string, unknown>
  reason: string
}

/** Undefined parameters when something is missing: the error says what. */
export function readConfirmation(
  { name, schema }: Pick<ToolInfo, 'name' | 'schema'>,
  args: Record<string, unknown>,
): Confirmed | { error: CodedError } {
  const { confirm, reason, ...others } = args
  const missing = [
    ...(confirm === true ? [] : ['`confirm: true`']),
    ...(typeof reason === 'string' && reason.trim() !== '' ? [] : ['a `reason` that is not blank']),
  ]
  if (missing.length > 0) return { error: coded('mcp_confirm', { tool: name, missing: missing.join(' and ') }) }
  const own = (schema['properties'] ?? {}) as JsonMap
  return {
    params: { ...others, ...('confirm' in own ? { confirm } : {}), ...('reason' in own ? { reason } : {}) },
    reason: String(reason).trim().slice(0, REASON_CHARS_MAX),
  }
}
