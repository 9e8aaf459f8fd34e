/** Sources as an isolate runs them, worked out once for equal content. */
import { codeKey, transform, type Transformed } from '../../loader/transform.ts'
import { fromErrorData } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'

const KEPT_MAX = 2_000
const kept = new Map<string, Transformed>()

/** Throws `source_syntax` with its place. */
export function transformed(file: string, source: string): Transformed {
  const key = codeKey(file, shortHash(source))
  const known = kept.get(key)
  if (known !== undefined) {
    kept.delete(key)
    kept.set(key, known)
    return known
  }
  const result = transform(file, source)
  if (!result.ok) throw fromErrorData(result.error)
  kept.set(key, result.value)
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value ?? '')
  return result.value
}
