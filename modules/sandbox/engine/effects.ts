/**
 * Whether anything happens when a top-level statement runs, besides that its names exist then: as bundlers judge it, calls
 * that are marked `@__PURE__` included. In doubt something does. Pure. Asked by `es-file.ts`.
 */
import { isNode, type Node } from '../scan/tree.ts'

export interface EffectsOptions {
  /** where expressions begin that follow such a mark */
  marked: ReadonlySet<number>
  /** whether the name is all that a file exports, whose members are read without effect */
  isNamespace(name: string): boolean
}

export class Effects {
  private readonly options: EffectsOptions

  constructor(options: EffectsOptions) {
    this.options = options
  }

  /** A statement without its `export`. */
  isFree(statement: Node): boolean {
    switch (statement.type) {
      case 'FunctionDeclaration':
      case 'EmptyStatement':
        return true
      case 'VariableDeclaration':
        return (statement['declarations'] as Node[]).every(
          ({ id, init }) => (id as Node).type === 'Identifier' && (!isNode(init) || this.isQuiet(init)),
        )
      default:
        return this.isQuiet(statement)
    }
  }

  private isQuiet(node: Node): boolean {
    switch (node.type) {
      case 'Literal':
      case 'Identifier':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return true
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.isQuietClass(node)
      case 'TemplateLiteral':
        return (node['expressions'] as Node[]).length === 0
      case 'ArrayExpression':
        return (node['elements'] as (Node | null)[]).every((one) => one === null || this.isQuiet(one))
      case 'ObjectExpression':
        return (node['properties'] as Node[]).every(
          (one) => one.type === 'Property' && one['computed'] === false && this.isQuiet(one['value'] as Node),
        )
      case 'MemberExpression': {
        const object = node['object'] as Node
        const isNamed = object.type === 'Identifier' && this.options.isNamespace(object['name'] as string)
        return isNamed && node['computed'] === false
      }
      case 'CallExpression':
      case 'NewExpression':
        return this.options.marked.has(node.start) && (node['arguments'] as Node[]).every((one) => this.isQuiet(one))
      default:
        return false
    }
  }

  private isQuietClass(node: Node): boolean {
    const parent = node['superClass']
    if (isDecorated(node)) return false
    if (isNode(parent) && !(parent.type === 'Identifier' || this.isQuiet(parent))) return false
    return ((node['body'] as Node)['body'] as Node[]).every((one) => {
      if (one.type === 'StaticBlock' || one['computed'] === true || isDecorated(one)) return false
      const isField = one.type === 'PropertyDefinition' && one['static'] === true
      return !isField || !isNode(one['value']) || this.isQuiet(one['value'])
    })
  }
}

const isDecorated = (node: Node): boolean => ((node['decorators'] as Node[] | undefined)?.length ?? 0) > 0
