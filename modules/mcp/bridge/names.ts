/**
 * The methods of a service from the tools of a server. A method has the tool's name, and where that is no plain word
 * (`get-sum`) the folded one (`get_sum`) too, which is the one the catalogue and the capabilities know. Pure.
 */
import { LIFECYCLE_NAMES, RESERVED_METHODS } from '../../lib/module-contract.ts'

export interface ToolNames {
  tool: string
  /** the folded name */
  method: string
  /** the server's own name, where it is another one and free */
  alias: string | undefined
}

export interface Named {
  named: ToolNames[]
  /** tools that cannot be called, as their names leave nothing or are taken */
  left: string[]
}

export function namesOf(tools: readonly string[], taken: ReadonlySet<string>): Named {
  const methods = new Set<string>()
  const named: ToolNames[] = []
  const left: string[] = []
  const reserved = (name: string): boolean =>
    taken.has(name) || LIFECYCLE_NAMES.has(name) || RESERVED_METHODS.has(name) || name in Object.prototype
  for (const tool of tools) {
    const folded = fold(tool)
    const method = reserved(folded) ? `${folded}_` : folded
    if (folded === '' || methods.has(method)) {
      left.push(tool)
      continue
    }
    methods.add(method)
    named.push({ tool, method, alias: undefined })
  }
  for (const one of named) {
    const { tool } = one
    if (tool === one.method || tool.startsWith('_') || reserved(tool) || methods.has(tool)) continue
    methods.add(tool)
    one.alias = tool
  }
  return { named, left }
}

const fold = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()
