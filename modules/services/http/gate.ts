/**
 * How many requests are let in: so many a second for each token (and for each address that shows none), and so many at
 * once. Its book is held over versions of `http`, so it is plain records: a reload forgives nobody. Time is given in. Pure.
 */
import { coded, type CodedError } from '../../lib/errors.ts'

interface Bucket {
  /** requests that may come at once */
  left: number
  /** monotonic, when `left` was right */
  at: number
}

/** Its name in `hold` changes with this shape. */
export interface GateBook {
  open: number
  readonly buckets: Map<string, Bucket>
}

export const emptyGate = (): GateBook => ({ open: 0, buckets: new Map() })

/** Addresses and tokens are looked at one by one up to here; a flood of addresses shares what is left. */
const BUCKETS_MAX = 1_000
const OTHERS = 'others'

/** Undefined: it may come in, and `book.open` is one more until `leave`. */
export function enter(
  book: GateBook,
  who: string,
  perSecond: number,
  parallelMax: number,
  now: number,
): CodedError | undefined {
  const wait = take(bucketOf(book, who, perSecond, now), perSecond, now)
  if (wait > 0) return limited(coded('rate_limited', { limit: perSecond }), wait)
  if (book.open >= parallelMax) return limited(coded('too_many_requests', { limit: parallelMax }), 1)
  book.open++
  return undefined
}

export const leave = (book: GateBook): void => {
  book.open--
}

const limited = (error: CodedError, seconds: number): CodedError =>
  Object.assign(error, { retry_after_s: Math.max(1, Math.ceil(seconds)) })

function bucketOf({ buckets }: GateBook, who: string, perSecond: number, now: number): Bucket {
  const known = buckets.get(who)
  if (known !== undefined) return known
  if (buckets.size >= BUCKETS_MAX) forgetFull(buckets, now)
  const name = buckets.size >= BUCKETS_MAX ? OTHERS : who
  const bucket = buckets.get(name) ?? { left: perSecond, at: now }
  buckets.set(name, bucket)
  return bucket
}

/** Who has not asked for a second has all of it again, and need not be remembered. */
function forgetFull(buckets: Map<string, Bucket>, now: number): void {
  for (const [name, { at }] of buckets) if (now - at > 1_000) buckets.delete(name)
}

/** Seconds until the next may come; 0: this one is taken. */
function take(bucket: Bucket, perSecond: number, now: number): number {
  bucket.left = Math.min(perSecond, bucket.left + ((now - bucket.at) / 1_000) * perSecond)
  bucket.at = now
  if (bucket.left < 1) return (1 - bucket.left) / perSecond
  bucket.left--
  return 0
}
