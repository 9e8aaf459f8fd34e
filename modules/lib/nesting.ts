/**
 * How deep a source nests, without parsing it. The native parser recurses: source nested a few thousand levels deep
 * ends the whole process, so nothing is given to it that measures more than `NESTING_MAX`. The measure is an upper
 * bound: each open bracket weighs ten, each token since the last separator one (chains of operators, conditionals and
 * statements nest too). Where a `/` could begin a regular expression as well as divide, and it would matter, the answer
 * is Infinity. Asked by everything that hands a source to the parser.
 */

/** The parser was seen to survive three times as much, on a thread's stack. */
export const NESTING_MAX = 4_000
const BRACKET = 10

type Last = 'operator' | 'value' | 'either'

const REGEX_AFTER = new Set('return typeof instanceof in new delete void throw case do else extends default'.split(' '))
const EITHER_AFTER = new Set(['of', 'await', 'yield'])
const HEADERS = new Set(['if', 'while', 'for', 'with', 'await'])
const WORD = /[\p{ID_Continue}$#@\\]+/uy
const LINE_END = /[\n\r\u2028\u2029]/
const REST_MATTERS = /['"`([{)\]}]|\/[/*]/
const STRING = /'(?:[^'\\\n\r]|\\[^])*'?|"(?:[^"\\\n\r]|\\[^])*"?/y
const REGEX = /\/(?:[^/\\[\n\r\u2028\u2029]|\\.|\[(?:[^\]\\\n\r\u2028\u2029]|\\.)*\])*\/?/y
const LINE_COMMENT = /[^\n\r\u2028\u2029]*/y
const TEMPLATE = /(?:[^`\\$]|\\[^]|\$(?!\{))*/y

/** What each character of ASCII is: nearly all of a source is told by this table instead of by a pattern. */
const [OTHER, SPACE, LINE, WORDLIKE, QUOTE, OPEN, SHUT] = [0, 1, 2, 3, 4, 5, 6]
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  if (/[\w$#@\\]/.test(char)) return WORDLIKE
  if (/[\n\r]/.test(char)) return LINE
  if (/\s/.test(char)) return SPACE
  if (/['"]/.test(char)) return QUOTE
  return '([{'.includes(char) ? OPEN : ')]}'.includes(char) ? SHUT : OTHER
})
/** No word that matters here is longer, or begins with anything but a small letter. */
const WORD_MAX = 'instanceof'.length
const SOME_WORD = 'Word'
const [SMALL_A, SMALL_Z, LESS, SLASH, BACKTICK] = [97, 122, 60, 47, 96]

interface Level {
  /** what closes it */
  close: string
  /** tokens since the last separator */
  count: number
  /** type arguments that may be open: `,` separates inside of them */
  angles: number
  /** a `for (…)`, `if (…)`: what follows its end is no operator */
  header: boolean
}

/** Of a character beyond ASCII. */
const kindOf = (char: string): number => (LINE_END.test(char) ? LINE : /\s/.test(char) ? SPACE : OTHER)

export function nestingOf(text: string): number {
  const all = weightOf(text)
  return all <= NESTING_MAX ? all : new Measure(text).run()
}

/** As if nothing ever closed: enough for most files, and quick. */
function weightOf(text: string): number {
  let sum = 0
  let inWord = false
  for (let at = 0; at < text.length && sum <= NESTING_MAX; at++) {
    const code = text.charCodeAt(at)
    const word = (code > 47 && code < 58) || (code > 64 && code < 91) || (code > 96 && code < 123) || code > 126
    if (word ? !inWord : code > 32) sum += KINDS[code] === OPEN || code === LESS || code === BACKTICK ? BRACKET : 1
    inWord = word
  }
  return sum
}

class Measure {
  readonly #text: string
  readonly #levels: Level[] = [{ close: '', count: 0, angles: 0, header: false }]
  #at = 0
  #sum = 0
  #max = 0
  #last: Last = 'operator'
  #word = ''
  #ended: 'no' | 'by line' | 'for sure' = 'no'

  constructor(text: string) {
    this.#text = text
    if (text.startsWith('#!')) this.#skip(LINE_COMMENT)
  }

  run(): number {
    while (this.#at < this.#text.length && this.#max <= NESTING_MAX) this.#step(this.#text.charCodeAt(this.#at))
    return this.#max
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    if (!pattern.test(this.#text)) return false
    this.#at = pattern.lastIndex
    return true
  }

  #step(code: number): void {
    const kind = code < KINDS.length ? KINDS[code] : kindOf(this.#text[this.#at] as string)
    if (kind === SPACE) this.#at++
    else if (kind === WORDLIKE) this.#named(this.#takeWord())
    else if (kind === LINE) {
      this.#at++
      if (this.#last !== 'operator' && this.#ended === 'no') this.#ended = 'by line'
    } else if (kind === QUOTE) {
      this.#skip(STRING)
      this.#token('value', '')
    } else if (kind === OPEN) this.#open(this.#text[this.#at] as string)
    else if (kind === SHUT) this.#shut(this.#text[this.#at] as string)
    else if (code === SLASH) this.#slash()
    else if (code === BACKTICK) this.#template()
    else if (code < KINDS.length || !this.#skip(WORD)) this.#operator(this.#text[this.#at] as string)
    else this.#named(SOME_WORD)
  }

  #takeWord(): string {
    const begin = this.#at
    let code = this.#text.charCodeAt(begin)
    const isSmall = code >= SMALL_A && code <= SMALL_Z
    while (KINDS[code] === WORDLIKE) code = this.#text.charCodeAt(++this.#at)
    if (code >= KINDS.length) this.#skip(WORD)
    return isSmall && this.#at - begin <= WORD_MAX ? this.#text.slice(begin, this.#at) : SOME_WORD
  }

  #named(word: string): void {
    const isMember = this.#word === '.'
    this.#token('value', word)
    if (isMember) this.#word = ''
    else if (REGEX_AFTER.has(word)) this.#last = 'operator'
    else if (EITHER_AFTER.has(word)) this.#last = 'either'
  }

  #operator(char: string): void {
    const twice = this.#text[this.#at + 1] === char
    const arrow = char === '>' && this.#text[this.#at - 1] === '='
    this.#at += (char === '+' || char === '-') && twice ? 2 : 1
    const level = this.#levels[this.#levels.length - 1] as Level
    if (char === ',' || char === ';') {
      if (char === ',') this.#separate(level, false)
      else this.#ended = 'for sure'
      this.#last = 'operator'
      this.#word = char
      return
    }
    const postfix = char === '!' && this.#last !== 'operator'
    const either = ((char === '+' || char === '-') && twice) || (char === '>' && !arrow) || postfix
    this.#token(either ? 'either' : char === '.' ? 'value' : 'operator', char)
    if (char === '<') {
      level.angles += BRACKET
      this.#add(BRACKET)
    } else if (char === '>' && !arrow && level.angles > 0) {
      level.angles -= BRACKET
      this.#sum -= BRACKET
    }
  }

  #separate(level: Level, whole: boolean): void {
    this.#sum -= level.count
    level.count = 0
    if (!whole) return
    this.#sum -= level.angles
    level.angles = 0
  }

  /** A statement may have ended before this token, unless the token goes on with it. */
  #token(last: Last, word: string): void {
    const level = this.#levels[this.#levels.length - 1] as Level
    if (this.#ended !== 'no') {
      const goesOn = word === 'else' || (this.#ended === 'by line' && (last !== 'value' || CONTINUES.has(word)))
      if (!goesOn) this.#separate(level, true)
      this.#ended = 'no'
    }
    level.count++
    this.#add(1)
    this.#last = last
    this.#word = word
  }

  #add(weight: number): void {
    this.#sum += weight
    if (this.#sum > this.#max) this.#max = this.#sum
  }

  #open(char: string): void {
    const header = char === '(' && HEADERS.has(this.#word)
    // A line that begins with a bracket goes on with the one before; a block begins anew only after `;`.
    if (this.#ended === 'by line') this.#ended = 'no'
    this.#token('operator', char)
    this.#push(char === '(' ? ')' : char === '[' ? ']' : '}', header)
    this.#at++
  }

  #push(close: string, header: boolean): void {
    this.#levels.push({ close, count: 0, angles: 0, header })
    this.#add(BRACKET)
    this.#last = 'operator'
    this.#ended = 'no'
  }

  #shut(char: string): void {
    this.#at++
    const level = this.#levels[this.#levels.length - 1] as Level
    // A closer that fits nothing is a syntax error, which the parser will tell.
    if (level.close !== char && !(level.close === '`' && char === '}')) return
    this.#levels.pop()
    this.#sum -= level.count + level.angles + BRACKET
    this.#ended = char === '}' ? 'by line' : 'no'
    this.#last = level.header ? 'operator' : char === '}' ? 'either' : 'value'
    this.#word = ''
    if (level.close === '`') this.#rest()
  }

  #template(): void {
    this.#token('value', '')
    this.#at++
    this.#rest()
  }

  /** The text of a template up to its end, or to the next `${`. */
  #rest(): void {
    this.#skip(TEMPLATE)
    this.#last = 'value'
    this.#ended = 'no'
    if (this.#text[this.#at] === '`') this.#at++
    else if (this.#at < this.#text.length) {
      this.#at += 2
      this.#push('`', false)
    }
  }

  #slash(): void {
    const next = this.#text[this.#at + 1]
    if (next === '/') this.#skip(LINE_COMMENT)
    else if (next === '*') this.#blockComment()
    else if (this.#last === 'operator') {
      this.#skip(REGEX)
      this.#token('value', '')
    } else if (this.#last === 'value') this.#operator('/')
    else {
      const [rest = ''] = this.#text.slice(this.#at + 1).split(LINE_END, 1)
      if (REST_MATTERS.test(rest)) this.#max = Infinity
      this.#operator('/')
    }
  }

  #blockComment(): void {
    const end = this.#text.indexOf('*/', this.#at + 2)
    const comment = this.#text.slice(this.#at, end === -1 ? undefined : end + 2)
    this.#at += comment.length
    if (LINE_END.test(comment) && this.#last !== 'operator' && this.#ended === 'no') this.#ended = 'by line'
  }
}

/** Words with which a statement goes on in the next line. */
const CONTINUES = new Set('in instanceof as satisfies extends catch finally while of'.split(' '))
