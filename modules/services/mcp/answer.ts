/**
 * A tool's result in the words of the protocol: text for the model, and the same as `structuredContent` where it is an
 * object. A value that already is content of the protocol (an image of a bridged server) goes through as it is. Pure.
 */
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/sdk/types.js'
import type { ToolResult } from '../../contracts/tool.ts'
import { toPlain } from '../../lib/plain-json.ts'

type ToolSuccess = Extract<ToolResult, { status: 'success' }>
type ToolError = Extract<ToolResult, { status: 'error' }>['error']

/** Throws `result_not_cloneable` for what JSON cannot hold. */
export function answerOf(result: ToolSuccess): CallToolResult {
  const plain = toPlain(result.value, { api: 'tools', method: result.name })
  if (isContent(plain)) return { content: plain.content }
  const text = typeof plain === 'string' ? plain : JSON.stringify(plain)
  const structured = typeof plain === 'object' && plain !== null && !Array.isArray(plain)
  return {
    content: [{ type: 'text', text }, ...notesOf(result)],
    ...(structured ? { structuredContent: plain as Record<string, unknown> } : {}),
  }
}

/** What was taken otherwise than it came, and how to get the rest of a result that was too large. */
function notesOf({ warnings = [], more }: ToolSuccess): ContentBlock[] {
  const notes = more === undefined ? warnings : [...warnings, `${more.hint} ${JSON.stringify(more)}`]
  return notes.map((text) => ({ type: 'text', text }))
}

export function refusalOf({ code, message, hint }: ToolError): CallToolResult {
  return {
    isError: true,
    content: [{ type: 'text', text: `${code}: ${message}${hint === '' ? '' : `\n${hint}`}` }],
    structuredContent: { error: { code, message, hint } },
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'

const BLOCKS: Record<string, (block: Record<string, unknown>) => boolean> = {
  text: ({ text }) => isText(text),
  image: ({ data, mimeType }) => isText(data) && isText(mimeType),
  audio: ({ data, mimeType }) => isText(data) && isText(mimeType),
  resource_link: ({ uri, name }) => isText(uri) && isText(name),
  resource: ({ resource }) => {
    const { uri, text, blob } = (resource ?? {}) as Record<string, unknown>
    return isText(uri) && (isText(text) || isText(blob))
  },
}

function isContent(value: unknown): value is { content: ContentBlock[] } {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'content') return false
  const { content } = value as { content: unknown }
  return (
    Array.isArray(content) &&
    content.length > 0 &&
    content.every((block: unknown) => {
      const fields = (typeof block === 'object' && block !== null ? block : {}) as Record<string, unknown>
      const { type } = fields
      return isText(type) && Object.hasOwn(BLOCKS, type) && BLOCKS[type]?.(fields) === true
    })
  )
}
