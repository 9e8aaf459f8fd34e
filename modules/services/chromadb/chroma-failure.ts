/** What a failure of the `chromadb` package means here. Told by name: the package may be another copy tomorrow. */
import { coded, codeOf, reasonOf } from '../../lib/errors.ts'

export function chromaFailure(thrown: unknown, url: string, name: string): unknown {
  // Ours already.
  if (codeOf(thrown) !== undefined && typeof (thrown as { hint?: unknown }).hint === 'string') return thrown
  const reason = reasonOf(thrown)
  switch ((thrown as { name?: unknown } | null)?.name) {
    case 'ChromaNotFoundError':
      return coded('collection_missing', { name }, {}, thrown)
    case 'ChromaConnectionError':
      return coded('vector_server', { url, reason: 'it does not answer' }, {}, thrown)
    default: {
      const [, expected, found] = /dimension of (\d+), got (\d+)/.exec(reason) ?? []
      if (expected !== undefined && found !== undefined)
        return coded('vector_dimension', { name, expected: Number(expected), found: Number(found) }, {}, thrown)
      return coded('vector_server', { url, reason: reason.slice(0, 300) }, {}, thrown)
    }
  }
}
