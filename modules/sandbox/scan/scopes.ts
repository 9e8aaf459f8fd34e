/**
 * Which declaration a name means, and what was ever assigned to it: one walk over a file before anything is judged.
 * A name without a declaration is a global. Order of execution is not looked at: what is assigned anywhere may be there.
 */
import { at, bare, childrenOf, isNode, listAt, nameOf, type Node } from './tree.ts'

/** One thing a name may stand for: an expression, reached into by `path` when it was taken apart. */
export type Origin =
  | { kind: 'expression'; node: Node; scope: Scope; path: readonly (string | undefined)[] }
  | { kind: 'import'; from: string; name: string | undefined }
  | { kind: 'unknown' }

export class Scope {
  readonly names = new Map<string, Origin[]>()
  readonly parent: Scope | undefined
  /** where `var` and function declarations go */
  readonly hoisted: Scope

  constructor(parent: Scope | undefined, isFunction: boolean) {
    this.parent = parent
    this.hoisted = isFunction || parent === undefined ? this : parent.hoisted
  }

  /** undefined: a global. */
  find(name: string): Origin[] | undefined {
    return this.names.get(name) ?? this.parent?.find(name)
  }

  declare(name: string, origin: Origin): void {
    const known = this.names.get(name)
    if (known === undefined) this.names.set(name, [origin])
    else known.push(origin)
  }
}

const FUNCTIONS = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/
const OPENS =
  /^(Program|BlockStatement|For(In|Of)?Statement|CatchClause|SwitchStatement|Class(Declaration|Expression)|StaticBlock|TSModuleBlock)$/

/** What is known of one file, and of fields by name over all files. */
export class Names {
  /** the scope in which a node's children stand, for nodes that open one */
  readonly #scopes = new Map<Node, Scope>()
  /** `this.db = …`, `db = …` in a class: any object's member of this name may be it */
  readonly fields: Map<string, Origin[]>
  readonly top: Scope

  constructor(program: Node, fields: Map<string, Origin[]>) {
    this.fields = fields
    this.top = new Scope(undefined, true)
    this.#scopes.set(program, this.top)
    const assignments: [Node, Scope][] = []
    for (const [, child] of childrenOf(program)) this.#declare(child, this.top, assignments)
    for (const [node, scope] of assignments) this.#assign(node, scope)
  }

  inside(node: Node, scope: Scope): Scope {
    return this.#scopes.get(node) ?? scope
  }

  #declare(node: Node, outer: Scope, assignments: [Node, Scope][]): void {
    this.#declareNames(node, outer)
    let scope = outer
    if (FUNCTIONS.test(node.type) || OPENS.test(node.type)) {
      scope = new Scope(outer, FUNCTIONS.test(node.type) || node.type === 'StaticBlock')
      this.#scopes.set(node, scope)
      this.#declareInside(node, scope)
    }
    if (node.type === 'AssignmentExpression' || node.type === 'PropertyDefinition') assignments.push([node, scope])
    for (const [, child] of childrenOf(node)) this.#declare(child, scope, assignments)
  }

  /** Names that stand in the scope around the node. */
  #declareNames(node: Node, scope: Scope): void {
    if (node.type === 'VariableDeclaration') {
      const target = node['kind'] === 'var' ? scope.hoisted : scope
      for (const one of listAt(node, 'declarations')) {
        const init = at(one, 'init')
        this.#bind(one['id'] as Node, init, scope, [], target)
      }
    } else if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') {
      this.#named(at(node, 'id'), scope)
    } else if (node.type === 'TSEnumDeclaration' || node.type === 'TSModuleDeclaration') {
      this.#named(at(node, 'id'), scope)
    } else if (node.type === 'ImportDeclaration') importNames(node, scope)
    else if (node.type === 'TSImportEqualsDeclaration') {
      const name = nameOf(at(node, 'id'))
      const from = textOf(at(node['moduleReference'] as Node, 'expression'))
      if (name !== undefined)
        scope.declare(name, from === undefined ? { kind: 'unknown' } : { kind: 'import', from, name: undefined })
    }
  }

  /** Names that stand inside the node only: parameters, its own name, what `catch` and `for` bind. */
  #declareInside(node: Node, scope: Scope): void {
    if (node.type.endsWith('Expression')) this.#named(at(node, 'id'), scope)
    const bound = [...listAt(node, 'params'), ...(node.type === 'CatchClause' ? [at(node, 'param')] : [])]
    for (const one of bound) if (one !== undefined) this.#bind(one, undefined, scope, [], scope)
  }

  #named(id: Node | undefined, scope: Scope): void {
    const name = nameOf(id)
    if (name !== undefined) scope.declare(name, { kind: 'unknown' })
  }

  /** `init` undefined: from where nobody can see, as a parameter. */
  #bind(
    target: Node,
    init: Node | undefined,
    scope: Scope,
    path: readonly (string | undefined)[],
    into: Scope | undefined,
  ): void {
    const origin: Origin = init === undefined ? { kind: 'unknown' } : { kind: 'expression', node: init, scope, path }
    const inner = bare(target)
    switch (inner.type) {
      case 'Identifier': {
        const name = nameOf(inner) as string
        if (into !== undefined) into.declare(name, origin)
        else scope.find(name)?.push(origin)
        return
      }
      case 'MemberExpression': {
        const name = nameOf(at(inner, 'property'))
        if (name !== undefined && inner['computed'] !== true) this.#field(name, origin)
        return
      }
      case 'AssignmentPattern':
        this.#bind(inner['left'] as Node, init, scope, path, into)
        this.#bind(inner['left'] as Node, inner['right'] as Node, scope, [], into)
        return
      case 'RestElement':
        this.#bind(inner['argument'] as Node, init, scope, path, into)
        return
      case 'TSParameterProperty':
        this.#bind(inner['parameter'] as Node, init, scope, path, into)
        return
      case 'ArrayPattern':
        for (const one of listAt(inner, 'elements')) this.#bind(one, init, scope, [...path, undefined], into)
        return
      case 'ObjectPattern':
        for (const one of listAt(inner, 'properties')) {
          if (one.type === 'RestElement') this.#bind(one, init, scope, path, into)
          else this.#bind(one['value'] as Node, init, scope, [...path, keyText(one)], into)
        }
        return
      default:
    }
  }

  #field(name: string, origin: Origin): void {
    const known = this.fields.get(name)
    if (known === undefined) this.fields.set(name, [origin])
    else known.push(origin)
  }

  #assign(node: Node, scope: Scope): void {
    if (node.type === 'AssignmentExpression') {
      this.#bind(node['left'] as Node, node['right'] as Node, scope, [], undefined)
      return
    }
    const name = node['computed'] === true ? undefined : nameOf(at(node, 'key'))
    const value = at(node, 'value')
    if (name !== undefined && value !== undefined)
      this.#field(name, { kind: 'expression', node: value, scope, path: [] })
  }
}

/** The text of a literal. */
export const textOf = (node: Node | undefined): string | undefined =>
  node?.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined

/** The key of a property where it is written out; `['computed']` ones are looked at by whoever judges them. */
function keyText(property: Node): string | undefined {
  const key = at(property, 'key')
  return property['computed'] === true ? textOf(key) : (nameOf(key) ?? textOf(key))
}

function importNames(node: Node, scope: Scope): void {
  const from = textOf(at(node, 'source')) ?? ''
  for (const one of listAt(node, 'specifiers')) {
    const local = nameOf(at(one, 'local'))
    const imported = one['imported']
    const name = one.type === 'ImportSpecifier' && isNode(imported) ? (nameOf(imported) ?? textOf(imported)) : undefined
    if (local !== undefined) scope.declare(local, { kind: 'import', from, name })
  }
}
