/** Patterns over names and paths: `*` within a part, `**` over parts, `?` one character. Pure; compiled once a pattern. */

const compiled = new Map<string, RegExp>()
const COMPILED_MAX = 2_000

/** `separator`: what `*` does not cross; empty: it crosses everything. */
export function matches(pattern: string, text: string, separator: '/' | '.' | '' = ''): boolean {
  const key = `${separator} ${pattern}`
  let regex = compiled.get(key)
  if (regex === undefined) {
    if (compiled.size >= COMPILED_MAX) compiled.clear()
    regex = compile(pattern, separator)
    compiled.set(key, regex)
  }
  return regex.test(text)
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Every quantifier stands over one class and behind a literal or at an end: matching takes no exponential time. */
function compile(pattern: string, separator: string): RegExp {
  const one = separator === '' ? '[^]' : `[^${literal(separator)}]`
  const parts = pattern.match(/\*\*\/|\/\*\*$|\*+|\?|[^*?/]+|\//g) ?? []
  const source = parts.map((part) => {
    if (separator === '/' && part === '**/') return '(?:[^]*/)?'
    if (separator === '/' && part === '/**') return '(?:/[^]*)?'
    if (part === '**/') return '[^]*/'
    if (part === '/**') return '/[^]*'
    if (part === '?') return one
    if (/^\*+$/.test(part)) return part.length > 1 ? '[^]*' : `${one}*`
    return literal(part)
  })
  return new RegExp(`^${source.join('')}$`)
}
