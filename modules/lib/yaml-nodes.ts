/**
 * What the parser lets through and a config must not hold: a key twice, a key that would change a prototype, a value
 * that JSON does not have, an alias that leads to itself, and aliases that stand for more than the limits allow. Walks
 * the values as they will be, aliases followed, and ends at the first thing wrong. Pure; used by `yaml`.
 */
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  YAMLMap,
  YAMLSeq,
  type Alias,
  type Document,
  type Node,
  type Pair,
} from 'yaml'
import type { ErrorCode } from '../contracts/errors.ts'

export interface YamlProblem {
  code: ErrorCode
  details: Record<string, unknown>
  /** in the text */
  offset: number
}

export interface NodeLimits {
  depth_max: number
  /** values, each counted as often as it is repeated */
  tokens_max: number
  /** characters, likewise */
  bytes_max: number
}

export const tooDeep = (depth: number, offset: number): YamlProblem => ({
  code: 'config_syntax',
  details: { reason: `nested more than ${depth} deep` },
  offset,
})

export const checkNodes = (document: Document, limits: NodeLimits): YamlProblem | undefined =>
  new Walk(limits).check(document.contents, [])

type Path = readonly (string | number)[]

class Walk {
  private readonly limits: NodeLimits
  private readonly anchors = new Map<string, Node>()
  private readonly targets = new Map<Alias, Node>()
  /** the collections around the place that is looked at */
  private readonly around = new Set<Node>()
  /** the outermost alias that is being followed */
  private alias: Alias | undefined
  private values = 0
  private chars = 0

  constructor(limits: NodeLimits) {
    this.limits = limits
  }

  check(node: unknown, path: Path): YamlProblem | undefined {
    if (isAlias(node)) return this.follow(node, path)
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return undefined
    if (node.anchor !== undefined && this.alias === undefined) this.anchors.set(node.anchor, node)
    if (++this.values > this.limits.tokens_max) return this.tooLarge(node, 'values', this.limits.tokens_max)
    if (isScalar(node)) return this.checkScalar(node, node.value, path)
    // Such as !!set, of a class of its own: it would become a Set.
    if (node.constructor !== YAMLMap && node.constructor !== YAMLSeq) return this.odd(node, path)
    if (this.around.size >= this.limits.depth_max) return tooDeep(this.limits.depth_max, this.placeOf(node))
    this.around.add(node)
    const found = isMap(node) ? this.checkMap(node.items, path) : this.checkList(node.items, path)
    this.around.delete(node)
    return found
  }

  private follow(alias: Alias, path: Path): YamlProblem | undefined {
    const target = this.targets.get(alias) ?? this.anchors.get(alias.source)
    if (target === undefined) return this.syntax(alias, `there is no anchor \`&${alias.source}\` before this alias`)
    if (this.around.has(target)) return this.syntax(alias, `the alias \`*${alias.source}\` stands for itself`)
    this.targets.set(alias, target)
    const outermost = this.alias
    this.alias ??= alias
    const found = this.check(target, path)
    this.alias = outermost
    return found
  }

  private checkScalar(node: Node | null, value: unknown, path: Path): YamlProblem | undefined {
    if (typeof value === 'string') {
      this.chars += value.length
      if (this.chars > this.limits.bytes_max) return this.tooLarge(node, 'characters', this.limits.bytes_max)
      return undefined
    }
    const fits = typeof value === 'number' ? Number.isFinite(value) : typeof value === 'boolean' || value === null
    return fits || value === undefined ? undefined : this.odd(node, path)
  }

  private checkMap(items: readonly Pair[], path: Path): YamlProblem | undefined {
    const keys = new Set<unknown>()
    for (const { key, value } of items) {
      const at = (key ?? value) as Node | null
      if (!isScalar(key) && key !== null) return this.syntax(at, 'a key must be text')
      const name = String(key?.value ?? '')
      if (keys.has(name)) return this.syntax(at, `the key \`${name}\` stands here a second time`)
      keys.add(name)
      if (name === '__proto__') {
        const reason = 'no value may have this name'
        return { code: 'config_key', details: { key: [...path, name].join('.'), reason }, offset: this.placeOf(at) }
      }
      const found = this.checkScalar(at, name, path) ?? this.check(value, [...path, name])
      if (found !== undefined) return found
    }
    return undefined
  }

  private checkList(items: readonly unknown[], path: Path): YamlProblem | undefined {
    for (const [index, item] of items.entries()) {
      const found = isPair(item) ? this.checkMap([item], path) : this.check(item, [...path, index])
      if (found !== undefined) return found
    }
    return undefined
  }

  private placeOf(node: Node | null): number {
    return (this.alias ?? node)?.range?.[0] ?? 0
  }

  private syntax(node: Node | null, reason: string): YamlProblem {
    return { code: 'config_syntax', details: { reason }, offset: this.placeOf(node) }
  }

  private odd(node: Node | null, path: Path): YamlProblem {
    const name = path.length === 0 ? 'the whole' : `\`${path.join('.')}\``
    return this.syntax(node, `${name} must be text, a number, true, false, null, a list or a map`)
  }

  private tooLarge(node: Node | null, what: string, limit: number): YamlProblem {
    const reason = `with its aliases it stands for more than ${limit} ${what}`
    return { code: 'config_too_large', details: { reason }, offset: this.placeOf(node) }
  }
}
