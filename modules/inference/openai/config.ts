/** What a config of `inference/openai` may say; the keys of the paper's Listing 10 work as written there. */
import { z } from 'zod'

const dollarsPerMillion = z.number().min(0)

/** A base_url is shown to people: what is secret in an address has no place there. */
const isPlainAddress = (url: string): boolean => {
  if (!URL.canParse(url)) return true
  const { username, password, search, hash, protocol } = new URL(url)
  return /^https?:$/.test(protocol) && username + password + search + hash === ''
}

export const configSchema = z.object({
  /** name of the environment variable that holds the key; default OPENAI_API_KEY, for a server on this machine none */
  api_key_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'it is the name of an environment variable, never the key itself')
    .optional(),
  base_url: z
    .url()
    .refine(isPlainAddress, 'it must be an http address without name, password, `?` and `#`')
    .default('https://api.openai.com/v1'),
  model: z.string().min(1),
  temperature: z.number().min(0).max(2).optional(),
  tool_use: z.boolean().default(true),
  prompt_file: z.string().optional(),
  /** tokens of an answer at most; a request may ask for less */
  max_tokens: z.number().int().positive().optional(),
  /** US dollars per million tokens */
  price: z
    .object({
      input: dollarsPerMillion,
      /** default: the price of `input` */
      cached_input: dollarsPerMillion.optional(),
      output: dollarsPerMillion,
    })
    .optional(),
  /** a whole answer, with all tries */
  timeout_seconds: z.number().positive().max(86_400).default(300),
  /** until a try is answered at all; a server that loads a model first needs this long */
  connect_seconds: z.number().positive().default(60),
  /** without a byte once the answer has begun */
  idle_seconds: z.number().positive().default(60),
  /** tries after the first */
  retries: z.number().int().min(0).max(10).default(2),
  /** the wait before the second try where the server names none; doubled for each further one */
  retry_ms: z.number().int().positive().default(500),
  answer_bytes_max: z
    .number()
    .int()
    .positive()
    .default(16 * 1024 * 1024),
})

export type Config = z.infer<typeof configSchema>
