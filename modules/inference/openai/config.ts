/** What a config of `inference/openai` may say; the keys of the paper's Listing 10 work as written there. */
import { z } from 'zod'

const dollarsPerMillion = z.number().min(0)

/** A base_url is shown to people: what is secret in an address has no place there. */
const isPlainAddress = (url: string): boolean => {
  if (!URL.canParse(url)) return true
  const { username, password, search, hash, protocol } = new URL(url)
  return /^https?:$/.test(protocol) && username + password + search + hash === ''
}

const port = z.number().int().min(1).max(65_535)

export const configSchema = z
  .object({
    /** name of the environment variable that holds the key; default OPENAI_API_KEY, for a server on this machine none */
    api_key_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'it is the name of an environment variable, never the key itself')
      .optional(),
    /** another way to give the key: `secret:NAME` */
    api_key: z.string().min(1).optional().meta({ secret: true }),
    base_url: z
      .url()
      .refine(isPlainAddress, 'it must be an http address without name, password, `?` and `#`')
      .default('https://api.openai.com/v1'),
    /** instead of `base_url`: a server is looked for at these ports of this machine, the first that has a model is used */
    local_ports: z.array(port).min(1).max(16).optional(),
    /** how long such a server may take to say that it is there, and for how long it is believed */
    local_probe_ms: z.number().int().positive().max(900).default(300),
    local_recheck_ms: z.number().int().min(0).default(2_000),
    /** with `local_ports` any that is there, unless one is named */
    model: z.string().min(1).optional(),
    embedding_model: z.string().min(1).optional(),
    /** sent only when given: not every model can shorten its vectors */
    embedding_dimensions: z.number().int().positive().optional(),
    temperature: z.number().min(0).max(2).optional(),
    /** `false`: this model is told of no tools */
    tool_use: z.boolean().default(true),
    /** offers the tools of a request in the provider's own form too; what comes back is text with fences all the same */
    native_tools: z.boolean().default(false),
    /** template of the system message, for requests that bring none */
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
  .refine(({ model, local_ports }) => model !== undefined || local_ports !== undefined, {
    path: ['model'],
    message: 'it is required',
  })

export type Config = z.infer<typeof configSchema>
