/** Tools that bring a JSON Schema in the place of a zod object. */
import { expect, it } from 'vitest'
import { readContract } from '../../modules/lib/module-contract.ts'

const run = (params: unknown): unknown => params

function toolWith(params: unknown): { schema: unknown; call(given: unknown): unknown } {
  const instance = {
    getAspect: (name: string) => (name === 'tool' ? { one: { description: 'One.', params, run } } : undefined),
  }
  const { tools, aspects } = readContract(instance, 'service')
  const fn = aspects.get('tool')?.methods.get('one')?.fn as (given: unknown, context: object) => unknown
  return { schema: tools[0]?.schema, call: (given) => fn(given, {}) }
}

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { path: { type: 'string' }, depth: { type: 'integer', default: 3 } },
  required: ['path'],
}

it('it is shown as it is, without the name of its draft', () => {
  const { $schema: _draft, ...rest } = SCHEMA
  expect(toolWith(SCHEMA).schema).toEqual(rest)
})

it('arguments are checked against it and passed as they were given', () => {
  const { call } = toolWith(SCHEMA)
  expect(call({ path: 'a', other: 1 })).toEqual({ path: 'a', other: 1 })
  expect(() => call({ path: 5 })).toThrow(/`path`/)
  expect(() => call({})).toThrow(/`path`/)
})

it('what zod cannot read of it is left to whoever checks next', () => {
  const { call } = toolWith({ ...SCHEMA, not: { required: ['more'] } })
  expect(call({ path: 5, depth: 1 })).toEqual({ path: 5, depth: 1 })
})

it('what is no schema of an object is refused', () => {
  for (const params of [{ type: 'array' }, {}, 'object', 5])
    expect(() => toolWith(params)).toThrow('neither a zod object nor a JSON Schema of an object')
})
