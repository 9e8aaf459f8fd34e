/** `crypto.subtle.digest` for a guest: an isolate has none, the process around it has. The answer is a packet. */
import { webcrypto } from 'node:crypto'
import { Encoder } from './guest/codec.ts'
import { flatten } from './guest/errors.ts'

const BYTES_MAX = 4_096

export async function digest(
  id: number,
  algorithm: string,
  data: Uint8Array,
): Promise<{ text: string; bytes: Uint8Array | undefined }> {
  const encoder = new Encoder(BYTES_MAX, 0)
  try {
    const made = await webcrypto.subtle.digest(algorithm, data)
    const tree = encoder.value(new Uint8Array(made))
    return { text: JSON.stringify([['a', id, 1, tree]]), bytes: encoder.parts[0] }
  } catch (thrown) {
    return { text: JSON.stringify([['a', id, 0, { ...flatten(thrown), stack: '' }]]), bytes: undefined }
  }
}
