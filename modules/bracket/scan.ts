/**
 * A whole message → its parts. The scanner does the work; this is for who has all of it. `truncated`: the model was cut
 * off by its provider. Never throws.
 */
import { Scanner } from './scanner.ts'
import type { Part, ScanOptions } from './types.ts'

export function scan(text: string, options: ScanOptions & { truncated?: boolean } = {}): Part[] {
  const parts: Part[] = []
  const scanner = new Scanner({ part: (part) => parts.push(part) }, options)
  scanner.push(text)
  scanner.end(options)
  return parts
}
