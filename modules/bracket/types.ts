/** The shapes of the Bracket Protocol: what a message of a model consists of, and how its errors are told. */
import type { Json, JsonMap } from '../contracts/seams.ts'

export type BracketValue = Json

export type BracketErrorCode =
  | 'unclosed_string'
  | 'unclosed_block'
  | 'unclosed_raw'
  | 'expected_colon'
  | 'expected_key'
  | 'expected_value'
  | 'mismatched'
  | 'duplicate_key'
  | 'quote_inside_string'
  | 'bad_escape'
  | 'bad_name'
  | 'no_head'
  | 'unknown_head'
  | 'too_deep'
  | 'too_long'
  | 'too_many'

/** 1-based line and column in the whole message. */
export interface BracketError {
  code: BracketErrorCode
  message: string
  hint: string
  line: number
  column: number
  offset: number
  excerpt: string
}

export interface CallPart {
  kind: 'call'
  name: string
  params: JsonMap
  id: string | undefined
  /** as it was written */
  source: string
}

export interface ResultPart {
  kind: 'result'
  name: string
  body: JsonMap
  source: string
}

export type Part =
  | { kind: 'text'; text: string }
  | CallPart
  | ResultPart
  | { kind: 'error'; error: BracketError; source: string }

export const BRACKET_LIMITS = {
  message_chars_max: 4 * 1024 * 1024,
  block_chars_max: 1024 * 1024,
  depth_max: 64,
  blocks_max: 64,
  members_max: 1024,
  items_max: 100_000,
  key_chars_max: 256,
  tag_chars_max: 32,
} as const
