/** What the parser is kept from: each limit is exact, names its place, and holds before anything slow begins. */
import { expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import type { ErrorData } from '../../modules/contracts/errors.ts'
import { readYaml } from '../../modules/lib/yaml.ts'
import { caseText } from '../support/yaml-cases.ts'

const WITHIN = { bytes_max: 1_048_576, tokens_max: 10_000 }

function refusal(text: string, limits = WITHIN): ErrorData | undefined {
  const yaml = readYaml('a.yml', text, limits)
  return yaml.ok ? undefined : yaml.error
}

const indented = (depth: number, sign: string): string =>
  Array.from({ length: depth }, (_, level) => ' '.repeat(level) + sign).join('\n')

it.each<[string, (depth: number) => string, line: number]>([
  ['brackets', (depth) => '['.repeat(depth) + ']'.repeat(depth), 1],
  ['braces', (depth) => '{a: '.repeat(depth) + '}'.repeat(depth), 1],
  ['dashes in a line', (depth) => `${'- '.repeat(depth)}x`, 1],
  ['maps by indentation', (depth) => indented(depth, 'a:'), 201],
  ['lists by indentation', (depth) => indented(depth, '-'), 201],
  ['both', (depth) => `${indented(depth - 100, 'a:')} ${'['.repeat(100)}${']'.repeat(100)}`, 101],
])('nesting by %s ends at 200, to the sign', (_, nested, line) => {
  expect(refusal(nested(200))).toBeUndefined()
  expect(refusal(nested(201))).toMatchObject({
    code: 'config_syntax',
    message: 'The YAML does not parse: nested more than 200 deep',
    line,
  })
  expect(refusal(nested(1_400))?.code).toBe('config_syntax')
})

it('brackets in text are no nesting', () => {
  expect(refusal(`a: "${'['.repeat(500)}"\nb: |\n  ${'{'.repeat(500)}\n# ${'['.repeat(500)}`)).toBeUndefined()
})

it('aliases may neither deepen nor multiply what the text may be, nor stand for themselves', () => {
  const deep = `a: &a ${'['.repeat(150)}${']'.repeat(150)}\nb: ${'['.repeat(60)}*a${']'.repeat(60)}`
  expect(refusal(deep)).toMatchObject({ code: 'config_syntax', line: 2, column: 64 })
  expect(refusal(`a: &a [${'1, '.repeat(99)}]\nb: [${'*a, '.repeat(98)}]`)).toBeUndefined()
  expect(refusal(`a: &a [${'1, '.repeat(99)}]\nb: [${'*a, '.repeat(99)}]`)).toMatchObject({
    code: 'config_too_large',
    line: 2,
  })
  expect(refusal(`a: &a "${'x'.repeat(1_000)}"\nb: [*a, *a, 1]`, { ...WITHIN, bytes_max: 2_002 })).toMatchObject({
    code: 'config_too_large',
    line: 2,
    column: 9,
  })
  expect(refusal('a: &a {b: [*a]}')).toMatchObject({ code: 'config_syntax', column: 12 })
  expect(refusal('a: 1\nb: *a')).toMatchObject({ code: 'config_syntax', line: 2, column: 4 })
})

it('a text of more signs than the limit is refused where the limit is reached', () => {
  const list = (length: number): string => '- 1\n'.repeat(length)
  expect(refusal(list(100), { ...WITHIN, tokens_max: 600 })).toBeUndefined()
  expect(refusal(list(1_000), { ...WITHIN, tokens_max: 600 })).toMatchObject({ code: 'config_too_large', line: 120 })
})

it.each([
  ['a: {b: {__proto__: {x: 1}}}', 'config_key', 1, 9],
  ['a: !!pairs [__proto__: 1]', 'config_key', 1, 13],
  ['a: 1\nb: x\0y', 'config_syntax', 2, 5],
  ['a: 1\nb: 2\na: 3', 'config_syntax', 3, 1],
  ['a: 1\n---\nb: 2', 'config_syntax', 2, 1],
  ['? [a]\n: 1', 'config_syntax', 1, 3],
  ['a: [[1]: 2]', 'config_syntax', 1, 5],
  ['a: 1\n: 2\n: 3', 'config_syntax', 3, 1],
  ['a: b: c\n'.repeat(300), 'config_syntax', 1, 4],
])('%j is refused with its place', (text, code, line, column) => {
  expect(refusal(text)).toMatchObject({ code, line, column })
})

it('a text with thousands of keys or mistakes ends at once', { timeout: 10_000 }, () => {
  const keys = Array.from({ length: 100_000 }, (_, n) => `k${n}: 1\n`).join('')
  expect(refusal(keys)).toMatchObject({ code: 'config_too_large' })
  expect(refusal(keys, { ...WITHIN, tokens_max: 1e6, bytes_max: 2e6 })).toBeUndefined()
  expect(refusal(`[${','.repeat(1_000_000)}`)).toMatchObject({ code: 'config_too_large' })
  expect(refusal(`[${',\n'.repeat(400_000)}`)).toMatchObject({ code: 'config_syntax', line: 2 })
})

it('the limit on the stacks of errors is as it was', () => {
  const before = Error.stackTraceLimit
  refusal('a: [')
  expect(Error.stackTraceLimit).toBe(before)
})

it('the same text is the same case for ever', () => {
  expect([caseText(1, 2), caseText(1, 999).length]).toEqual([caseText(1, 2), caseText(1, 999).length])
  expect(new Set(Array.from({ length: 50 }, (_, n) => caseText(7, n))).size).toBeGreaterThan(40)
})

it('gives what the library gives', () => {
  const text = 'a: [1, x, ~]\nb: &b {c: "d"}\ne: *b\n? f\n: |\n  g\n'
  expect(readYaml('a.yml', text, WITHIN)).toMatchObject({ ok: true, value: parseDocument(text).toJS() as unknown })
})
