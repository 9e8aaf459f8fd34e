/** The keys of the service `branches`. docs/branches.md explains them. */
import { z } from 'zod'

const ms = z.number().int().positive()

export const configSchema = z.object({
  /** `own`: only changes of files the package brings, in the package's own folder; `all`: every change of the root */
  changes: z.enum(['own', 'all']).default('own'),
  /** what the new branch grows from, and a pull request goes to; without one, the branch that is checked out */
  base: z.string().min(1).max(200).optional(),
  prefix: z
    .string()
    .regex(/^[\w][\w./-]{0,50}$/)
    .default('mm/'),
  author: z.string().min(1).max(100).default('meta-machine'),
  email: z.string().min(1).max(200).default('meta-machine@localhost'),
  /** `owner/name`: with it, and a token, a draft pull request is opened */
  repo: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/)
    .optional(),
  /** the environment variable that holds the token */
  token_env: z.string().min(1).max(100).default('GITHUB_TOKEN'),
  /** where the branch is pushed to */
  remote: z.string().min(1).max(500).default('origin'),
  api_url: z.url().default('https://api.github.com'),
  git_ms: ms.default(30_000),
  request_ms: ms.default(20_000),
  /** branches that are remembered */
  kept_max: z.number().int().positive().default(1_000),
})

export type Config = z.infer<typeof configSchema>
