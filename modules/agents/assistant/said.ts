/**
 * One message of a model, read while it is written: its text goes out in pieces as it comes, its calls are collected and
 * run by nobody before the message has ended. What may still become a fence is held back by the scanner.
 */
import { fence, Scanner, type CallPart, type ErrorPart, type Part } from '../../bracket/index.ts'
import type { CompletionChunk, Usage } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { untilAborted } from './until-aborted.ts'

export interface Said {
  text: string
  parts: Part[]
  model: string
  finish: 'stop' | 'length'
  usage: Usage | null
}

export interface Reading {
  provider: string
  signal: AbortSignal
  chars_max: number
  onText(text: string): void
  /** a block that is only shown: it goes out as text */
  isShown(part: CallPart | ErrorPart): boolean
  /** hears of the text so far, for a message that does not come to its end */
  onPart?(whole: string): void
}

/** Rejects with what the stream rejects with, or the signal's reason. */
export async function readSaid(stream: AsyncIterable<CompletionChunk>, reading: Reading): Promise<Said> {
  const { provider, signal, chars_max, onText, isShown, onPart } = reading
  const parts: Part[] = []
  const flow = new TextFlow(onText)
  const listener = {
    text: (piece: string) => flow.add(piece),
    part: (part: Part) => {
      parts.push(part)
      if (part.kind === 'text' || part.kind === 'warning') return
      flow.stop()
      if (part.kind === 'result' || !isShown(part)) return
      flow.add(fence('tool', part.source).replace(/^(`+)tool/, '$1'))
      flow.stop()
    },
  }
  const scanner = new Scanner(listener, { repair: true })
  // A service that is not there (yet) gives no generator, only what can be iterated once it is.
  const chunks = stream[Symbol.asyncIterator]()
  let text = ''
  try {
    for (;;) {
      const { value, done } = await untilAborted(chunks.next(), signal)
      if (done === true) throw coded('provider_failed', { provider, reason: 'its answer broke off' })
      if (value.type === 'end') {
        const { model, finish, usage } = value.completion
        scanner.end({ truncated: finish === 'length' })
        return { text, parts, model, finish, usage }
      }
      text += value.text
      onPart?.(text)
      scanner.push(value.text)
      if (text.length > chars_max) {
        scanner.end({ truncated: true })
        return { text, parts, model: '', finish: 'length', usage: null }
      }
    }
  } finally {
    // Whoever does not answer its own end is not waited for.
    void chunks.return?.(undefined).catch(() => undefined)
  }
}

/** Text without the blanks around it: those before a fence and at the end of a message are nobody's text. */
class TextFlow {
  private pending = ''
  private begun = false
  private told = false
  private readonly tell: (text: string) => void

  constructor(tell: (text: string) => void) {
    this.tell = tell
  }

  add(piece: string): void {
    const text = this.begun ? this.pending + piece : (this.pending + piece).trimStart()
    const kept = text.trimEnd()
    this.pending = text.slice(kept.length)
    if (kept === '') return
    this.tell(!this.begun && this.told ? `\n${kept}` : kept)
    this.begun = true
    this.told = true
  }

  stop(): void {
    this.pending = ''
    this.begun = false
  }
}
