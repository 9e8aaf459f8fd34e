/**
 * An ES file of a package, taken apart: its top-level statements with what each declares and uses, and where each of its
 * exports comes from. That is all that has to be known to leave out what nobody asks for (`live.ts`). Pure.
 */
import type { Comment } from 'oxc-parser'
import { isNode, type Node } from '../scan/tree.ts'
import { Effects } from './effects.ts'
import { declaredBy, namesUsed, type Path } from './names-used.ts'

export interface Range {
  readonly start: number
  readonly end: number
}

export interface Statement extends Range {
  readonly uses: readonly Path[]
  /** nothing happens when it runs, but that its names exist then */
  readonly isFree: boolean
  readonly names: readonly string[]
  /** the `export` before it */
  readonly keyword: Range | undefined
}

/** `name` in another file, all of which is `*`. */
export interface Elsewhere {
  readonly specifier: string
  readonly name: string
}

export type Export = ({ readonly local: string } | Elsewhere) & {
  /** what to cut when nobody asks for it; undefined: its statement */
  readonly range?: Range
}

export interface EsFile {
  readonly statements: readonly Statement[]
  /** name → the statement that declares it */
  readonly declared: ReadonlyMap<string, Statement>
  /** local name → where it is from */
  readonly imported: ReadonlyMap<string, Elsewhere>
  readonly exported: ReadonlyMap<string, Export>
  /** specifier → its `export * from` */
  readonly stars: ReadonlyMap<string, Range>
  /** of every import and export, in their order */
  readonly specifiers: ReadonlySet<string>
}

const DEFAULT = '*default*'

export function takeApart(source: string, program: Node, comments: readonly Comment[]): EsFile {
  const file = new Parts(source)
  const rest = (program['body'] as Node[]).filter((one) => !file.tookAsImport(one))
  const effects = new Effects({
    marked: markedBy(source, comments),
    isNamespace: (name) => file.imported.get(name)?.name === '*',
  })
  const bodies = rest.map((node) => ({ node, inner: file.exportedFrom(node) }))
  const known = new Set([...file.imported.keys(), ...bodies.flatMap(({ inner }) => namesOf(inner))])
  for (const { node, inner } of bodies) {
    if (inner === undefined) continue
    const { start, end } = node
    const names = namesOf(inner)
    const keyword = node.type === 'ExportNamedDeclaration' ? { start, end: inner.start } : undefined
    const statement = { start, end, uses: namesUsed(inner, known), isFree: effects.isFree(inner), names, keyword }
    file.statements.push(statement)
    for (const name of names) file.declared.set(name, statement)
    if (node.type === 'ExportDefaultDeclaration') file.declared.set(DEFAULT, statement)
  }
  return file
}

const namesOf = (inner: Node | undefined): string[] => (inner === undefined ? [] : declaredBy(inner))

/** Where an expression begins behind `@__PURE__`. */
function markedBy(source: string, comments: readonly Comment[]): Set<number> {
  const marked = new Set<number>()
  for (const { value, end } of comments)
    if (/^\s*[@#]__PURE__\s*$/.test(value)) marked.add(end + source.slice(end).search(/\S|$/))
  return marked
}

const wordOf = (node: unknown): string => {
  const { name, value } = node as { name?: string; value?: string }
  return name ?? value ?? ''
}

class Parts implements EsFile {
  readonly statements: Statement[] = []
  readonly declared = new Map<string, Statement>()
  readonly imported = new Map<string, Elsewhere>()
  readonly exported = new Map<string, Export>()
  readonly stars = new Map<string, Range>()
  readonly specifiers = new Set<string>()
  private readonly source: string

  constructor(source: string) {
    this.source = source
  }

  tookAsImport(node: Node): boolean {
    if (node.type !== 'ImportDeclaration') return false
    const specifier = wordOf(node['source'])
    this.specifiers.add(specifier)
    for (const one of node['specifiers'] as Node[]) {
      const isAll = one.type === 'ImportNamespaceSpecifier'
      const name = isAll ? '*' : one.type === 'ImportDefaultSpecifier' ? 'default' : wordOf(one['imported'])
      this.imported.set(wordOf(one['local']), { specifier, name })
    }
    return true
  }

  /** Notes what the statement exports; gives what of it runs. */
  exportedFrom(node: Node): Node | undefined {
    switch (node.type) {
      case 'ExportAllDeclaration':
        this.exportedAll(node)
        return undefined
      case 'ExportNamedDeclaration': {
        const inner = node['declaration']
        if (!isNode(inner)) {
          this.exportedList(node)
          return undefined
        }
        for (const name of declaredBy(inner)) this.exported.set(name, { local: name })
        return inner
      }
      case 'ExportDefaultDeclaration':
        this.exported.set('default', { local: DEFAULT })
        return node['declaration'] as Node
      default:
        return node
    }
  }

  private exportedAll(node: Node): void {
    const specifier = wordOf(node['source'])
    this.specifiers.add(specifier)
    const name = node['exported']
    if (isNode(name)) this.exported.set(wordOf(name), { specifier, name: '*', range: node })
    else this.stars.set(specifier, node)
  }

  private exportedList(node: Node): void {
    const specifier = isNode(node['source']) ? wordOf(node['source']) : undefined
    if (specifier !== undefined) this.specifiers.add(specifier)
    for (const one of node['specifiers'] as Node[]) {
      const [name, as] = [wordOf(one['local']), wordOf(one['exported'])]
      const comma = /^\s*,/.exec(this.source.slice(one.end, one.end + 200))?.[0].length ?? 0
      const range = { start: one.start, end: one.end + comma }
      this.exported.set(as, specifier === undefined ? { local: name, range } : { specifier, name, range })
    }
  }
}
