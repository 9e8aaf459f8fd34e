/**
 * Calls by the id their caller gave them: whoever asks again with the id gets what the first came to, and nothing runs
 * twice. The book is held over versions of the service that keeps it (`tools`, `http`), so it is plain records; it is
 * bounded in number, bytes and time.
 */
import { canonicalJson } from './canonical-json.ts'
import { coded } from './errors.ts'
import { shortHash } from './hash.ts'

interface Entry<T> {
  readonly hash: string
  readonly result: Promise<T>
  /** undefined while it is under way */
  done: { until: number; bytes: number } | undefined
}

/** Its name in `hold` changes with this shape. */
export interface RetryBook<T> {
  /** oldest first */
  readonly entries: Map<string, Entry<T>>
  /** of the results that are there */
  bytes: number
}

export const emptyBook = <T>(): RetryBook<T> => ({ entries: new Map(), bytes: 0 })

export interface RetryLimits {
  retries_max: number
  retry_bytes_max: number
  retry_ms: number
}

/** `ran: false`: it was refused before anything was done, so the id is free again. */
export interface Attempt<T> {
  result: T
  ran: boolean
  /** of the result, as JSON */
  bytes: number
}

const ID_CHARS_MAX = 200

export class Retries<T> {
  readonly #book: RetryBook<T>
  readonly #limits: RetryLimits
  readonly #now: () => number

  constructor(book: RetryBook<T>, limits: RetryLimits, now: () => number) {
    this.#book = book
    this.#limits = limits
    this.#now = now
  }

  /** Rejects with `retry_id_reused` or `bad_arguments`. `make` never rejects. */
  once(caller: string, id: string, call: object, make: () => Promise<Attempt<T>>): Promise<T> {
    if (typeof id !== 'string' || id === '' || id.length > ID_CHARS_MAX)
      throw coded('bad_arguments', { reason: `an id is text of 1 to ${ID_CHARS_MAX} characters` })
    this.forgetOld()
    const key = JSON.stringify([caller, id])
    const hash = shortHash(canonicalJson(call))
    const known = this.#book.entries.get(key)
    if (known !== undefined) {
      if (known.hash !== hash) throw coded('retry_id_reused', { id })
      return known.result
    }
    const attempt = make()
    const entry: Entry<T> = { hash, result: attempt.then(({ result }) => result), done: undefined }
    this.#book.entries.set(key, entry)
    void attempt.then(({ ran, bytes }) => {
      if (!ran) this.#book.entries.delete(key)
      else {
        entry.done = { until: this.#now() + this.#limits.retry_ms, bytes }
        this.#book.bytes += bytes
      }
    })
    return entry.result
  }

  /** What is over its time, and then the oldest until the rest is within its limits; never what is under way. */
  forgetOld(): void {
    const book = this.#book
    const { retries_max, retry_bytes_max } = this.#limits
    for (const [key, { done }] of book.entries) {
      if (done === undefined) continue
      // They end about in the order they began: what follows is younger.
      if (done.until > this.#now() && book.entries.size < retries_max && book.bytes <= retry_bytes_max) return
      book.entries.delete(key)
      book.bytes -= done.bytes
    }
  }
}
