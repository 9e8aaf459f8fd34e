/**
 * What a block has become so far: the maps and lists that are open, and where the next value goes. Used by the block
 * reader, which knows the characters; this knows the values only.
 */
import type { Json, JsonMap } from '../contracts/seams.ts'
import { tooDeep, twice } from './mistakes.ts'
import { BRACKET_LIMITS, type ScanListener } from './types.ts'
import { setOwn } from './words.ts'

/** `merged`: braces without a key, whose members belong to the map around. `group`: one of several behind a key. */
export type Kind = 'map' | 'merged' | 'group' | 'list'

export interface Frame {
  kind: Kind
  /** of a list: not used */
  map: JsonMap
  items: Json[]
  count: number
  /** offset of its brace or bracket */
  opened: number
  /** the member that is being read */
  key: string
  keyAt: number
  /** what the groups of that member are gathered in */
  groups: JsonMap
}

const NO_ITEMS: Json[] = []

export class Frames {
  readonly members: JsonMap = {}
  /** the first member that was written: maps put numbers before it */
  first: string | undefined
  /** its value, when it is a head; then it is not one of the members */
  head: Json | undefined
  private readonly stack: Frame[] = []
  private readonly listener: Pick<ScanListener, 'head' | 'value'> | undefined

  constructor(listener: Pick<ScanListener, 'head' | 'value'> | undefined) {
    this.listener = listener
  }

  get depth(): number {
    return this.stack.length
  }

  get top(): Frame {
    return this.stack[this.stack.length - 1] as Frame
  }

  push(kind: Kind, map: JsonMap, opened: number): void {
    if (this.stack.length > BRACKET_LIMITS.depth_max) throw tooDeep(opened)
    const items = kind === 'list' ? [] : NO_ITEMS
    this.stack.push({ kind, map, items, count: 0, opened, key: '', keyAt: 0, groups: map })
  }

  pop(): Frame {
    return this.stack.pop() as Frame
  }

  /** A value is whole: it goes into the list or the member that waits for it. */
  deliver(value: Json): void {
    const { top } = this
    this.listener?.value?.(this.path(), value)
    if (top.kind === 'list') {
      top.items.push(value)
      return
    }
    const { map, key, keyAt } = top
    if (this.first === undefined && map === this.members) this.begin(key, value)
    else if (map === this.members && key === this.first) throw twice(keyAt, key)
    if (map[key] !== undefined && Object.hasOwn(map, key)) throw twice(keyAt, key)
    if (map !== this.members || key !== this.first || this.head === undefined) setOwn(map, key, value)
  }

  private begin(key: string, value: Json): void {
    this.first = key
    if (key !== 'call' && key !== 'result') return
    this.head = value
    if (typeof value === 'string') this.listener?.head?.(key, value)
  }

  /** Keys and indexes that lead to what is being read. */
  path(): (string | number)[] {
    return this.stack.flatMap(({ kind, key, items }, index): (string | number)[] => {
      if (kind === 'list') return [items.length]
      return this.stack[index + 1]?.kind === 'merged' ? [] : [key]
    })
  }
}
