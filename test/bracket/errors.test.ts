/** What is wrong with a block is told in a form a model can act on: code, exact line and column, hint, excerpt. */
import { describe, expect, it } from 'vitest'
import { printScanError, scan, type BracketError } from '../../modules/bracket/index.ts'

/** In the samples below this mark stands before the character the error must point at. */
const MARK = '▲'

/** The errors of a message, and where its marks stood. */
function errorsOf(marked: string): { errors: BracketError[]; line: number; column: number; text: string } {
  const at = marked.indexOf(MARK)
  const before = marked.slice(0, at)
  const text = marked.replaceAll(MARK, '')
  const errors = scan(text).flatMap((part) => (part.kind === 'error' ? [part.error] : []))
  return { errors, line: before.split('\n').length, column: before.length - before.lastIndexOf('\n'), text }
}

const inFence = (block: string): string => `Let me see.\n\n\`\`\`tool\n${block}\n\`\`\`\nDone.\n`

const SAMPLES: [code: string, what: string, block: string][] = [
  ['unclosed_string', 'a string without its end', '{call: a {params {p: ▲"x}}}'],
  ['unclosed_string', 'a single-quoted string without its end', "{call: a {params {p: ▲'x}}}"],
  ['unclosed_raw', 'raw text without its end mark', '{call: a {params {p: ▲<<EOF\nx\nEND}}}'],
  ['expected_colon', 'a value without a colon', '{call: a {params {p ▲1}}}'],
  ['expected_colon', 'an equals sign', '{call: a {params {p ▲= 1}}}'],
  ['expected_key', 'a colon without a key', '{call: a {params {▲: 1}}}'],
  ['expected_key', 'a list where a member belongs', '{call: a {params {▲[1]}}}'],
  ['expected_value', 'a key without a value', '{call: a {params {p: ▲}}}'],
  ['expected_value', 'two colons', '{call: a {params {p: ▲, q: 1}}}'],
  ['mismatched', 'a map closed by a bracket', '{call: a {params {p: 1▲]}}'],
  ['mismatched', 'a list closed by a brace', '{call: a {params {p: [1▲}}}'],
  ['duplicate_key', 'a key that stands twice', '{call: a {params {p: 1}\n  {▲p: 2}}}'],
  [
    'quote_inside_string',
    'an unescaped quote in a string',
    '{call: a {params {p: "say "hi" now"}}}'.replace('"hi', '▲"hi'),
  ],
  ['bad_escape', 'an escape that is none', '{call: a {params {p: "C:▲\\work"}}}'],
  ['bad_escape', 'a \\u without four digits', '{call: a {params {p: "▲\\u12"}}}'],
  ['bad_name', 'a name that begins with a digit', '▲{call: 9lives {params {}}}'],
  ['bad_name', 'a name with a space', '▲{call: "read file" {params {}}}'],
  ['no_head', 'text instead of a call', '▲read_file(path)'],
  ['no_head', 'an empty block', '▲{}'],
  ['unknown_head', 'JSON in the form of another protocol', '▲{"name": "a", "arguments": {"p": 1}}'],
  ['unknown_head', 'a result in a fence for calls', '▲{result: a {status: success}}'],
]

describe('each mistake is named with its place', () => {
  it.each(SAMPLES)('%s: %s', (code, _what, block) => {
    const { errors, line, column, text } = errorsOf(inFence(block))
    expect(errors.map((error) => error.code)).toContain(code)
    const error = errors.find((one) => one.code === code)
    expect({ line: error?.line, column: error?.column }).toEqual({ line, column })
    expect(text.split('\n')[line - 1]).toContain(error?.excerpt ?? 'no excerpt')
    expect(error?.excerpt).not.toBe('')
    expect(error?.hint).toMatch(/\S/)
    expect(error?.message).toMatch(/\S/)
  })

  it('every code that the samples show is a different mistake with its own hint', () => {
    const codes = new Set(SAMPLES.map(([code]) => code))
    expect(codes.size).toBeGreaterThan(11)
  })
})

it('a missing closing brace is told as that, at a brace that is open, not as something behind the fence', () => {
  const { errors } = errorsOf(inFence('{call: a {params {p: 1}'))
  expect(errors.map((error) => error.code)).toEqual(['unclosed_block'])
  expect(errors[0]?.line).toBe(4)
})

it('a missing brace does not make the scanner read the text behind the fence', () => {
  const parts = scan('```tool\n{call: a {params {p: 1}\n```\n{q: 2}} and more {call: b {params {}}}\n')
  expect(parts.map((part) => part.kind)).toEqual(['error', 'text'])
})

it('a missing brace at the end of a message without a closing fence is told too', () => {
  const { errors, line, column } = errorsOf('```tool\n{call: a ▲{params {p: 1}')
  expect(errors).toMatchObject([{ code: 'unclosed_block', line, column }])
})

it('the offset points at the same character as line and column', () => {
  const { errors, text } = errorsOf(inFence('{call: a {params {p: "x" ▲"y"}}}'))
  const [error] = errors
  const lines = text.slice(0, error?.offset).split('\n')
  expect({ line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }).toEqual({
    line: error?.line,
    column: error?.column,
  })
})

it('the answer to a broken call names code, line, column and hint, and is a result that parses', () => {
  const { errors } = errorsOf(inFence('{call: a {params {p: "say "hi" now"}}}'))
  const [error] = errors
  if (error === undefined) throw new Error('no error')
  const [part] = scan(`\`\`\`result\n${printScanError(error)}\n\`\`\``)
  expect(part).toMatchObject({
    kind: 'result',
    body: { status: 'error', error: { code: 'quote_inside_string', line: 4, column: error.column, hint: error.hint } },
  })
})

it('the example in that answer is a call that parses', () => {
  const [error] = errorsOf(inFence('hello')).errors
  if (error === undefined) throw new Error('no error')
  const [part] = scan(`\`\`\`result\n${printScanError(error)}\n\`\`\``)
  const example = part?.kind === 'result' ? (part.body['error'] as { example: string }).example : ''
  expect(scan(`\`\`\`tool\n${example}\n\`\`\``)).toMatchObject([{ kind: 'call' }])
})

it('an answer to a broken call stays small, whatever was broken', () => {
  const long = 'x'.repeat(100_000)
  for (const block of [
    `{call: "${long} ${long}" {params {}}}`,
    `{call: a {params {"${long}": 1, "${long}": 2}}}`,
    `{"${long}": 1}`,
  ]) {
    const [error] = errorsOf(inFence(block)).errors
    if (error === undefined) throw new Error('no error')
    expect(printScanError(error).length).toBeLessThan(5_000)
  }
})
