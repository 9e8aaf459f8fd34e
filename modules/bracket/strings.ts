/**
 * The two ways to write text: quoted with JSON's escapes, and raw between `<<END` and `END`. Each reader gets the
 * offset of the first character and gives the value and the offset after the last one, or throws a `Refusal`.
 */
import { Refusal } from './refusal.ts'

interface Text {
  value: string
  end: number
}

const ESCAPES: Record<string, string> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Real line breaks are allowed. After the closing quote only a delimiter may follow: a quote inside is a mistake. */
export function readQuoted(text: string, opened: number): Text {
  const quote = text[opened] ?? '"'
  let value = ''
  let at = opened + 1
  for (;;) {
    const char = text[at]
    if (char === undefined) {
      throw new Refusal(
        'unclosed_string',
        opened,
        'This string is never closed',
        `Add the closing ${quote}; write a quote inside as \\${quote}.`,
      )
    }
    at++
    if (char === quote) break
    if (char === '\\') {
      const escape = readEscape(text, at)
      value += escape.value
      at = escape.end
    } else value += char
  }
  const next = text[at]
  if (next !== undefined && !/[\s,}\]:]/.test(next)) {
    throw new Refusal(
      'quote_inside_string',
      at - 1,
      `The string ends here, but \`${next}\` follows`,
      `Write a quote inside a string as \\${quote}, or use <<END … END for code.`,
    )
  }
  return { value, end: at }
}

/** `at` is the offset after the backslash. */
function readEscape(text: string, at: number): Text {
  const char = text[at] ?? ''
  if (char === 'u') {
    const digits = text.slice(at + 1, at + 5)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
      throw new Refusal('bad_escape', at - 1, '`\\u` needs four hexadecimal digits', 'Write the character itself.')
    }
    return { value: String.fromCharCode(Number.parseInt(digits, 16)), end: at + 5 }
  }
  const value = ESCAPES[char]
  if (value === undefined) {
    throw new Refusal(
      'bad_escape',
      at - 1,
      `\`\\${char}\` is no escape`,
      'Write a backslash as \\\\, or use <<END … END for code.',
    )
  }
  return { value, end: at + 1 }
}

/** `<<END`, lines as they are, `END` at the start of a line. No escapes, no trailing line break. */
export function readRaw(text: string, opened: number): Text {
  const tag = /^<<([A-Za-z0-9_]+)/.exec(text.slice(opened, opened + 40))?.[1] ?? ''
  const body = text.indexOf('\n', opened) + 1
  // `\n` alone ends a line here: `^` of a multiline pattern would match after U+2028 and `\r` too.
  const close = new RegExp(`(?<=\\n)[ \\t]*${tag}(?=[\\s,}\\]]|$)`, 'g')
  close.lastIndex = body
  const found = close.exec(text)
  if (found === null) {
    throw new Refusal(
      'unclosed_raw',
      opened,
      `\`<<${tag}\` is never closed`,
      `Put ${tag} alone on a line after the text.`,
    )
  }
  const end = found.index + found[0].length
  return { value: found.index === body ? '' : text.slice(body, found.index - 1), end }
}
