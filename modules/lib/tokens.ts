/**
 * Bearer tokens: whose a request carries, and which are refused. The services `http` and `mcp` keep theirs in their
 * configs, as `tokens: {name: {token: secret:NAME, …}}`. All are compared, at one width, so that the time taken tells
 * nothing about them. Pure.
 */
import { timingSafeEqual } from 'node:crypto'
import type { EffectiveConfig } from '../contracts/kernel.ts'
import { coded } from './errors.ts'

export type TokenTable = Readonly<Record<string, { token: string }>>

/** A token as it is compared. */
export interface TokenHolder {
  readonly name: string
  readonly bytes: Buffer
}

/** The holder of the system's own token, which may do everything. No token of a config has this name. */
export const OPERATOR = '(operator)'

/** Letters, digits, `_`, `-` and `.`: never the operator's. */
export const TOKEN_NAME = /^[\w.-]+$/

/** Shorter ones can be guessed. */
export const TOKEN_CHARS_MIN = 32
/** The width at which they are compared. */
export const TOKEN_CHARS_MAX = 256

export const holdersOf = (tokens: TokenTable): TokenHolder[] =>
  Object.entries(tokens).map(([name, { token }]) => ({ name, bytes: writeTo(Buffer.alloc(TOKEN_CHARS_MAX), token) }))

/** The token of an Authorization header. */
export const bearerOf = (authorization: string | null | undefined): string | undefined =>
  /^Bearer ([\x21-\x7e]+)$/.exec(authorization ?? '')?.[1]

export function holderOf(
  authorization: string | null | undefined,
  holders: readonly TokenHolder[],
): string | undefined {
  const given = bearerOf(authorization)
  if (given === undefined || given.length > TOKEN_CHARS_MAX) return undefined
  const asked = writeTo(ASKED, given)
  let holder: string | undefined
  for (const { name, bytes } of holders) {
    if (timingSafeEqual(bytes, asked)) holder ??= name
  }
  return holder
}

/** One for all requests: none waits between writing and comparing. */
const ASKED = Buffer.alloc(TOKEN_CHARS_MAX)

/** What is left of the width is filled with a byte that no token has. */
function writeTo(bytes: Buffer, token: string): Buffer {
  bytes.fill(0).write(token)
  return bytes
}

/**
 * Throws `token_refused` for one that can be guessed, and for one that stands in the config itself: `configs` are shown
 * as they are written, in `mm config dump` and over HTTP.
 */
export function checkTokens(tokens: TokenTable, configs: readonly EffectiveConfig[]): void {
  const written = configs[0]?.values.find(({ key }) => key === 'tokens')?.value as Partial<TokenTable> | undefined
  for (const [name, { token }] of Object.entries(tokens)) {
    if (token.length < TOKEN_CHARS_MIN)
      throw coded('token_refused', { name, reason: `it has fewer than ${TOKEN_CHARS_MIN} characters` })
    if (token.length > TOKEN_CHARS_MAX)
      throw coded('token_refused', { name, reason: `it has more than ${TOKEN_CHARS_MAX} characters` })
    if (written?.[name]?.token === token)
      throw coded('token_refused', { name, reason: 'it stands in the config, where everybody can read it' })
  }
}
