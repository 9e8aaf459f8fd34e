/** `structuredClone` in an isolate: what may cross may be cloned. */
import { Encoder } from './codec.ts'
import { Decoder } from './decode.ts'
import { asThrown } from './errors.ts'
import { setBytes } from './primordials.ts'

const BYTES_MAX = 64 * 1024 * 1024

export function structuredClone(value: unknown): unknown {
  const encoder = new Encoder(BYTES_MAX, 0)
  let tree: unknown
  try {
    tree = encoder.value(value)
  } catch (thrown) {
    throw asThrown(thrown)
  }
  let length = 0
  for (const part of encoder.parts) length += part.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of encoder.parts) {
    setBytes(bytes, part, at)
    at += part.length
  }
  return new Decoder(bytes).value(tree)
}
