/**
 * The tokens of the config: whose a request carries, and which are refused. All are compared, as hashes, so that the
 * time taken tells nothing about them. Pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { EffectiveConfig } from '../../contracts/kernel.ts'
import { coded } from '../../lib/errors.ts'

export type Tokens = Readonly<Record<string, { token: string; capabilities: readonly string[] }>>

/** The holder of the system's own token, which may do everything. No token of a config has this name. */
export const OPERATOR = '(operator)'

const TOKEN_CHARS_MIN = 32

export function holderOf(authorization: string | null, tokens: Tokens): string | undefined {
  const given = /^Bearer ([\x21-\x7e]+)$/.exec(authorization ?? '')?.[1]
  if (given === undefined) return undefined
  const asked = digest(given)
  let holder: string | undefined
  for (const [name, { token }] of Object.entries(tokens)) {
    if (timingSafeEqual(digest(token), asked)) holder ??= name
  }
  return holder
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Throws `mcp_token` for one that can be guessed, and for one that stands in the config itself: `configs` are shown as
 * they are written, in `mm config dump` and over HTTP.
 */
export function checkTokens(tokens: Tokens, configs: readonly EffectiveConfig[]): void {
  const written = configs[0]?.values.find(({ key }) => key === 'tokens')?.value as Partial<Tokens> | undefined
  for (const [name, { token }] of Object.entries(tokens)) {
    if (token.length < TOKEN_CHARS_MIN)
      throw coded('mcp_token', { name, reason: `it has fewer than ${TOKEN_CHARS_MIN} characters` })
    if (written?.[name]?.token === token)
      throw coded('mcp_token', { name, reason: 'it stands in the config, where everybody can read it' })
  }
}
