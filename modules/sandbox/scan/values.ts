/**
 * What an expression may stand for, as far as the text tells: constant texts, globals and members of built-ins by
 * their path (`''` is the global object, `process.binding` a member), handles of services and methods of handles.
 * Several answers are all possible; none means nobody can know. Pure; asked at any place, in any order.
 */
import { importName } from './forbidden.ts'
import { textOf, type Names, type Origin, type Scope } from './scopes.ts'
import { at, bare, isNode, listAt, nameOf, type Node } from './tree.ts'

export type Value =
  | { kind: 'text'; text: string }
  | { kind: 'path'; path: string }
  | { kind: 'handle'; service: string; aspect: string }
  | { kind: 'method'; service: string; aspect: string; method: string }

/** A name that is known only at run time. */
export const ANY = '*'

const DEPTH_MAX = 12
const VALUES_MAX = 16
const GLOBAL_OBJECTS = new Set(['globalThis', 'global', 'self', 'window'])
const OPTIONS = new Set(['with'])
const NO_POWER = new Set(['as', 'with', 'getStats'])

export class Values {
  readonly #names: Names
  readonly #open = new Set<Node>()

  constructor(names: Names) {
    this.#names = names
  }

  of(node: Node, scope: Scope): Value[] {
    const inner = bare(node)
    if (this.#open.size >= DEPTH_MAX || this.#open.has(inner)) return []
    this.#open.add(inner)
    try {
      return this.#evaluate(inner, scope).slice(0, VALUES_MAX)
    } finally {
      this.#open.delete(inner)
    }
  }

  /** The texts it may be; empty: unknown. */
  texts(node: Node, scope: Scope): string[] {
    return this.of(node, scope).flatMap((value) => (value.kind === 'text' ? [value.text] : []))
  }

  /** The names of a member or of a property in a pattern; empty: computed. */
  keys(node: Node, key: 'property' | 'key', scope: Scope): string[] {
    const name = at(node, key)
    if (name === undefined) return []
    if (node['computed'] === true) return this.texts(name, scope)
    const written = nameOf(name) ?? textOf(name)
    return written === undefined ? [] : [written]
  }

  #evaluate(node: Node, scope: Scope): Value[] {
    const both = (...keys: string[]): Value[] =>
      keys.flatMap((key) => (isNode(node[key]) ? this.of(node[key], scope) : []))
    switch (node.type) {
      case 'Literal':
        return typeof node['value'] === 'string' ? [{ kind: 'text', text: node['value'] }] : []
      case 'TemplateLiteral':
        return this.#template(node, scope)
      case 'BinaryExpression':
        return node['operator'] === '+' ? this.#joined([node['left'] as Node, node['right'] as Node], scope) : []
      case 'Identifier':
        return this.#name(nameOf(node) as string, scope)
      case 'MemberExpression':
        return this.#member(node, scope)
      case 'CallExpression':
        return this.#call(node, scope)
      case 'ImportExpression':
        return this.texts(node['source'] as Node, scope).map((from) => ({ kind: 'path', path: importName(from) }))
      case 'AwaitExpression':
        return both('argument')
      case 'AssignmentExpression':
        return both('right')
      case 'ConditionalExpression':
        return both('consequent', 'alternate')
      case 'LogicalExpression':
        return both('left', 'right')
      case 'SequenceExpression':
        return listAt(node, 'expressions')
          .slice(-1)
          .flatMap((last) => this.of(last, scope))
      default:
        return []
    }
  }

  #joined(parts: readonly Node[], scope: Scope): Value[] {
    let texts = ['']
    for (const part of parts) {
      const next = this.texts(part, scope)
      texts = texts.flatMap((before) => next.map((one) => before + one)).slice(0, VALUES_MAX)
    }
    return texts.map((text) => ({ kind: 'text', text }))
  }

  #template(node: Node, scope: Scope): Value[] {
    const expressions = listAt(node, 'expressions')
    let texts = ['']
    for (const [index, quasi] of listAt(node, 'quasis').entries()) {
      const { cooked } = quasi['value'] as { cooked: string | null }
      const expression = expressions[index]
      const next = expression === undefined ? [''] : this.texts(expression, scope)
      texts = texts.flatMap((before) => next.map((one) => before + (cooked ?? '') + one)).slice(0, VALUES_MAX)
    }
    return texts.map((text) => ({ kind: 'text', text }))
  }

  #name(name: string, scope: Scope): Value[] {
    const origins = scope.find(name)
    if (origins !== undefined) return origins.flatMap((origin) => this.#origin(origin))
    return [{ kind: 'path', path: GLOBAL_OBJECTS.has(name) ? '' : name }]
  }

  #origin(origin: Origin): Value[] {
    if (origin.kind === 'unknown') return []
    if (origin.kind === 'import') {
      if (/^[./]/.test(origin.from)) return []
      const path = importName(origin.from)
      return [{ kind: 'path', path: origin.name === undefined ? path : `${path}.${origin.name}` }]
    }
    let values = this.of(origin.node, origin.scope)
    for (const key of origin.path) values = key === undefined ? [] : values.flatMap((one) => memberOf(one, key))
    return values
  }

  #member(node: Node, scope: Scope): Value[] {
    const keys = this.keys(node, 'property', scope)
    const owners = this.of(node['object'] as Node, scope)
    const found = owners.flatMap((owner) => {
      if (keys.length === 0) return owner.kind === 'handle' ? memberOf(owner, ANY) : []
      return keys.flatMap((key) => memberOf(owner, key))
    })
    if (owners.length > 0) return found
    return keys.flatMap((key) => (this.#names.fields.get(key) ?? []).flatMap((origin) => this.#origin(origin)))
  }

  #call(node: Node, scope: Scope): Value[] {
    const callee = bare(node['callee'] as Node)
    const [first] = listAt(node, 'arguments')
    if (isGetApi(callee)) {
      const names = first === undefined ? [] : this.texts(first, scope)
      return (names.length === 0 ? [ANY] : names).map((service) => ({ kind: 'handle', service, aspect: 'default' }))
    }
    if (callee.type === 'Identifier' && nameOf(callee) === 'require' && scope.find('require') === undefined)
      return first === undefined
        ? []
        : this.texts(first, scope).map((from) => ({ kind: 'path', path: importName(from) }))
    if (callee.type !== 'MemberExpression') return []
    const [key] = this.keys(callee, 'property', scope)
    const handles = this.of(callee['object'] as Node, scope).filter((value) => value.kind === 'handle')
    if (key !== undefined && OPTIONS.has(key)) return handles
    if (key !== 'as') return []
    const aspects = first === undefined ? [] : this.texts(first, scope)
    return handles.flatMap(({ service }) =>
      (aspects.length === 0 ? [ANY] : aspects).map((aspect) => ({ kind: 'handle' as const, service, aspect })),
    )
  }
}

/** `kernel.getApi(…)`, `this.#kernel.getApi(…)`, and a `getApi` that was taken out of it. */
export const isGetApi = (callee: Node): boolean =>
  nameOf(callee.type === 'MemberExpression' ? at(callee, 'property') : callee) === 'getApi'

function memberOf(owner: Value, key: string): Value[] {
  if (owner.kind === 'handle')
    return NO_POWER.has(key) ? [] : [{ kind: 'method', service: owner.service, aspect: owner.aspect, method: key }]
  if (owner.kind !== 'path') return []
  if (owner.path === '') return [{ kind: 'path', path: GLOBAL_OBJECTS.has(key) ? '' : key }]
  return [{ kind: 'path', path: key === 'default' ? owner.path : `${owner.path}.${key}` }]
}
