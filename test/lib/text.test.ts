/** Small pure helpers: one spelling for a value, near names, folded tool names, errors as data. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../modules/lib/canonical-json.ts'
import {
  coded,
  codeOf,
  describeError,
  fromErrorData,
  reasonOf,
  statusOf,
  toErrorData,
} from '../../modules/lib/errors.ts'
import { nearest, nearText } from '../../modules/lib/near.ts'
import { foldToolName } from '../../modules/lib/tool-name.ts'

describe('canonical JSON', () => {
  it('gives equal values one spelling, whatever the order of their keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}')
    expect(canonicalJson({ b: 1, a: undefined, c: 2 })).toBe('{"b":1,"c":2}')
    expect(canonicalJson(-0)).toBe('0')
  })

  it('is JSON that reads back the same, for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
    )
  })

  it('tells values apart that only look alike', () => {
    const values = [
      {},
      [],
      null,
      '',
      0,
      false,
      '0',
      'null',
      [[]],
      [{}],
      { '': 0 },
      [null],
      { a: null },
      JSON.parse('{"__proto__": 1}'),
    ]
    expect(new Set(values.map((value) => canonicalJson(value))).size).toBe(values.length)
  })

  it('refuses what JSON would change silently', () => {
    for (const value of [
      undefined,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      () => 1,
      Symbol('x'),
      1n,
      [undefined],
      { a: () => 1 },
    ]) {
      expect(() => canonicalJson(value)).toThrow(TypeError)
    }
  })

  it('refuses objects that are no plain data, so that two of them are never equal by accident', () => {
    for (const value of [new Date(0), new Map([['a', 1]]), new Set([1]), /x/, { when: new Date(0) }]) {
      expect(() => canonicalJson(value)).toThrow(TypeError)
    }
  })
})

describe('near names', () => {
  const names = ['database', 'filesystem', 'assistant', 'inference/openai', 'inference/offline', 'tasks/rl_trainer']

  it('are those a slip of the keyboard away', () => {
    expect(nearest('databse', names)).toEqual(['database'])
    expect(nearest('DATABASE', names)).toEqual(['database'])
    expect(nearest('fielsystem', names)).toEqual(['filesystem'])
    expect(nearest('inference/ofline', names)).toContain('inference/offline')
  })

  it('include a name whose last part was given', () => {
    expect(nearest('openai', names)).toEqual(['inference/openai'])
    expect(nearest('rl_trainer', names)).toEqual(['tasks/rl_trainer'])
  })

  it('are at most three, best first, and none when nothing is near', () => {
    expect(nearest('aaab', ['aaaa', 'aaab', 'aaac', 'aabb', 'abbb'])).toEqual(['aaab', 'aaaa', 'aaac'])
    expect(nearest('weather', names)).toEqual([])
    expect(nearText('weather', names)).toBe('')
    expect(nearText('databse', names)).toContain('database')
  })

  it('are not looked for when a name is absurdly long', () => {
    expect(nearest('x'.repeat(100_000), names)).toEqual([])
    expect(nearest('x', ['x'.repeat(100_000)])).toEqual([])
  })
})

it('a tool is named as the paper names it', () => {
  expect(foldToolName('filesystem', 'read_file')).toBe('filesystem_read_file')
  expect(foldToolName('filesystem', 'readFile')).toBe('filesystem_read_file')
  expect(foldToolName('tasks/rl-trainer.v2', 'status')).toBe('tasks_rl_trainer_v2_status')
  expect(foldToolName('a'.repeat(80), 'b')).toHaveLength(64)
  expect(foldToolName('Añadir', 'número')).toMatch(/^[a-z0-9_]+$/)
})

describe('errors as data', () => {
  it('have code, message, hint and place, and survive the way there and back', () => {
    const error = coded('config_key', { key: 'api', reason: 'it is wrong' }, { file: 'a.yml', line: 3, column: 5 })
    expect(error.message).toBe('The key `api` is wrong: it is wrong')
    expect(error.hint).toContain('`api`')
    const data = toErrorData(error)
    expect(toErrorData(fromErrorData(JSON.parse(JSON.stringify(data))))).toEqual(data)
    expect(describeError(data)).toBe('The key `api` is wrong: it is wrong (a.yml:3:5)')
    expect([codeOf(error), statusOf(error.code), statusOf('of_another_module')]).toEqual(['config_key', 422, 500])
  })

  it('are made of anything that is thrown', () => {
    const hostile = {
      get message(): string {
        throw new Error('again')
      },
    }
    for (const thrown of [
      undefined,
      null,
      5,
      'text',
      Symbol('x'),
      {},
      hostile,
      Object.create(null),
      new Error('plain'),
    ]) {
      const data = toErrorData(thrown)
      expect(data.code).toBe('callee_error')
      expect(data.message).toBeTypeOf('string')
      expect(data.hint).not.toBe('')
    }
    expect(reasonOf(new Error('plain'))).toBe('plain')
    expect(toErrorData({ code: 'ENOENT', message: 'gone' })).toMatchObject({ code: 'ENOENT', message: 'gone' })
  })

  it('with text in braces among their details are filled once, not again', () => {
    expect(coded('config_key', { key: '{reason}', reason: 'x' }).message).toBe('The key `{reason}` is wrong: x')
  })
})
