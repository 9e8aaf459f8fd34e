/** The shapes of the Bracket Protocol: what a message of a model consists of, and how its mistakes are told. */
import type { Json, JsonMap } from '../contracts/seams.ts'

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
  | 'truncated'

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

/** What was read although it was not written quite so. Each is counted, none changes a value in silence. */
export type BracketWarningCode =
  | 'fence_label'
  | 'fence_in_line'
  | 'no_fence'
  | 'prose_in_fence'
  | 'list_of_calls'
  | 'foreign_form'
  | 'lifted'
  | 'missing_brace'
  | 'extra_brace'
  | 'equals_sign'
  | 'missing_colon'
  | 'escaped_underscore'
  | 'python_constant'
  | 'precision'

export interface BracketWarning {
  code: BracketWarningCode
  message: string
  /** where in the whole message */
  offset: number
}

export interface CallPart {
  kind: 'call'
  name: string
  params: JsonMap
  id: string | undefined
  /** as it was written */
  source: string
  /** only when there are any */
  warnings?: readonly BracketWarning[]
}

export interface ResultPart {
  kind: 'result'
  name: string
  body: JsonMap
  source: string
  warnings?: readonly BracketWarning[]
}

export interface TextPart {
  kind: 'text'
  text: string
}

export interface ErrorPart {
  kind: 'error'
  error: BracketError
  source: string
}

/** A repair in a fence that belongs to no call after it. */
export interface WarningPart {
  kind: 'warning'
  warning: BracketWarning
}

export type Part = TextPart | CallPart | ResultPart | ErrorPart | WarningPart

/**
 * What a scanner tells while a message is still coming. Text and pieces of strings are told as far as they have come: how
 * they are cut depends on the chunks, put together they do not. Nothing may be run before its `part`: a block that
 * turns out to be broken ends with an error part instead. None may throw; all are called from within `push` and `end`.
 */
export interface ScanListener {
  /** a whole part; for text, after all of its pieces */
  part(part: Part): void
  /** more of the text between fences */
  text?(piece: string): void
  /** the name of a block is known */
  head?(kind: 'call' | 'result', name: string): void
  /** more of a string; `path` are the keys and indexes that lead to it, from the block */
  piece?(path: readonly (string | number)[], piece: string): void
  /** a value has been read to its end */
  value?(path: readonly (string | number)[], value: Json): void
}

export interface ScanOptions {
  /** Reads what models write instead of the protocol, each time with a warning. For messages of models only. @default false */
  repair?: boolean
}

export const BRACKET_LIMITS = {
  message_chars_max: 4 * 1024 * 1024,
  block_chars_max: 1024 * 1024,
  depth_max: 64,
  blocks_max: 64,
  members_max: 1024,
  items_max: 100_000,
  key_chars_max: 256,
  tag_chars_max: 32,
  /** of a line that opens or closes a fence or a raw string, and of what leads to a head */
  line_chars_max: 256,
  /** in one block */
  repairs_max: 32,
} as const
