/** Parameters against a schema: what is wrong is told by path, and nothing is taken otherwise without a word. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fitParams } from '../../../modules/services/tools/fit-params.ts'

const schemaOf = (type: z.ZodType): Record<string, unknown> => z.toJSONSchema(type, { target: 'draft-7', io: 'input' })
const one = (type: z.ZodType): Record<string, unknown> => schemaOf(z.object({ x: type }))
const fitOne = (type: z.ZodType, x: unknown): ReturnType<typeof fitParams> => fitParams(one(type), { x })

describe('taken otherwise, with a warning', () => {
  it.each([
    ['text of a whole number', z.int(), '3', 3],
    ['text of a number', z.number(), '-2.5', -2.5],
    ['text of true', z.boolean(), 'true', true],
    ['text of false', z.boolean(), 'false', false],
    ['a whole number as text', z.string(), 42, '42'],
    ['one value as a list', z.array(z.string()), 'a', ['a']],
    ['one number as a list', z.array(z.number()), 7, [7]],
    ['one map as a list', z.array(z.object({ a: z.number() })), { a: 1 }, [{ a: 1 }]],
    ['text of a number that may be null', z.int().nullable(), '3', 3],
    ['text of a member of numbers', z.union([z.literal(1), z.literal(2)]), '2', 2],
  ])('%s', (_name, type, given, expected) => {
    const { params, warnings, problems } = fitOne(type, given)
    expect(problems).toEqual([])
    expect(params).toEqual({ x: expected })
    expect(warnings).toEqual([`\`x\` came as ${JSON.stringify(given)} and was taken as ${JSON.stringify(expected)}`])
  })
})

describe('refused, since something could be lost or meant otherwise', () => {
  it.each([
    ['another spelling of a number', z.number(), '1.0'],
    ['a number with an exponent', z.number(), '1e3'],
    ['a number in spaces', z.number(), ' 3'],
    ['nothing as a number', z.number(), ''],
    ['more digits than a number holds', z.int(), '9007199254740993'],
    ['a broken number as a whole one', z.int(), '3.5'],
    ['yes as a truth', z.boolean(), 'yes'],
    ['one as a truth', z.boolean(), 1],
    ['a truth as text', z.string(), true],
    ['a fraction as text, whose spelling is lost', z.string(), 1.1],
    ['null as text', z.string(), null],
    ['text with commas as a list', z.array(z.string()), 'a,b'],
    ['the text of a list as a list', z.array(z.string()), '["a"]'],
    ['the text of a number as a list of numbers', z.array(z.number()), '3'],
    ['one value as a list of anything', z.array(z.unknown()), 3],
    ['the text of a map as a map', z.object({ a: z.number() }), '{"a":1}'],
    ['what two branches would take', z.union([z.int(), z.boolean()]), 'maybe'],
    ['a list as one value', z.string(), ['a']],
  ])('%s', (_name, type, given) => {
    const { params, warnings, problems } = fitOne(type, given)
    expect(problems).toMatchObject([{ param: 'x' }])
    expect(problems[0]?.reason).toContain(`came ${JSON.stringify(given)}`)
    expect([params, warnings]).toEqual([{ x: given }, []])
  })
})

describe('problems are named by path', () => {
  const schema = schemaOf(
    z.object({
      name: z.string(),
      deep: z.object({ list: z.array(z.object({ n: z.int() })) }).optional(),
      how: z.enum(['loud', 'soft']).optional(),
      free: z.record(z.string(), z.int()).optional(),
      loose: z.looseObject({ a: z.int() }).optional(),
    }),
  )
  it.each([
    [{}, 'name', 'missing; expected string'],
    [{ name: 'a', deep: { list: [{ n: 1 }, { n: 'x' }] } }, 'deep.list.1.n', 'expected integer, came "x"'],
    [{ name: 'a', deep: { lists: [] } }, 'deep.list', 'missing'],
    [{ name: 'a', how: 'lout' }, 'how', 'near: loud'],
    [{ name: 'a', nmae: 'b' }, 'nmae', 'no such parameter; near: name'],
    [{ name: 'a', zzzzzz: 1 }, 'zzzzzz', 'there are: name, deep, how, free, loose'],
    [{ name: 'a', free: { k: 'x' } }, 'free.k', 'expected integer'],
    [{ name: 'a', loose: { a: 'x', b: 1 } }, 'loose.a', 'expected integer'],
    ['text', '(all)', 'expected object'],
    [[], '(all)', 'expected object'],
  ])('%j → %s', (params, param, reason) => {
    expect(fitParams(schema, params).problems[0]).toEqual({ param, reason: expect.stringContaining(reason) as string })
  })

  it('and several at once', () => {
    const { problems } = fitParams(schema, { how: 'x', other: 1 })
    expect(problems.map(({ param }) => param)).toEqual(['name', 'how', 'other'])
  })

  it('of the shape that is nearest', () => {
    const shapes = z.union([
      z.object({ kind: z.literal('a'), size: z.int(), color: z.string() }),
      z.object({ kind: z.literal('b') }),
    ])
    expect(fitOne(shapes, { kind: 'a', size: 1, colour: 'red', color: 'x' }).problems).toMatchObject([
      { param: 'x.colour' },
    ])
  })

  it('also where a schema names itself', () => {
    const tree: z.ZodType = z.object({
      name: z.string(),
      get parts() {
        return z.array(tree).optional()
      },
    })
    const { params, problems } = fitOne(tree, { name: 'a', parts: [{ name: 1, parts: [{ name: true }] }] })
    expect(problems).toMatchObject([{ param: 'x.parts.0.parts.0.name' }])
    expect(params).toMatchObject({ x: { parts: [{ name: '1' }] } })
  })
})

it('any JSON is any JSON, as it came', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (given) => {
      expect(fitOne(z.json(), given)).toEqual({ params: { x: given }, warnings: [], problems: [] })
    }),
  )
  expect(fitOne(z.array(z.json()), 5).params).toEqual({ x: [5] })
})

it('what fits is passed on as it came, without a warning', () => {
  const schema = schemaOf(
    z.object({
      s: z.string(),
      n: z.number(),
      b: z.boolean(),
      l: z.array(z.union([z.string(), z.null()])),
      any: z.any(),
    }),
  )
  fc.assert(
    fc.property(
      fc.record({
        s: fc.string(),
        n: fc.double({ noNaN: true }),
        b: fc.boolean(),
        l: fc.array(fc.option(fc.string())),
        any: fc.jsonValue(),
      }),
      (params) => {
        expect(fitParams(schema, params)).toEqual({ params, warnings: [], problems: [] })
      },
    ),
  )
})

it('whatever is taken otherwise is written the same, and whatever is passed on fits', () => {
  const types: [z.ZodType, string][] = [
    [z.int(), 'integer'],
    [z.number(), 'number'],
    [z.boolean(), 'boolean'],
    [z.string(), 'string'],
  ]
  const value = fc.oneof(fc.jsonValue(), fc.integer().map(String), fc.double().map(String), fc.constant('true'))
  fc.assert(
    fc.property(fc.constantFrom(...types), value, ([type], given) => {
      const { params, warnings, problems } = fitOne(type, given)
      if (problems.length > 0) expect(params).toEqual({ x: given })
      else if (warnings.length > 0) expect(String(params['x'])).toBe(String(given))
      // Bounds are the tool's own business.
      else if (!Number.isInteger(given) || Number.isSafeInteger(given))
        expect(type.safeParse(params['x']).success).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

it('a name of the prototype is a name like any other', () => {
  const params = JSON.parse('{"x": 1, "__proto__": {"a": 1}, "constructor": 2}') as Record<string, unknown>
  expect(fitParams(one(z.number()), params).problems.map(({ param }) => param)).toEqual(['__proto__', 'constructor'])
})
