/**
 * The body of a request. What stays the same from call to call comes first and byte for byte equal, so that a
 * provider's prompt cache finds it again: model, options and tools, then the messages in their order, system first. Pure.
 */
import type OpenAI from 'openai'
import type { CompletionRequest } from '../../contracts/services.ts'
import type { Config } from './config.ts'
import { coded } from '../../lib/errors.ts'
import { nativeFunctions } from './native-calls.ts'

export type Body = OpenAI.ChatCompletionCreateParamsStreaming

/** Options of the protocol that some servers do not know: found out by their errors, and not sent to them again. */
export type Unknown = 'stream_options' | 'max_tokens'

const ROLES = new Set(['system', 'user', 'assistant'])

/** Throws `bad_arguments`: requests come over HTTP too. */
export function checkRequest(request: CompletionRequest): void {
  const messages: unknown = request?.messages
  const fits = (one: Partial<Record<string, unknown>> | null): boolean =>
    typeof one?.['content'] === 'string' && ROLES.has(one['role'] as string)
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(fits))
    throw coded('bad_arguments', { reason: '`messages` is a list of {role: system | user | assistant, content: text}' })
}

/** The request with what the config adds; `template` is the text of its prompt file, for requests without a system message. */
export function completed(config: Config, request: CompletionRequest, template: () => string): CompletionRequest {
  const tools = config.tool_use ? (request.tools ?? []) : []
  const { messages } = request
  if (config.prompt_file === undefined || messages[0]?.role === 'system') return { ...request, tools }
  const listed = tools.map(({ signature, description }) => `- ${signature}: ${description}`).join('\n')
  const content = template()
    .replaceAll('{{mark}}', () => request.mark ?? 'mine')
    .replaceAll('{{status}}', '')
    .replaceAll('{{tools}}', () => (listed === '' ? '(none)' : listed))
  return { ...request, tools, messages: [{ role: 'system', content }, ...messages] }
}

/** `request` as `completed` gave it. */
export function bodyOf(config: Config, request: CompletionRequest, model: string, unknown: ReadonlySet<Unknown>): Body {
  const { temperature, native_tools } = config
  const tokens = Math.min(config.max_tokens ?? Infinity, request.output_tokens_max ?? Infinity)
  // Newer models of OpenAI refuse the old name, most other servers know only that one.
  const tokensKey = unknown.has('max_tokens') ? 'max_completion_tokens' : 'max_tokens'
  const functions = native_tools ? nativeFunctions(request.tools ?? []) : []
  return {
    model,
    ...(temperature === undefined ? {} : { temperature }),
    ...(tokens === Infinity ? {} : { [tokensKey]: tokens }),
    stream: true,
    ...(unknown.has('stream_options') ? {} : { stream_options: { include_usage: true } }),
    ...(functions.length === 0 ? {} : { tools: functions }),
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
