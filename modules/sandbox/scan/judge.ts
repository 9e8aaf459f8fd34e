/**
 * One file, walked once: what each node does is looked up in the rules, and told to `Found`. Knows what to look for;
 * what things stand for is answered by `Values`.
 */
import { importName, insteadOfImport, isForbidden } from './forbidden.ts'
import { GLOBALS_MISSING, ruleOfPath, type RuleName } from './rules.ts'
import { textOf, type Names, type Scope } from './scopes.ts'
import { at, bare, childrenOf, listAt, nameOf, type Node } from './tree.ts'
import { isGetApi, type Value, type Values } from './values.ts'

export interface Found {
  finding(rule: RuleName, node: Node, words?: { what?: string; instead?: string }): void
  packages: readonly string[]
  forbidden: readonly string[]
}

const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate'])
/** Functions that read the member named by their second argument. */
const READERS = /^(Reflect\.(get|getOwnPropertyDescriptor)|Object\.getOwnPropertyDescriptor)$/
const BUILTINS = new Set(
  `assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events fs
   http http2 https inspector module net os path perf_hooks process punycode querystring readline repl sqlite stream
   string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib`.split(/\s+/),
)

export class Judge {
  readonly #names: Names
  readonly #values: Values
  readonly #found: Found
  readonly #missing = new Set<string>()

  constructor(names: Names, values: Values, found: Found) {
    this.#names = names
    this.#values = values
    this.#found = found
  }

  /** `parents`: from the file down. */
  look(node: Node, scope: Scope, parents: readonly Node[]): void {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
        this.#static(node)
        return
      case 'TSExternalModuleReference':
        this.#source(at(node, 'expression'), node, scope)
        return
      case 'ImportExpression':
        this.#source(at(node, 'source'), node, scope)
        return
      case 'Identifier':
        this.#global(node, scope, parents)
        return
      case 'MemberExpression':
        this.#member(node, scope, parents)
        return
      case 'Property':
        if (parents.at(-1)?.type === 'ObjectPattern') this.#pattern(node, scope)
        return
      case 'CallExpression':
      case 'NewExpression':
        this.#call(node, scope)
        return
      default:
    }
  }

  #static(node: Node): void {
    const source = at(node, 'source')
    const specifiers = listAt(node, 'specifiers')
    const onlyTypes =
      specifiers.length > 0 && specifiers.every((one) => one['importKind'] === 'type' || one['exportKind'] === 'type')
    if (source === undefined || onlyTypes) return
    const from = textOf(source) ?? ''
    this.#import(from, source)
    for (const one of specifiers) {
      const name = nameOf(at(one, one.type === 'ImportSpecifier' ? 'imported' : 'local'))
      if (name !== undefined && one['importKind'] !== 'type') this.#path(`${importName(from)}.${name}`, one)
    }
  }

  /** `import(…)`, `require(…)`: by a literal like any import; else nobody can say what it brings. */
  #source(source: Node | undefined, node: Node, scope: Scope): void {
    const names = source === undefined ? [] : this.#values.texts(source, scope)
    if (names.length === 0) this.#found.finding('import_computed', node)
    for (const name of names) this.#import(name, source ?? node)
  }

  #import(from: string, node: Node): void {
    const name = importName(from)
    if (/^[./]/.test(from) || from === 'meta-machine') return
    if (/^(data|https?|file|blob):/.test(from)) this.#found.finding('import_url', node, { what: from.slice(0, 60) })
    else if (isForbidden(name, this.#found.forbidden)) {
      const instead = insteadOfImport(name) ?? 'a service that does the work'
      this.#found.finding('import_forbidden', node, { what: from, instead })
    } else if (!isForbidden(name, [...this.#found.packages, 'zod'])) {
      const isBuiltin = from.startsWith('node:') || BUILTINS.has(name.split('/')[0] as string)
      const service = isBuiltin ? 'a service that does the work' : 'a pure package listed under `sandbox: packages:`'
      this.#found.finding('import_missing', node, { what: from, instead: insteadOfImport(name) ?? service })
    }
  }

  /** A global or a member of a built-in, where it is named. */
  #path(path: string, node: Node): void {
    const rule = ruleOfPath(path)
    const { forbidden: list } = this.#found
    // A member of what is forbidden as a whole has been told by its import.
    const isListed = isForbidden(path, list) && !isForbidden(path.split('.')[0] as string, list)
    if (rule !== undefined) this.#found.finding(rule, node, { what: path })
    else if (isListed) this.#found.finding('import_forbidden', node, forbidden(path))
  }

  #global(node: Node, scope: Scope, parents: readonly Node[]): void {
    const name = nameOf(node) as string
    const parent = parents.at(-1) as Node
    if (!isReference(node, parent) || scope.find(name) !== undefined) return
    if (parent.type === 'UnaryExpression' && parent['operator'] === 'typeof') return
    const rule = ruleOfPath(name)
    if (rule === undefined && isForbidden(name, this.#found.forbidden) && !BUILTINS.has(name))
      this.#found.finding('import_forbidden', node, forbidden(name))
    if (rule !== undefined && !(parent.type === 'BinaryExpression' && parent['operator'] === 'instanceof'))
      this.#found.finding(rule, node, { what: name })
    if (!Object.hasOwn(GLOBALS_MISSING, name) || this.#missing.has(name)) return
    this.#missing.add(name)
    this.#found.finding('global_missing', node, { what: name, instead: GLOBALS_MISSING[name] as string })
  }

  #member(node: Node, scope: Scope, parents: readonly Node[]): void {
    const keys = this.#values.keys(node, 'property', scope)
    const isHarmless = keys.includes('constructor') && isPeek(node, parents)
    this.#read(this.#values.of(node['object'] as Node, scope), isHarmless ? [] : keys, node, !isHarmless)
  }

  /** `const { constructor: F } = f`, also as a parameter. */
  #pattern(node: Node, scope: Scope): void {
    const owners = this.#ownersOf(node, scope)
    this.#read(owners, this.#values.keys(node, 'key', scope), node, true)
  }

  /** What the pattern around a property takes apart, where that is a global or a built-in. */
  #ownersOf(property: Node, scope: Scope): Value[] {
    const value = at(property, 'value')
    const target = value?.type === 'AssignmentPattern' ? at(value, 'left') : value
    const name = nameOf(target)
    const origins = name === undefined ? undefined : scope.find(name)
    return (origins ?? []).flatMap((origin) =>
      origin.kind === 'expression' && origin.path.length === 1 ? this.#values.of(origin.node, origin.scope) : [],
    )
  }

  /** One member is read. `computed`: an unknown one counts. */
  #read(owners: readonly Value[], keys: readonly string[], node: Node, computed: boolean): void {
    if (keys.includes('constructor')) this.#found.finding('constructor_access', node)
    for (const owner of owners) {
      if (owner.kind !== 'path') continue
      const isRoot = owner.path === ''
      if (keys.length === 0 && computed && (isRoot || owner.path === 'process' || owner.path === 'module'))
        this.#found.finding('global_computed', node)
      for (const key of keys) this.#path(isRoot ? key : `${owner.path}.${key}`, node)
    }
  }

  #call(node: Node, scope: Scope): void {
    const callee = bare(node['callee'] as Node)
    const [first, second] = listAt(node, 'arguments')
    if (isGetApi(callee) && (first === undefined || this.#values.texts(first, scope).length === 0))
      this.#found.finding('api_computed', node)
    for (const value of this.#values.of(callee, scope)) {
      if (value.kind !== 'path') continue
      if (value.path === 'require') this.#source(first, node, scope)
      else if (TIMERS.has(value.path) && first !== undefined && this.#isText(first, scope))
        this.#found.finding('string_timer', node, { what: value.path })
      else if (READERS.test(value.path) && first !== undefined && second !== undefined)
        this.#read(this.#values.of(first, scope), this.#values.texts(second, scope), node, true)
    }
  }

  #isText(node: Node, scope: Scope): boolean {
    const inner = bare(node)
    const isJoined = inner.type === 'BinaryExpression' && inner['operator'] === '+'
    return inner.type === 'TemplateLiteral' || isJoined || this.#values.texts(inner, scope).length > 0
  }

  /** The whole file. */
  walk(program: Node, visit: (node: Node, scope: Scope, parents: readonly Node[]) => void): void {
    const parents: Node[] = []
    const go = (node: Node, outer: Scope): void => {
      visit(node, outer, parents)
      const scope = this.#names.inside(node, outer)
      parents.push(node)
      for (const [, child] of childrenOf(node)) go(child, scope)
      parents.pop()
    }
    go(program, this.#names.top)
  }
}

const forbidden = (what: string): { what: string; instead: string } => ({
  what,
  instead: insteadOfImport(what) ?? 'a service that does the work',
})

/** Whether the identifier is read, and not a name that something gets. */
export function isReference(node: Node, parent: Node): boolean {
  if (parent['computed'] !== true && (parent['property'] === node || parent['key'] === node)) return false
  if (parent['id'] === node || parent['label'] === node || listAt(parent, 'params').includes(node)) return false
  if (parent.type === 'ExportSpecifier') return parent['local'] === node
  return !/^Import\w*Specifier$|^TSImportEquals|^MetaProperty$/.test(parent.type)
}

/** `.constructor.name`, `.constructor === X`: looked at, and nothing more. */
function isPeek(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.findLast((one) => one.type !== 'ChainExpression')
  if (parent?.type === 'BinaryExpression') return /^[!=]==?$/.test(String(parent['operator']))
  return parent?.type === 'MemberExpression' && parent['computed'] !== true && nameOf(at(parent, 'property')) === 'name'
    ? parent['object'] === node || parent['object'] === parents.at(-1)
    : false
}
