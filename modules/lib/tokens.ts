/**
 * Bearer tokens: whose a request carries, and which are refused. The services `http` and `mcp` keep theirs in their
 * configs, as `tokens: {name: {token: secret:NAME, …}}`. All are compared, as hashes, so that the time taken tells
 * nothing about them. Pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { EffectiveConfig } from '../contracts/kernel.ts'
import { coded } from './errors.ts'

export type TokenTable = Readonly<Record<string, { token: string }>>

/** A token as it is compared: what was hashed once need not be hashed for each request. */
export interface TokenHolder {
  readonly name: string
  readonly digest: Buffer
}

/** The holder of the system's own token, which may do everything. No token of a config has this name. */
export const OPERATOR = '(operator)'

/** Letters, digits, `_`, `-` and `.`: never the operator's. */
export const TOKEN_NAME = /^[\w.-]+$/

const TOKEN_CHARS_MIN = 32

export const holdersOf = (tokens: TokenTable): TokenHolder[] =>
  Object.entries(tokens).map(([name, { token }]) => ({ name, digest: digestOf(token) }))

/** The token of an Authorization header. */
export const bearerOf = (authorization: string | null | undefined): string | undefined =>
  /^Bearer ([\x21-\x7e]+)$/.exec(authorization ?? '')?.[1]

export function holderOf(
  authorization: string | null | undefined,
  holders: readonly TokenHolder[],
): string | undefined {
  const given = bearerOf(authorization)
  if (given === undefined) return undefined
  const asked = digestOf(given)
  let holder: string | undefined
  for (const { name, digest } of holders) {
    if (timingSafeEqual(digest, asked)) holder ??= name
  }
  return holder
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Throws `token_refused` for one that can be guessed, and for one that stands in the config itself: `configs` are shown
 * as they are written, in `mm config dump` and over HTTP.
 */
export function checkTokens(tokens: TokenTable, configs: readonly EffectiveConfig[]): void {
  const written = configs[0]?.values.find(({ key }) => key === 'tokens')?.value as Partial<TokenTable> | undefined
  for (const [name, { token }] of Object.entries(tokens)) {
    if (token.length < TOKEN_CHARS_MIN)
      throw coded('token_refused', { name, reason: `it has fewer than ${TOKEN_CHARS_MIN} characters` })
    if (written?.[name]?.token === token)
      throw coded('token_refused', { name, reason: 'it stands in the config, where everybody can read it' })
  }
}
