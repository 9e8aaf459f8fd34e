/**
 * The body of a request. What stays the same from call to call comes first and byte for byte equal, so that a
 * provider's prompt cache finds it again: model and options, then the messages in their order, system first. Pure.
 */
import type OpenAI from 'openai'
import type { CompletionRequest } from '../../contracts/services.ts'
import type { Config } from './config.ts'

export type Body = OpenAI.ChatCompletionCreateParamsStreaming

/** Options of the protocol that some servers do not know: found out by their errors, and not sent to them again. */
export type Unknown = 'stream_options' | 'max_tokens'

export function bodyOf(config: Config, request: CompletionRequest, model: string, unknown: ReadonlySet<Unknown>): Body {
  const { temperature } = config
  const tokens = Math.min(config.max_tokens ?? Infinity, request.output_tokens_max ?? Infinity)
  // Newer models of OpenAI refuse the old name, most other servers know only that one.
  const tokensKey = unknown.has('max_tokens') ? 'max_completion_tokens' : 'max_tokens'
  return {
    model,
    ...(temperature === undefined ? {} : { temperature }),
    ...(tokens === Infinity ? {} : { [tokensKey]: tokens }),
    stream: true,
    ...(unknown.has('stream_options') ? {} : { stream_options: { include_usage: true } }),
    messages: request.messages.map(({ role, content }) => ({ role, content })),
  }
}

/** The option a server just refused because it does not know it; undefined for any other error. */
export function refusedOption(status: unknown, message: string, sent: Body): Unknown | undefined {
  if (status !== 400 && status !== 422) return undefined
  if ('stream_options' in sent && /stream_options|include_usage/.test(message)) return 'stream_options'
  if ('max_tokens' in sent && /max_completion_tokens/.test(message)) return 'max_tokens'
  return undefined
}
