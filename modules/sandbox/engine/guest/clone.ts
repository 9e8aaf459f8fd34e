/** `structuredClone` in an isolate: what may cross may be cloned. */
import { Decoder } from './decode.ts'
import { asThrown } from './errors.ts'
import { Encoder, joined } from './codec.ts'

const BYTES_MAX = 64 * 1024 * 1024

export function structuredClone(value: unknown): unknown {
  const encoder = new Encoder(BYTES_MAX, 0)
  let tree: unknown
  try {
    tree = encoder.value(value)
  } catch (thrown) {
    throw asThrown(thrown)
  }
  const bytes = joined(encoder.parts)
  return new Decoder(bytes).value(tree)
}
