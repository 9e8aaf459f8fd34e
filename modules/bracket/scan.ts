/**
 * A whole message → its parts. The scanner does the work; this is for who has all of it. `truncated`: the model was cut
 * off by its provider. Never throws.
 */
import { Scanner } from './scanner.ts'
import type { Part, ScanListener, ScanOptions } from './types.ts'

class Parts implements ScanListener {
  readonly parts: Part[] = []

  part(part: Part): void {
    this.parts.push(part)
  }
}

export function scan(text: string, options: ScanOptions & { truncated?: boolean } = {}): Part[] {
  const listener = new Parts()
  const scanner = new Scanner(listener, options)
  scanner.push(text)
  scanner.end(options)
  return listener.parts
}
