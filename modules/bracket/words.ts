/**
 * Bare words, as keys and as values: numbers, constants, and anything else without spaces, which is text. Read in any
 * number of pieces. Used by the block reader.
 */
import type { Json, JsonMap } from '../contracts/seams.ts'
import { isSpace, type Input } from './input.ts'

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const PYTHON: Record<string, boolean | null> = { True: true, False: false, None: null }

const COLON = 58
/** What ends a word, of the first 128 characters: spaces and `{ } [ ] , "`. */
const ENDS = Uint8Array.from({ length: 128 }, (_, code) =>
  isSpace(code) || '{}[],"'.includes(String.fromCharCode(code)) ? 1 : 0,
)
/** NaN, the end of what is there, ends it too. */
export const endsWord = (code: number): boolean => (code < 128 ? ENDS[code] === 1 : Number.isNaN(code) || isSpace(code))
const EQUALS = 61

export class Words {
  word = ''

  begin(): void {
    this.word = ''
  }

  /** False while more of it may come. `stopAt` ends a key beside the colon. */
  read(input: Input, isKey: boolean, stopAt?: number): boolean {
    const { text } = input
    let at = input.at
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code < 128 ? ENDS[code] === 1 : isSpace(code)) break
      if (isKey && (code === COLON || code === stopAt)) break
    }
    const piece = text.slice(input.at, at)
    this.word = this.word === '' ? piece : this.word + piece
    input.at = at
    return at < text.length || input.ended
  }
}

export { EQUALS }

export type WordNote = 'precision' | 'python_constant' | undefined

/** What a bare word stands for. `python`: the constants of that language count too. */
export function valueOf(word: string, python: boolean): { value: Json; note: WordNote } {
  const code = word.charCodeAt(0)
  if (code === 45 || (code >= 48 && code <= 57)) {
    if (!NUMBER.test(word)) return { value: word, note: undefined }
    const value = Number(word)
    if (!Number.isFinite(value)) return { value: word, note: undefined }
    const isRounded = Math.abs(value) > Number.MAX_SAFE_INTEGER && /^-?\d+$/.test(word)
    return { value, note: isRounded ? 'precision' : undefined }
  }
  if (word === 'true') return { value: true, note: undefined }
  if (word === 'false') return { value: false, note: undefined }
  if (word === 'null') return { value: null, note: undefined }
  if (python && Object.hasOwn(PYTHON, word)) return { value: PYTHON[word] ?? null, note: 'python_constant' }
  return { value: word, note: undefined }
}

/** `__proto__` stays a member like any other. */
export function setOwn(map: JsonMap, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  } else map[key] = value
}
