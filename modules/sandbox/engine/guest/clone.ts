/** `structuredClone` in an isolate: what may cross may be cloned. */
import { Decoder } from './decode.ts'
import { asThrown } from './errors.ts'
import { Encoder, joined } from './codec.ts'
import { parse, stringify } from './primordials.ts'

const CLONE_BYTES_MAX = 64 * 1024 * 1024

export function structuredClone(value: unknown): unknown {
  const encoder = new Encoder(CLONE_BYTES_MAX, 0)
  let tree: unknown
  try {
    tree = encoder.value(value)
  } catch (thrown) {
    throw asThrown(thrown)
  }
  // The encoder's own lists have no methods: what is read back from the text has.
  const bytes = joined(encoder.parts)
  return new Decoder(bytes).value(parse(stringify(tree)))
}
