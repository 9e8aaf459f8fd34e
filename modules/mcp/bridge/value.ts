/**
 * What a server's result is to a caller here: its structured content, else its text, else the blocks as they came (an
 * image, a resource). It is data; nothing in it is followed or run. Pure.
 */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'

export function valueOf({ content, structuredContent }: CallToolResult): unknown {
  const onlyText = content.every(({ type }) => type === 'text')
  if (structuredContent !== undefined && onlyText) return structuredContent
  if (content.length === 0) return null
  return onlyText ? textOf(content) : { content }
}

export const textOf = (content: CallToolResult['content']): string =>
  content.map((block) => (block.type === 'text' ? block.text : `(${block.type})`)).join('\n')
