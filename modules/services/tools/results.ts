/**
 * Results on their way out: one that is too large goes as its first part, and the rest is kept for a while under a
 * token. What is kept is held over versions of this service, so it is plain records; it is bounded in number, bytes
 * and time.
 */
import type { ToolInfo, ToolMore } from '../../contracts/tool.ts'
import { coded } from '../../lib/errors.ts'
import { plainText } from '../../lib/plain-json.ts'
import { pieceAt, wholeOf, withPart, type Piece, type Whole } from './pieces.ts'

interface Kept {
  readonly tool: string
  readonly whole: Whole
  readonly bytes: number
  /** of one part */
  readonly bytesMax: number
  readonly until: number
}

/** By token, oldest first. Its name in `hold` changes with this shape. */
export type KeptResults = Map<string, Kept>

export interface ResultLimits {
  result_bytes_max: number
  kept_results_max: number
  kept_bytes_max: number
  kept_ms: number
}

export interface Shaped {
  value: unknown
  more?: ToolMore
  /** of the value as JSON, as it goes out */
  bytes: number
}

export interface NextPart {
  part: Piece['part']
  kind: Whole['kind']
  member?: string
  offset: number
  /** null: nothing follows */
  next_offset: number | null
  total: number
}

const HINT = 'Call tools_continue with this token and offset for the next part.'

export class Results {
  readonly #kept: KeptResults
  readonly #limits: ResultLimits
  readonly #now: () => number

  constructor(kept: KeptResults, limits: ResultLimits, now: () => number) {
    this.#kept = kept
    this.#limits = limits
    this.#now = now
  }

  /** Throws `result_not_cloneable`, or `tool_output_limit` when it is more than may be kept. */
  shape({ name, api, method }: ToolInfo, value: unknown, bytesMax = this.#limits.result_bytes_max): Shaped {
    const text = plainText(value, { api, method })
    const bytes = Buffer.byteLength(text)
    const { kept_bytes_max: keptMax } = this.#limits
    if (bytes <= bytesMax) return { value: value ?? null, bytes }
    if (bytes > keptMax) throw coded('tool_output_limit', { tool: name, bytes, limit: keptMax })
    const plain = JSON.parse(text) as unknown
    const { whole, room } = wholeOf(plain, bytesMax)
    const { part, next } = pieceAt(whole, 0, room)
    // The JSON text of a value can be the shorter spelling of what does not fit otherwise.
    if (next === undefined) return { value: withPart(plain, whole, part), bytes }
    const more: ToolMore = {
      token: this.#keep({ tool: name, whole, bytes, bytesMax }),
      offset: next,
      total: whole.body.length,
      kind: whole.kind,
      ...(whole.member === undefined ? {} : { member: whole.member }),
      hint: HINT,
    }
    return { value: withPart(plain, whole, part), more, bytes: bytesMax }
  }

  /** Throws `continuation_gone` or `bad_params`. The same place gives the same part each time. */
  next(token: string, offset: number): NextPart {
    this.forgetOld()
    const kept = this.#kept.get(token)
    if (kept === undefined) throw coded('continuation_gone')
    const { whole, bytesMax } = kept
    const total = whole.body.length
    if (offset >= total) {
      const reason = `it is behind the end: the whole has ${total}`
      throw coded('bad_params', { tool: 'tools_continue', param: 'offset', reason, signature: HINT })
    }
    const { part, next } = pieceAt(whole, offset, bytesMax)
    const { kind, member } = whole
    return { part, kind, ...(member === undefined ? {} : { member }), offset, next_offset: next ?? null, total }
  }

  /** What is over its time, and then the oldest until the rest is within its limits. */
  forgetOld(): void {
    let bytes = [...this.#kept.values()].reduce((sum, one) => sum + one.bytes, 0)
    for (const [token, one] of this.#kept) {
      const fits = bytes <= this.#limits.kept_bytes_max && this.#kept.size <= this.#limits.kept_results_max
      if (one.until > this.#now() && fits) continue
      this.#kept.delete(token)
      bytes -= one.bytes
    }
  }

  #keep(what: Omit<Kept, 'until'>): string {
    const token = crypto.randomUUID()
    this.#kept.set(token, { ...what, until: this.#now() + this.#limits.kept_ms })
    this.forgetOld()
    return token
  }
}
