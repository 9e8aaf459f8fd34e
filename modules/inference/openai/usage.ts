/** What an answer took, in tokens and in money. Pure. */
import type OpenAI from 'openai'
import type { Usage } from '../../contracts/services.ts'
import type { Config } from './config.ts'

type Told = OpenAI.CompletionUsage & {
  /** DeepSeek's name for it */
  prompt_cache_hit_tokens?: number
}

/** Null where the server told nothing: an unknown use is no use of zero. */
export function usageOf(told: Told | null | undefined, price: Config['price']): Usage | null {
  if (typeof told?.prompt_tokens !== 'number') return null
  const input = told.prompt_tokens
  const output = told.completion_tokens ?? 0
  const cached = Math.min(input, told.prompt_tokens_details?.cached_tokens ?? told.prompt_cache_hit_tokens ?? 0)
  return {
    input_tokens: input,
    output_tokens: output,
    cached_tokens: cached,
    cost_usd: costOf(price, input, cached, output),
  }
}

function costOf(price: Config['price'], input: number, cached: number, output: number): number | null {
  if (price === undefined) return null
  const cachedPrice = price.cached_input ?? price.input
  return ((input - cached) * price.input + cached * cachedPrice + output * price.output) / 1_000_000
}
