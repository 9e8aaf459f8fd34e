/** A module gets the part of zod that it asks for, and that part does what the whole does. */
import { expect, it, afterEach } from 'vitest'
import * as zod from 'zod'
import { endPlaces, openGuest, startPlace } from './engine-bench.ts'

afterEach(endPlaces)

/** Each is asked of a module that says nothing else, and of the zod of this process. */
const EXPRESSIONS = [
  'z.toJSONSchema(z.object({ a: z.string().min(2).email(), b: z.number().int().gt(3).optional() }))',
  'z.object({ a: z.string() }).extend({ b: z.boolean().default(true) }).partial().parse({ a: "x" })',
  'z.strictObject({ a: z.string() }).safeParse({ a: 1, b: 2 }).error.issues',
  'z.prettifyError(z.object({ a: z.array(z.number()).min(2) }).safeParse({ a: ["x"] }).error)',
  'z.treeifyError(z.object({ a: z.url() }).safeParse({ a: "no" }).error)',
  'z.flattenError(z.looseObject({ a: z.uuid() }).safeParse({ a: "no", b: 1 }).error)',
  'z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("b"), n: z.int() })]).safeParse({ k: "b", n: 1.5 }).error.issues',
  'z.record(z.enum(["a", "b"]), z.number()).safeParse({ a: 1 }).error.issues',
  'z.toJSONSchema(z.tuple([z.string(), z.null()]).rest(z.bigint()), { unrepresentable: "any" })',
  'z.map(z.string(), z.set(z.date())).safeParse(new Map([["a", new Set([1])]])).error.issues',
  'z.coerce.number().parse("12") + z.coerce.date().parse(0).getTime()',
  'z.iso.datetime().safeParse("2020-01-01").success || z.iso.date().parse("2020-01-01")',
  'z.string().trim().toLowerCase().transform((s) => s.length).pipe(z.number().max(3)).safeParse("  ABCD ").error.issues',
  'z.intersection(z.object({ a: z.number() }), z.object({ b: z.nan().catch(0) })).parse({ a: 1, b: 2 })',
  'z.lazy(() => z.union([z.string(), z.array(z.nullable(z.string()))])).parse(["a", null])',
  'z.stringbool().parse("yes")',
  'z.templateLiteral(["v", z.number()]).safeParse("vx").error.issues',
  'z.codec(z.string(), z.number(), { decode: Number, encode: String }).encode(5)',
  'z.fromJSONSchema({ type: "object", properties: { a: { type: "string", format: "ipv4" } } }).safeParse({ a: "no" }).success',
  'z.preprocess((v) => String(v), z.string().regex(/^1/)).readonly().brand("x").parse(12)',
  'z.string().refine((s) => s !== "x", "not x").superRefine((s, c) => c.addIssue("never")).safeParse("x").error.issues',
  'z.core.clone(z.string().describe("d")).meta()',
  'z.registry().add(z.string(), { a: 1 }).has(z.number())',
  'z.toJSONSchema(z.object({ a: z.string().meta({ id: "A", title: "t" }) }), { io: "input", target: "draft-7" })',
  'z.locales.de().localeError({ code: "invalid_type", expected: "string", input: 1 })',
  'z.regexes.email.test("a@b.cd") && z.util.isPlainObject({})',
  'z.jwt().safeParse("a").error.issues.concat(z.cidrv6().safeParse("a").error.issues, z.base64url().safeParse("%").error.issues)',
  'z.keyof(z.object({ a: z.any(), b: z.unknown(), c: z.never() })).options',
  'z.prefault(z.string().max(9), "abc").parse(undefined) + z.undefined().parse(undefined) + z.symbol().safeParse(1).success',
  'z.instanceof(Date).safeParse(1).error.issues',
  'z.config().customError === undefined && z.NEVER.status',
  'z.compile(z.object({ a: z.number() })).safeParse({ a: "x" }).success',
] as const

const told = (value: unknown): string => JSON.stringify(value, (_key, one) => (one === undefined ? 'nothing' : one))
// oxlint-disable-next-line typescript/no-implied-eval -- the same text, here
const here = (expression: string): unknown => new Function('z', `return ${expression}`)(zod.z) as unknown

it('whatever is asked of it', async () => {
  const place = await startPlace('process')
  const found: [string, string][] = []
  for (const expression of EXPRESSIONS) {
    const source = `import { z } from 'zod'\nexport class Module { all() { return ${expression} } }`
    const { call } = await openGuest(place, source, { packages: ['zod'] })
    found.push([expression, told(await call('all'))])
  }
  expect(found).toEqual(EXPRESSIONS.map((expression) => [expression, told(here(expression))]))
})

it('however it is imported', async () => {
  const place = await startPlace('inline')
  const all = 'string, object, array'
  for (const [what, use] of [
    ["import z from 'zod'", 'z.object({ a: z.string() })'],
    ["import * as z from 'zod'", 'z.object({ a: z.string() })'],
    ["import { string as s, object } from 'zod'", 'object({ a: s() })'],
    ["import { z } from 'zod/v4'", "z['object']({ a: z['str' + 'ing']() })"],
    [`import { z } from 'zod'\nconst { ${all} } = z`, 'object({ a: string() }).or(array(string()))'],
    [
      "import { z } from 'zod'\nconst of = (kind: keyof typeof z) => (z[kind] as any)()",
      "of('str' + 'ing' as 'string')",
    ],
    [
      "import * as core from 'zod/v4/core'\nimport * as z from 'zod/mini'",
      'z.object({ a: z.string().check(core._minLength(1)) })',
    ],
  ] as const) {
    const source = `${what}\nexport class Module { all() { return ${use}._zod.def.type } }`
    const { call } = await openGuest(place, source, { packages: ['zod'] })
    expect([what, await call('all')]).toEqual([what, expect.stringMatching(/^(object|string|union)$/)])
  }
})
