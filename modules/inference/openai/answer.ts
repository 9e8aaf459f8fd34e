/**
 * An answer as it comes, piece by piece: gathers the text, why it ended and what it took. Pure; `stream.ts` feeds it.
 * An answer without a reason for its end was cut off, whatever has come of it.
 */
import type OpenAI from 'openai'
import type { Completion } from '../../contracts/services.ts'
import type { Config } from './config.ts'
import { NativeCalls } from './native-calls.ts'
import { usageOf } from './usage.ts'

export type Chunk = OpenAI.ChatCompletionChunk

export class Answer {
  #text = ''
  #model: string
  #finish: string | undefined
  #usage: Chunk['usage']
  readonly #calls = new NativeCalls()
  readonly #mark: string | undefined

  constructor(model: string, mark: string | undefined) {
    this.#model = model
    this.#mark = mark
  }

  /** The text that this piece adds. */
  take(chunk: Chunk): string {
    if (typeof chunk.model === 'string' && chunk.model !== '') this.#model = chunk.model
    if (chunk.usage !== undefined && chunk.usage !== null) this.#usage = chunk.usage
    const choice = chunk.choices?.find(({ index }) => (index ?? 0) === 0)
    if (choice?.finish_reason !== undefined && choice.finish_reason !== null) this.#finish = choice.finish_reason
    this.#calls.add(choice?.delta?.tool_calls ?? [])
    const text = choice?.delta?.content ?? choice?.delta?.refusal ?? ''
    this.#text += text
    return text
  }

  /** The calls that came in the provider's own form, as the last piece of the text. */
  takeCalls(): string {
    const calls = this.#calls.print(this.#mark, this.#isCut)
    const text = calls === '' || this.#text === '' || this.#text.endsWith('\n') ? calls : `\n${calls}`
    this.#text += text
    return text
  }

  /** characters so far */
  get chars(): number {
    return this.#text.length
  }

  /** The server said why it stopped: all of the text has come. `error` is no end. */
  get ended(): boolean {
    return this.#finish !== undefined && this.#finish !== 'error'
  }

  get filtered(): boolean {
    return this.#finish === 'content_filter'
  }

  /** Nothing that matters can follow. */
  get whole(): boolean {
    return this.ended && this.#usage !== undefined
  }

  completion(price: Config['price']): Completion {
    const finish = this.#isCut ? 'length' : 'stop'
    return { text: this.#text, model: this.#model, finish, usage: usageOf(this.#usage, price) }
  }

  get #isCut(): boolean {
    return this.#finish === 'length' || this.filtered
  }
}

/** A server that does not stream answers with the whole: one piece like any other. */
export function asChunk(whole: OpenAI.ChatCompletion): Chunk {
  const choices = (whole.choices ?? []).map(({ index, finish_reason, message }) => ({
    index,
    finish_reason,
    delta: {
      content: message?.content ?? null,
      refusal: message?.refusal ?? null,
      tool_calls: (message?.tool_calls ?? []).flatMap((call, at) =>
        'function' in call ? [{ ...call, index: at }] : [],
      ),
    },
  }))
  return { ...whole, object: 'chat.completion.chunk', choices }
}
