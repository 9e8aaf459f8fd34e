/** What the service `http` may be configured with. Every limit has its unit in its name. */
import { z } from 'zod'
import { isCapability } from '../../lib/capabilities.ts'
import { TOKEN_NAME } from '../../lib/tokens.ts'
import { SCOPES } from './routes/route.ts'

const count = z.number().int().positive()
const capability = z.string().refine(isCapability, 'write `service:method`, for example `database:query`, or `*`')

const token = z.object({
  token: z.string(),
  /** `read` sees, `operate` also calls and reloads, `admin` does everything */
  scope: z.enum(SCOPES).default('read'),
  /** which methods and tools it may call, where its scope lets it call at all */
  capabilities: z.array(capability).default(['*']),
  requests_per_s: count.optional(),
})
export type TokenConfig = z.infer<typeof token>

export const configSchema = z.object({
  host: z.string().default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(7700),
  port_tries: count.default(1),
  /** further `host:port` names this server is known by */
  hosts: z.array(z.string()).default([]),
  origins: z.array(z.string()).default([]),
  assistant: z.string().default('assistant'),
  /** besides the system's own */
  tokens: z.record(z.string().regex(TOKEN_NAME, 'letters, digits, `_`, `-` and `.` only'), token).default({}),
  /** calls that need the scope `admin` */
  admin: z
    .array(capability)
    .default(
      ['kernel:swap', 'kernel:freeze', 'kernel:thaw', 'assistant:decide'].concat(
        'config:edit',
        'module:create',
        'module:update',
        'packages:confirm',
      ),
    ),
  body_bytes_max: count.default(1_048_576),
  header_bytes_max: count.default(16_384),
  /** how long a request may take to arrive: its headers, and the whole of it */
  headers_ms: count.default(9_000),
  request_ms: count.default(9_000),
  connections_max: count.default(4_000),
  /** requests under way at once; open streams do not count */
  parallel_max: count.default(1_000),
  /** of one token */
  requests_per_s: count.default(20_000),
  /** of one address, without a good token */
  strangers_per_s: count.default(500),
  deadline_ms: count.default(30_000),
  /** answers kept for requests that come again with their Idempotency-Key */
  retries_max: count.default(1_000),
  retry_bytes_max: count.default(16_777_216),
  retry_ms: count.default(3_600_000),
  /** open event streams */
  streams_max: count.default(500),
})

export type Config = z.infer<typeof configSchema>
