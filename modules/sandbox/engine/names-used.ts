/**
 * Which names of its file a piece of code uses, with the members it reads of them where these are written out:
 * `core.clone(x)` uses `core.clone`, `keys(core)` all of `core`. A name that a function or a block binds anew is not
 * meant; where that is in doubt it is. Pure. Read by `es-file.ts`.
 */
import { visitorKeys } from 'oxc-parser'
import { isNode, type Node } from '../scan/tree.ts'
import { boundNames } from './bound-names.ts'

/** a name, and members of it */
export type Path = readonly string[]

type Names = ReadonlySet<string>

/** `known`: the names of the file that count. */
export function namesUsed(node: Node, known: Names): Path[] {
  const found = new Map<string, Path>()
  visit(node, new Set(), (path, hidden) => {
    const name = path[0] ?? ''
    if (known.has(name) && !hidden.has(name)) found.set(path.join('.'), path)
  })
  return [...found.values()]
}

type Note = (path: Path, hidden: Names) => void

function visit(node: Node, outer: Names, note: Note): void {
  const path = node.type === 'Identifier' || node.type === 'MemberExpression' ? pathOf(node) : undefined
  if (path !== undefined) return note(path, outer)
  const bound = boundBy(node)
  const hidden = bound.length === 0 ? outer : new Set([...outer, ...bound])
  for (const key of visitorKeys[node.type] ?? []) {
    // A name after a dot or before a colon is no name of the file.
    if ((key === 'property' || key === 'key') && node['computed'] === false) continue
    const value = node[key]
    if (Array.isArray(value)) {
      for (const one of value) if (isNode(one)) visit(one, hidden, note)
    } else if (isNode(value)) visit(value, hidden, note)
  }
}

function pathOf(node: Node): string[] | undefined {
  if (node.type === 'Identifier') return [node['name'] as string]
  if (node.type !== 'MemberExpression' || node['computed'] === true) return undefined
  const path = pathOf(node['object'] as Node)
  path?.push((node['property'] as { name: string }).name)
  return path
}

const boundIn = (pattern: unknown): string[] => (isNode(pattern) ? boundNames(pattern) : [])

/** What is bound anew in all of the node. */
function boundBy(node: Node): string[] {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'ArrowFunctionExpression':
      return (node['params'] as unknown[]).flatMap(boundIn)
    case 'FunctionExpression':
      return [...boundIn(node['id']), ...(node['params'] as unknown[]).flatMap(boundIn)]
    case 'ClassExpression':
      return boundIn(node['id'])
    case 'CatchClause':
      return boundIn(node['param'])
    case 'BlockStatement':
    case 'StaticBlock':
      return (node['body'] as Node[]).flatMap(declaredBy)
    case 'SwitchStatement':
      return (node['cases'] as Node[]).flatMap((one) => (one['consequent'] as Node[]).flatMap(declaredBy))
    case 'ForStatement':
      return isNode(node['init']) ? declaredBy(node['init']) : []
    case 'ForInStatement':
    case 'ForOfStatement':
      return declaredBy(node['left'] as Node)
    default:
      return []
  }
}

/** The names a statement declares where it stands. */
export function declaredBy(statement: Node): string[] {
  switch (statement.type) {
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return boundIn(statement['id'])
    case 'VariableDeclaration':
      return (statement['declarations'] as Node[]).flatMap((one) => boundIn(one['id']))
    default:
      return []
  }
}
