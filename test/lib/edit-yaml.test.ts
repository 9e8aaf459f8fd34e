/** Edits of random YAML say exactly what was asked for, or nothing. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { editYaml } from '../../modules/lib/edit-yaml.ts'

const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const map = fc.dictionary(key, fc.jsonValue(), { maxKeys: 8 }).map(plain)

/** Each key with a comment before it. */
const written = (values: Record<string, unknown>): string =>
  `# first\n${Object.entries(values)
    .map(([one, its]) => `# about ${one}\n${stringify({ [one]: its })}`)
    .join('')}# last\n`

function expectComments(text: string, names: readonly string[]): void {
  for (const one of ['first', 'last', ...names.map((name) => `about ${name}`)]) expect(text).toContain(`# ${one}`)
}

it('a key that is set has its value, every other key has what it had, and every comment stays', () => {
  fc.assert(
    fc.property(map, key, fc.jsonValue().map(plain), (values, name, value) => {
      fc.pre(!('params' in values) && name !== 'params')
      const edited = editYaml('x.yml', written(values), { set: { [name]: value }, remove: [] })
      expect(parse(edited)).toEqual({ ...values, [name]: value })
      const others = Object.keys(values).filter((each) => each !== name)
      expectComments(edited, others)
    }),
    { numRuns: 500 },
  )
})

it('a key that is removed is gone, every other key has what it had, and their comments stay', () => {
  fc.assert(
    fc.property(map, fc.nat(), (values, index) => {
      const names = Object.keys(values)
      fc.pre(names.length > 0 && !('params' in values))
      const name = names[index % names.length] ?? ''
      const edited = editYaml('x.yml', written(values), { set: {}, remove: [name] })
      const { [name]: _gone, ...others } = values
      expect(parse(edited) ?? {}).toEqual(others)
      expectComments(edited, Object.keys(others))
    }),
    { numRuns: 500 },
  )
})

it.each(['a: [1', 'a: 1\na: 2', '- 1\n- 2', 'text'])('what is no config is not touched: %j', (text) => {
  expect(() => editYaml('x.yml', text, { set: { b: 1 }, remove: [] })).toThrowError(
    expect.objectContaining({ code: 'config_syntax', file: 'x.yml' }),
  )
})

it('an alias is not taken apart', () => {
  const text = 'base: &base {a: 1}\nother: *base\n'
  expect(() => editYaml('x.yml', text, { set: { 'other.a': 2 }, remove: [] })).toThrowError(
    expect.objectContaining({ code: 'config_edit_failed' }),
  )
})

const LIST = `# first
rules:
  - name: a # about a
    on: [{x: 1}]

  # about b
  - {name: b}
speed:   10   # as Ada wants it
`

it('an item of a list is put behind the last, replaced and removed, and every other byte stays', () => {
  const edit = (set: Record<string, unknown>, remove: string[] = []): string => editYaml('x.yml', LIST, { set, remove })
  expect(edit({ 'rules.2': { name: 'c', text: 'two\nlines' } })).toBe(
    LIST.replace('speed', '  - name: c\n    text: |-\n      two\n      lines\nspeed'),
  )
  expect(edit({ 'rules.0': { name: 'a', on: [] } })).toBe(
    LIST.replace('  - name: a # about a\n    on: [{x: 1}]\n', '  - name: a\n    on: []\n'),
  )
  expect(edit({ 'rules.1': { name: 'd' } })).toBe(LIST.replace('- {name: b}', '- name: d'))
  expect(edit({}, ['rules.0'])).toBe(LIST.replace('  - name: a # about a\n    on: [{x: 1}]\n', ''))
  expect(edit({}, ['rules.1'])).toBe(LIST.replace('  - {name: b}\n', ''))
  expect(() => edit({ 'rules.7': { name: 'e' } })).toThrowError(expect.objectContaining({ code: 'config_edit_failed' }))
})

it('a list at the end of a file without a last line break takes another item', () => {
  const edited = editYaml('x.yml', 'rules:\n- a: 1', { set: { 'rules.1': { a: 2 } }, remove: [] })
  expect(edited).toBe('rules:\n- a: 1\n- a: 2\n')
})
