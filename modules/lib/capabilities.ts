/**
 * What a token may do, as patterns `domain:action`. The domain is a tool's service, the action its method or the words
 * it begins with: `filesystem:read` covers `read_file`. `*` stands for any text, alone for everything. Admin tools are
 * named by the same patterns. Pure.
 */
import type { ToolInfo } from '../contracts/tool.ts'

const PATTERN = /^(\*|[^:\s]+:[^:\s]+)$/

export const isCapability = (text: string): boolean => PATTERN.test(text)

/** Whether one of the patterns covers the tool. */
export function covers(patterns: readonly string[], { api, method }: Pick<ToolInfo, 'api' | 'method'>): boolean {
  const action = inWords(method)
  return patterns.some((pattern) => {
    if (pattern === '*') return true
    const colon = pattern.indexOf(':')
    return fits(pattern.slice(0, colon), api) && coversAction(inWords(pattern.slice(colon + 1)), action)
  })
}

/** `read` covers `read` and `read_file`, not `readable`. */
const coversAction = (pattern: string, action: string): boolean => fits(pattern, action) || fits(`${pattern}_*`, action)

/** `*` matches as little as it can and then more: without a regular expression there is none that could run away. */
function fits(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === text
  if (!text.startsWith(first)) return false
  const last = rest.pop() ?? ''
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

/** `readFile` and `read-file` are `read_file`, as in the tool's name. */
const inWords = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9*]+/g, '_')
    .toLowerCase()
