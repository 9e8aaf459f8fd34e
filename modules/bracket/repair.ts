/**
 * A second reading of a block that did not read: what models often write instead is understood, each time with a
 * warning. Never guessed: where a string ends, what stands in it, and what was cut off. Used by the scanner.
 */
import { BlockReader } from './block.ts'
import { toPart } from './call.ts'
import { Input } from './input.ts'
import { Refusal } from './refusal.ts'
import type { CallPart, ResultPart } from './types.ts'

export interface RepairOptions {
  /** offset of the block */
  at: number
  ticks: number
  results: boolean
  /** the block was followed by another or by the end of the fence: braces that are missing there were forgotten */
  whole: boolean
}

/** Undefined when that cannot be read either. `end` is the offset behind what was read. */
export function readRepaired(
  text: string,
  options: RepairOptions,
): { part: CallPart | ResultPart; end: number } | undefined {
  const { at, ticks, results, whole } = options
  const input = new Input()
  input.feed(text)
  input.base = at
  input.ended = true
  input.blank = false
  const reader = new BlockReader(input, { ticks, repair: true, constants: true })
  try {
    readToEnd(reader, input, whole)
    const source = text.slice(0, input.at).trimEnd()
    return { part: toPart(reader.frames, reader.warnings, { at, source, results, repair: true }), end: input.offset }
  } catch (thrown) {
    if (thrown instanceof Refusal) return undefined
    throw thrown
  }
}

function readToEnd(reader: BlockReader, input: Input, whole: boolean): void {
  try {
    reader.read(input)
  } catch (thrown) {
    if (!(thrown instanceof Refusal) || thrown.code !== 'unclosed_block' || !whole || !reader.closeAll()) throw thrown
    reader.warnings.push({ code: 'missing_brace', message: 'closing braces were missing', offset: input.offset })
  }
}
