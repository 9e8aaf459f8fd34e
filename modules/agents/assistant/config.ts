/** The keys of the assistant's config. Every limit has its unit in its name; docs/assistant.md explains them. */
import { z } from 'zod'

export const configSchema = z.object({
  /** `auto`, or the name of one inference service */
  provider: z.string().default('auto'),
  /** tried in this order when `auto` */
  providers: z.array(z.string()).min(1).default(['openai', 'local', 'offline']),
  /** for providers whose own config names none */
  prompt_file: z.string().default('prompts/meta.txt'),
  /** answers of the model in one turn */
  steps_max: z.number().int().positive().max(100).default(8),
  /** below the service's `drain_ms`, so that a reload never cuts a turn */
  turn_seconds_max: z.number().positive().default(110),
  /** of one turn; needs prices in the provider's config */
  cost_usd_max: z.number().positive().default(1),
  /** calls of one message that run at the same time */
  parallel_max: z.number().int().positive().max(64).default(8),
  /** what is sent to the model at most, by the estimate of four characters a token */
  context_tokens_max: z.number().int().min(500).default(32_000),
  output_tokens_max: z.number().int().positive().optional(),
  /** messages that may wait for the turn before them, in one conversation */
  waiting_max: z.number().int().positive().default(16),
  /** true: a call without the conversation's mark never runs */
  marks_required: z.boolean().default(false),
  message_chars_max: z.number().int().positive().default(100_000),
  answer_chars_max: z.number().int().positive().default(1_000_000),
  conversations_max: z.number().int().positive().default(1_000),
  /** of one conversation */
  messages_max: z.number().int().min(4).default(400),
  conversation_chars_max: z.number().int().min(1_000).default(4_000_000),
  conversation_days_max: z.number().positive().default(90),
})

export type Config = z.infer<typeof configSchema>
