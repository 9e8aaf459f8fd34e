/** The words for what can be wrong in a block: what was found, and how to write it instead. */
import { Refusal, short } from './refusal.ts'
import { BRACKET_LIMITS } from './types.ts'

const FORM = 'Write `{call: tool_name {params {key: value}}}`.'

export const noHead = (at: number, empty = false): Refusal =>
  new Refusal('no_head', at, empty ? 'The block is empty' : 'A block begins with `{`', FORM)

export const unknownHead = (at: number, key: string): Refusal =>
  new Refusal('unknown_head', at, `A block begins with \`call:\`, not \`${short(key)}\``, FORM)

export const badName = (at: number, name: unknown): Refusal =>
  new Refusal(
    'bad_name',
    at,
    `\`${short(JSON.stringify(name))}\` is no name`,
    'A name has letters, digits and _ . : / -, and begins with a letter.',
  )

export const escapedKey = (at: number, key: string): Refusal =>
  new Refusal('bad_name', at, `\`${short(key)}\` has a backslash`, 'Write `_` as it is.')

export const wrongFence = (at: number, head: string): Refusal =>
  new Refusal(
    'unknown_head',
    at,
    `\`${head}:\` does not belong in this fence`,
    'A ```tool fence holds calls, a ```result fence holds results.',
  )

export const expectedKey = (at: number, char: string | undefined): Refusal =>
  new Refusal(
    'expected_key',
    at,
    `A key is expected, not \`${char ?? ''}\``,
    'Write `key: value`; a value with spaces or signs needs "quotes".',
  )

export const expectedColon = (at: number, key: string): Refusal =>
  new Refusal('expected_colon', at, `\`:\` is missing after \`${short(key)}\``, `Write \`${short(key)}: value\`.`)

export const expectedValue = (at: number, char: string | undefined): Refusal =>
  new Refusal(
    'expected_value',
    at,
    `A value is expected, not \`${char ?? 'the end'}\``,
    'Write a number, true, false, null, a word, or text in "quotes".',
  )

export const listClosesMap = (at: number): Refusal =>
  new Refusal('mismatched', at, '`]` closes a list, but a map is open here', 'Close the map with `}` first.')

export const mapClosesList = (at: number): Refusal =>
  new Refusal('mismatched', at, '`}` closes a map, but a list is open here', 'Close the list with `]` first.')

export const unclosed = (at: number, sign: '{' | '['): Refusal =>
  new Refusal(
    'unclosed_block',
    at,
    `This \`${sign}\` is never closed`,
    `Add the missing \`${sign === '{' ? '}' : ']'}\` before the end of the fence.`,
  )

export const truncated = (at: number): Refusal =>
  new Refusal(
    'truncated',
    at,
    'The message ends in the middle of this block',
    'Send the block again, whole; split what is too long over several calls.',
  )

export const twice = (at: number, key: string): Refusal =>
  new Refusal('duplicate_key', at, `\`${short(key)}\` stands twice`, 'Keep one of them.')

export const tooDeep = (at: number): Refusal =>
  new Refusal('too_deep', at, `More than ${BRACKET_LIMITS.depth_max} levels`, 'Send the value flatter.')

export const tooLong = (at: number, what: 'block' | 'key', limit: number): Refusal =>
  new Refusal('too_long', at, `The ${what} is too long`, `At most ${limit} characters.`)

export const messageTooLong = (): Refusal =>
  new Refusal('too_long', BRACKET_LIMITS.message_chars_max, 'The message is too long', 'Send less at once.')

export const tooMany = (at: number, limit: number, what: 'members' | 'items' | 'calls'): Refusal =>
  new Refusal('too_many', at, `More than ${limit} ${what}`, `Send ${what === 'calls' ? 'fewer' : 'less'} at once.`)
