/** What the YAML file of a bridged server may say: a command to run or a URL to speak to, and limits. */
import { z } from 'zod'

const limits = {
  /** for the server to start and to say what it has */
  connect_ms: z.number().int().positive().default(20_000),
  call_ms: z.number().int().positive().default(60_000),
  retry_ms_max: z.number().int().positive().default(30_000),
  message_bytes_max: z.number().int().positive().default(4_194_304),
  tools_max: z.number().int().positive().default(500),
}

export const configSchema = z
  .object({
    command: z.string().min(1).optional(),
    args: z.array(z.union([z.string(), z.number().transform(String)])).default([]),
    /** added to PATH, HOME and the like; nothing else of this process's environment reaches the server */
    env: z.record(z.string(), z.union([z.string(), z.number().transform(String)])).default({}),
    url: z.url({ protocol: /^https?$/ }).optional(),
    headers: z.record(z.string(), z.string()).default({}),
    ...limits,
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), 'write either `command` or `url`')

export type BridgeConfig = z.infer<typeof configSchema>
