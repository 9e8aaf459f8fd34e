/**
 * The syntax tree as the scan sees it: nodes with a type and a place, children in the order they stand, types left out.
 * A thin layer over oxc-parser, so that everything else depends on these few functions only.
 */
import { parseSync, visitorKeys } from 'oxc-parser'
import { NESTING_MAX, nestingOf } from '../../lib/nesting.ts'

export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** Of the nodes that TypeScript adds, those in which something runs. */
const RUNS = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
  'TSInstantiationExpression',
  'TSEnumDeclaration',
  'TSEnumBody',
  'TSEnumMember',
  'TSModuleDeclaration',
  'TSModuleBlock',
  'TSParameterProperty',
  'TSExportAssignment',
  'TSImportEqualsDeclaration',
  'TSExternalModuleReference',
  'TSAbstractPropertyDefinition',
])

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'

/** Whether anything of it is left when the types are gone. */
const runs = (node: Node): boolean =>
  (!node.type.startsWith('TS') || RUNS.has(node.type)) &&
  node['importKind'] !== 'type' &&
  node['exportKind'] !== 'type' &&
  node['declare'] !== true

export function* childrenOf(node: Node): Generator<[key: string, child: Node]> {
  for (const key of visitorKeys[node.type] ?? []) {
    const value = node[key]
    if (Array.isArray(value)) {
      for (const one of value) if (isNode(one) && runs(one)) yield [key, one]
    } else if (isNode(value) && runs(value)) yield [key, value]
  }
}

/** The node at a key, where there is one. */
export const at = (node: Node, key: string): Node | undefined => {
  const value = node[key]
  return isNode(value) ? value : undefined
}

export const listAt = (node: Node, key: string): Node[] => {
  const value = node[key]
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** The name of an identifier, `#private` ones with their mark. */
export const nameOf = (node: Node | undefined): string | undefined => {
  if (node?.type === 'Identifier') return String(node['name'])
  return node?.type === 'PrivateIdentifier' ? `#${String(node['name'])}` : undefined
}

/** Without brackets, types and `?.`: what is evaluated. */
export function bare(node: Node): Node {
  let inner = node
  while (/^(TS(As|Satisfies|NonNull|Instantiation)Expression|TSTypeAssertion|ChainExpression)$/.test(inner.type))
    inner = inner['expression'] as Node
  return inner
}

export type Parsed = { program: Node } | { error: string; offset: number }

/** Never throws, and never ends the process: a source that nests too deeply does not reach the parser. */
export function parse(file: string, text: string): Parsed {
  if (nestingOf(text) > NESTING_MAX) return { error: 'it nests too deeply', offset: 0 }
  const lang = /\.[cm]?ts$/.test(file) ? 'ts' : 'js'
  const result = parseSync(file, text, { lang, sourceType: 'module', preserveParens: false })
  const [error] = result.errors.filter((one) => one.severity === 'Error')
  if (error !== undefined) return { error: error.message, offset: error.labels[0]?.start ?? 0 }
  return { program: result.program as unknown as Node }
}
