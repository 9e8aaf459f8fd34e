/**
 * Vectors without a model and without a network: words and their groups of 3 to 5 characters, each hashed to a place
 * and a sign. Texts that share words and parts of words come out near each other. It knows no meaning, and says so.
 */
import type { Embedder } from './embedder.ts'

const DIMENSION = 256
const GRAM_SIZES = [3, 4, 5]
const LONG = 6

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  // Its low bits are weak for short texts: mix before they choose a place.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Length 1; equal texts give equal vectors, on every machine. */
export function lexicalVector(text: string): number[] {
  const vector = Array.from({ length: DIMENSION }, () => 0)
  const put = (feature: string, weight: number): void => {
    const hash = hashOf(feature)
    const place = hash % DIMENSION
    vector[place] = (vector[place] as number) + (hash & 0x80000000 ? -weight : weight)
  }
  for (const word of text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []) {
    // Short words stand in every text and tell little.
    const weight = Math.min(word.length, LONG) / LONG
    put(`word ${word}`, weight)
    const framed = `<${word}>`
    for (const size of GRAM_SIZES)
      for (let at = 0; at + size <= framed.length; at++)
        put(framed.slice(at, at + size), weight / Math.sqrt(framed.length))
  }
  const length = Math.hypot(...vector)
  // A text without a word is near to other such texts, and to nothing else.
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((one) => one / length)
}

export const lexicalEmbedder: Embedder = {
  note: 'lexical, not semantic: it finds shared words and parts of words, not meaning',
  embed: (texts) => Promise.resolve({ embedder: 'lexical-1', vectors: texts.map(lexicalVector) }),
}
