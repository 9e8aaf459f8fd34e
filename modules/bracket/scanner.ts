/**
 * A model's message, in any number of chunks → its parts: text, calls, results, and errors with their place. Where a
 * fence closes is decided by reading the blocks in it, never by searching for the closing line, and one broken block
 * does not take the others with it. The parts do not depend on the chunks. It never throws. A whole message is one
 * chunk (`scan.ts`).
 */
import { BlockReader } from './block.ts'
import { toPart } from './call.ts'
import { Input } from './input.ts'
import { beginsBlock, closes } from './lines.ts'
import { Message } from './message.ts'
import { messageTooLong, noHead, tooMany, truncated } from './mistakes.ts'
import { isHeard, plainPart } from './plain.ts'
import { Pieces } from './pieces.ts'
import { placed, Refusal } from './refusal.ts'
import { readRepaired } from './repair.ts'
import { Search, type Broken, type Found } from './search.ts'
import { TextReader, type Begun, type TextSink } from './text.ts'
import { BRACKET_LIMITS, type BracketWarning, type Part } from './types.ts'
import type { ScanListener, ScanOptions } from './types.ts'
import { NOISE, Warnings } from './warnings.ts'

/** An error shows this much of the message behind its place, so it waits until that has come. */
const EXCERPT_CHARS = 120

export class Scanner implements TextSink {
  private readonly listener: ScanListener
  private readonly repair: boolean
  private readonly input = new Input()
  private readonly texts: TextReader
  private readonly message = new Message()
  private mode: 'text' | 'fence' | 'block' | 'search' | 'over' = 'text'
  private readonly text = new Pieces()
  private fence: Begun | undefined
  private reader: BlockReader | undefined
  private search: Search | undefined
  private found: Found | undefined
  private blockAt = 0
  /** where the last block of the fence ended */
  private after = 0
  /** blocks of the whole message, good or broken */
  private blocks = 0
  /** parts of the fence that is open */
  private parts = 0
  private readonly warnings = new Warnings()
  private isCut = false

  constructor(listener: ScanListener, { repair = false }: ScanOptions = {}) {
    this.listener = listener
    this.repair = repair
    this.texts = new TextReader(repair)
  }

  push(chunk: string): void {
    if (this.mode === 'over' || chunk === '') return
    this.message.add(chunk)
    if (this.message.length > BRACKET_LIMITS.message_chars_max) {
      this.end()
      return
    }
    this.input.feed(chunk)
    this.run()
  }

  /** `truncated`: the model was cut off, so nothing that is open is guessed to its end. */
  end({ truncated: isCut = false }: { truncated?: boolean } = {}): void {
    if (this.mode === 'over') return
    if (this.message.length > BRACKET_LIMITS.message_chars_max) this.fail(messageTooLong(), '')
    else {
      this.isCut = isCut
      this.input.ended = true
      this.run()
      if (this.mode !== 'text') this.tellPending()
      this.flush()
    }
    this.mode = 'over'
  }

  private run(): void {
    while (this.step());
  }

  /** False when more has to come. */
  private step(): boolean {
    switch (this.mode) {
      case 'text':
        return this.readText()
      case 'fence':
        return this.readFence(this.fence as Begun)
      case 'block':
        return this.readBlock(this.fence as Begun, this.reader as BlockReader)
      case 'search':
        return this.readSearch(this.fence as Begun, this.search as Search)
      default:
        return false
    }
  }

  private readText(): boolean {
    const begun = this.texts.read(this.input, this)
    if (begun === undefined) return false
    if (!begun.doubtful && !begun.bare) this.flush()
    this.fence = begun
    this.parts = 0
    this.after = this.input.offset
    this.warnings.begin()
    if (begun.warning !== undefined) this.warnings.add(begun.warning, begun.at)
    this.mode = 'fence'
    return true
  }

  /** @internal for the reader of texts */
  addText(piece: string): void {
    this.text.add(piece)
    this.listener.text?.(piece)
  }

  private readFence(fence: Begun): boolean {
    const { input } = this
    const char = input.skipSpace()
    if (char === undefined) return false
    const { text, at, ended } = input
    if (char === '`' && (input.blank || this.repair)) {
      const isClose = closes(text, at, fence.ticks, ended)
      if (isClose === undefined) return false
      if (isClose) return this.leave(text.indexOf('\n', at) + 1 || text.length, true)
    }
    if (fence.bare && this.after !== fence.at) {
      const begins = input.blank && beginsBlock(text, at, ended)
      if (begins === undefined) return false
      if (!begins) return this.leave(this.after - input.base, false)
    }
    const { blocks_max } = BRACKET_LIMITS
    if (this.blocks >= blocks_max) return this.lookOn(tooMany(input.offset, blocks_max, 'calls'), 'fence')
    const noise = this.repair && char !== '{' ? NOISE[char] : undefined
    if (noise !== undefined) {
      this.warnings.add(noise, input.offset)
      input.at++
      input.blank = false
      return true
    }
    this.blocks++
    this.blockAt = input.offset
    if (char !== '{') return this.lookOn(noHead(input.offset), fence.bare ? 'line' : 'block')
    if (this.readPlain(fence)) return true
    const options = { repair: false, constants: this.repair, listener: this.listener }
    this.reader = new BlockReader(input, { ticks: fence.ticks, ...options })
    this.mode = 'block'
    return true
  }

  /** True when the block is one of the many in which there is nothing to tell but what it says. */
  private readPlain({ results }: Begun): boolean {
    const { input, blockAt: at, repair, listener } = this
    if (isHeard(listener)) return false
    const part = plainPart(input, { at, results, repair })
    if (part === undefined) return false
    this.add(part)
    return this.afterBlock(input.offset)
  }

  /** The fence has ended before this index of what is there. */
  private leave(at: number, lineStart: boolean): boolean {
    const { input } = this
    this.tellPending()
    if (at < 0) input.seek(this.message.whole(), input.base + at)
    else input.at = at
    this.texts.resume(lineStart)
    this.mode = 'text'
    return true
  }

  private readBlock(fence: Begun, reader: BlockReader): boolean {
    const { input, blockAt } = this
    try {
      if (!reader.read(input)) return false
      const source = this.slice(blockAt, input.offset)
      this.add(
        toPart(reader.frames, reader.warnings, { at: blockAt, source, results: fence.results, repair: this.repair }),
      )
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown
      return this.lookOn(this.cutOff(thrown), fence.bare ? 'line' : 'block', reader)
    }
    return this.afterBlock(input.offset)
  }

  private afterBlock(offset: number): true {
    this.after = offset
    this.input.blank = false
    this.mode = 'fence'
    return true
  }

  /** What is open at the end of a message that was cut off is no mistake of the model. */
  private cutOff(refusal: Refusal): Refusal {
    const isOpen = refusal.code.startsWith('unclosed') && this.input.at >= this.input.text.length
    return this.isCut && isOpen ? truncated(this.blockAt) : refusal
  }

  private lookOn(refusal: Refusal, until: Broken['until'], reader?: BlockReader): boolean {
    const { input, fence } = this
    if (until === 'fence') this.blockAt = input.offset
    this.search = new Search({ refusal, at: this.blockAt, spans: reader?.spans ?? [], ticks: fence?.ticks ?? 3, until })
    this.found = undefined
    input.seek(this.message.whole(), this.blockAt)
    this.mode = 'search'
    return true
  }

  private readSearch(fence: Begun, search: Search): boolean {
    const { refusal } = search.broken
    this.found ??= search.read(this.input)
    if (this.found === undefined) return false
    if (!this.input.ended && this.message.length < refusal.at + EXCERPT_CHARS) return false
    const source = this.slice(search.broken.at, this.found.at)
    this.settle(fence, search.broken, this.found, source)
    return true
  }

  /** What becomes of a block that did not read. */
  private settle(fence: Begun, broken: Broken, found: Found, source: string): void {
    const { refusal, at } = broken
    const isProse = this.repair && refusal.code === 'no_head' && !fence.bare
    const head = isProse ? source.search(/\{\s*["']?call["']?\s*:/) : -1
    if (broken.until === 'fence') {
      if (this.blocks++ === BRACKET_LIMITS.blocks_max) this.fail(refusal, '')
      this.goOn(found)
    } else if (head > 0) this.skipProse(source.slice(0, head), at + head, false)
    else if (isProse && (found.kind === 'block' || this.parts > 0)) this.skipProse(source, found.at, true)
    else if (!this.repaired(fence, broken, found, source)) {
      if (fence.doubtful && this.parts === 0 && !/^\{\s*["']?call/.test(source)) this.backToText(fence, found)
      else {
        this.fail(refusal, source.trimEnd())
        this.goOn(found)
      }
    }
  }

  private goOn(found: Found): void {
    this.input.seek(this.message.whole(), found.at)
    this.afterBlock(found.at)
    this.input.blank = true
  }

  private skipProse(prose: string, to: number, blank: boolean): void {
    this.warnings.add('prose_in_fence', to)
    this.addText(prose)
    this.input.seek(this.message.whole(), to)
    this.afterBlock(to)
    this.input.blank = blank
  }

  private repaired({ ticks, results }: Begun, { at, refusal }: Broken, found: Found, source: string): boolean {
    if (!this.repair || refusal.code === 'truncated' || !source.startsWith('{')) return false
    const read = readRepaired(source, { at, ticks, results, whole: found.kind === 'block' || found.kind === 'close' })
    if (read === undefined) return false
    this.add(read.part)
    this.input.seek(this.message.whole(), read.end)
    this.afterBlock(read.end)
    return true
  }

  /** It was no fence for calls: it is told as it stands. */
  private backToText({ at }: Begun, found: Found): void {
    this.texts.plainUntil = found.at
    this.input.seek(this.message.whole(), at)
    this.texts.resume(true)
    this.mode = 'text'
  }

  private add(part: Part & { warnings?: readonly BracketWarning[] }): void {
    this.flush()
    const around = this.warnings.take()
    this.parts++
    this.listener.part(around.length === 0 ? part : { ...part, warnings: [...around, ...(part.warnings ?? [])] })
  }

  /** Repairs that no call came after. */
  private tellPending(): void {
    const left = this.warnings.take()
    if (this.parts > 0) for (const warning of left) this.listener.part({ kind: 'warning', warning })
  }

  private fail(refusal: Refusal, source: string): void {
    this.flush()
    this.parts++
    this.listener.part({ kind: 'error', error: placed(this.message.whole(), refusal), source })
  }

  private flush(): void {
    const text = this.text.take()
    if (text !== '') this.listener.part({ kind: 'text', text })
  }

  private slice(from: number, to: number): string {
    const { text, base } = this.input
    return from >= base ? text.slice(from - base, to - base) : this.message.whole().slice(from, to)
  }
}
