/**
 * The powers a file asks for: every method of a handle that its text names, with the argument a pattern would be
 * compared with. A handle that goes where the text does not show its use (an argument, a return value, an export)
 * counts as all its methods: too much is shown rather than too little.
 */
import type { Power } from '../../contracts/sandbox.ts'
import type { Scope } from './scopes.ts'
import { at, bare, listAt, type Node } from './tree.ts'
import { ANY, type Values } from './values.ts'
import { isReference } from './judge.ts'

/** Through these a handle only passes. */
const PASSES =
  /^(TS\w+Expression|TSTypeAssertion|ChainExpression|AwaitExpression|LogicalExpression|ConditionalExpression)$/

export function powersAt(node: Node, scope: Scope, parents: readonly Node[], values: Values): Power[] {
  if (node.type === 'MemberExpression') return methods(node, scope, parents, values)
  if (node.type === 'Property' && parents.at(-1)?.type === 'ObjectPattern') return taken(node, scope, parents, values)
  const isUse =
    node.type === 'CallExpression' || (node.type === 'Identifier' && isReference(node, parents.at(-1) as Node))
  if (!isUse || staysInSight(node, parents)) return []
  return values
    .of(node, scope)
    .flatMap((one) => (one.kind === 'handle' ? [{ service: one.service, aspect: one.aspect, method: ANY }] : []))
}

/** `db.query(…)`, and `db.query` on its own. A field that holds a handle is looked at like a name. */
function methods(node: Node, scope: Scope, parents: readonly Node[], values: Values): Power[] {
  const parent = parents.findLast((one) => !PASSES.test(one.type))
  const called = parent?.type === 'CallExpression' && bare(parent['callee'] as Node) === node
  const [first] = called ? listAt(parent, 'arguments') : []
  const [argument] = first === undefined ? [] : values.texts(first, scope)
  return values.of(node, scope).flatMap((one) => {
    if (one.kind === 'handle')
      return staysInSight(node, parents) ? [] : [{ service: one.service, aspect: one.aspect, method: ANY }]
    if (one.kind !== 'method') return []
    return [
      { service: one.service, aspect: one.aspect, method: one.method, ...(argument === undefined ? {} : { argument }) },
    ]
  })
}

/** `const { query } = kernel.getApi('database')`: what the declared name stands for. */
function taken(node: Node, scope: Scope, parents: readonly Node[], values: Values): Power[] {
  const declarator = parents.at(-2)
  const init = declarator?.type === 'VariableDeclarator' ? at(declarator, 'init') : undefined
  if (init === undefined) return []
  const keys = values.keys(node, 'key', scope)
  return values.of(init, scope).flatMap((one) => {
    if (one.kind !== 'handle') return []
    return (keys.length === 0 ? [ANY] : keys).map((method) => ({ service: one.service, aspect: one.aspect, method }))
  })
}

/** The handle goes to a name, a field or one of its own members, all of which are looked at. */
function staysInSight(node: Node, parents: readonly Node[]): boolean {
  let inner = node
  let index = parents.length - 1
  for (let parent = parents[index]; parent !== undefined && PASSES.test(parent.type); parent = parents[--index])
    inner = parent
  const parent = parents[index]
  if (parent === undefined) return true
  switch (parent.type) {
    case 'MemberExpression':
      return parent['object'] === inner
    case 'VariableDeclarator':
      return parents[index - 2]?.type !== 'ExportNamedDeclaration'
    case 'AssignmentExpression':
      return parent['left'] === inner || parents[index - 1]?.type === 'ExpressionStatement'
    case 'PropertyDefinition':
    case 'ExpressionStatement':
    case 'UnaryExpression':
    case 'BinaryExpression':
      return true
    default:
      return false
  }
}
