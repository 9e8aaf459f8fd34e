/** npm packages inside an isolate: pure ones of both kinds, linked once; what is not pure is refused where it is imported. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { SANDBOX_LIMITS } from '../../../modules/contracts/sandbox.ts'
import type { Guest, GuestPlace } from '../../../modules/contracts/sandbox.ts'
import { bootstrapText } from '../../../modules/sandbox/engine/place.ts'
import { createRoot } from '../../support/root.ts'
import { rejection } from '../../support/system.ts'
import { endPlaces, openGuest, startPlace } from './engine-bench.ts'

afterEach(endPlaces)

const ZOD = `
import { tool } from 'meta-machine'
import { z } from 'zod'
export const configSchema = z.object({ by: z.number().default(2).meta({ volatile: true }), name: z.string() })
export class Module {
  constructor(private readonly kernel: unknown, private readonly config: z.infer<typeof configSchema>) {}
  setting() { return this.config }
  getAspect(name: string) {
    if (name !== 'tool') return undefined
    const params = z.object({ a: z.number().refine((n) => n !== 13, 'no bad luck'), more: z.string().optional() })
    return {
      add: tool({ description: 'Adds', params, read_only: true, run: ({ a }) => a + this.config.by }),
      plain: Object.assign((given: unknown) => given, { description: 'As it is', params: { type: 'object' } }),
    }
  }
}`

it('zod is there: configs are checked, tools have schemas, arguments are checked by both', async () => {
  const opened = await openGuest(await startPlace('process'), ZOD, { packages: ['zod'], config: { by: 5, name: 'x' } })
  const { guest, call } = opened
  expect(guest.facts.configSchema).toMatchObject({
    schema: { properties: { name: { type: 'string' } } },
    volatile: ['by'],
  })
  expect(await guest.ask('config', { config: { name: 'a' } })).toEqual({ by: 2, name: 'a' })
  const wrong = await rejection(guest.ask('config', { config: { by: 'x', name: 'a' } }))
  expect(wrong).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('`by`') })
  expect(await call('setting')).toEqual({ by: 5, name: 'x' })
  const tools = await guest.ask('aspect', { name: 'tool' })
  expect(tools).toMatchObject([
    { name: 'add', kind: 'tool', tool: { read_only: true, schema: { required: ['a'] } } },
    { name: 'plain', kind: 'tool', tool: { description: 'As it is', schema: { type: 'object' } } },
  ])
  const tool = (method: string, given: unknown) => guest.ask('call', { aspect: 'tool', method, args: [given, {}] })
  expect(await tool('add', { a: 1 })).toBe(6)
  expect(await tool('plain', { x: 1 })).toEqual({ x: 1 })
  expect(await rejection(tool('add', { a: 13 }))).toMatchObject({
    code: 'bad_params',
    message: expect.stringContaining('no bad luck'),
  })
  expect(await guest.ask('aspect', { name: 'other' })).toBe(null)
})

/** A root with packages of its own. */
async function withPackages(
  place: GuestPlace,
  files: Record<string, string>,
  source: string,
  packages: string[],
): Promise<Guest> {
  const root = createRoot()
  for (const [path, text] of Object.entries(files)) {
    const file = join(root.path, 'node_modules', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const entry = join(root.path, 'modules/main.ts')
  const events = { ask: () => Promise.reject(new Error('nobody')), told: () => undefined, closed: () => undefined }
  const program = {
    owner: { service: 'svc', generation: 1 },
    entry,
    texts: { [entry]: source },
    packages,
    packageFolders: [root.path],
  }
  const guest = await place.open(program, SANDBOX_LIMITS, events)
  await guest.ask('construct', { config: {} })
  return guest
}

const PACKAGES = {
  'esm/package.json': '{"name": "esm", "type": "module", "exports": {"import": "./index.js"}}',
  'esm/index.js':
    "import both, { one } from 'cjs'\nexport const sum = one + both.two\nexport { default as letter } from './ä.js'",
  'esm/ä.js': "/* ☃ */ export default '☃ä'",
  'cjs/package.json': '{"name": "cjs", "main": "main.js"}',
  'cjs/main.js':
    "exports.one = 1\nexports.two = require('./two').value\nexports.mode = process.env.NODE_ENV\nexports.late = () => require('fs')\nexports.pure = require('pure').default",
  'cjs/two.js': 'module.exports = { value: 2, data: require("./data.json") }',
  'cjs/data.json': '{"a": 1}',
  'pure/package.json': '{"name": "pure", "type": "module", "main": "index.js"}',
  'pure/index.js': 'export default 7',
  'impure/package.json': '{"name": "impure", "type": "module", "main": "index.js"}',
  'impure/index.js': "import { readFileSync } from 'node:fs'\nexport const read = readFileSync",
}

it('ES modules and CommonJS work together; what asks for Node later is refused then', async () => {
  const source = `import { sum, letter } from 'esm'
import cjs, { mode } from 'cjs'
export class Module { all() { return [sum, letter, mode, cjs.two, cjs.pure] } late() { return cjs.late() } }`
  const place = await startPlace('inline')
  for (let time = 0; time < 2; time++) {
    const guest = await withPackages(place, PACKAGES, source, ['esm', 'cjs'])
    const call = (method: string) => guest.ask('call', { aspect: 'default', method, args: [] })
    expect(await call('all')).toEqual([3, '☃ä', 'production', 2, 7])
    expect((await rejection(call('late'))).code).toBe('import_refused')
  }
})

it('a package that is not pure, or not there, is refused where the module imports it', async () => {
  const place = await startPlace('inline')
  const open = (name: string) =>
    withPackages(place, PACKAGES, `\nimport * as it from '${name}'\nexport class Module { all() { return it } }`, [
      name,
    ])
  const impure = await rejection(open('impure'))
  expect(impure).toMatchObject({ code: 'import_refused', line: 2, column: 21 })
  expect(impure.message).toContain('node:fs')
  expect(await rejection(open('nowhere'))).toMatchObject({ code: 'import_refused', line: 2 })
  expect(place.guests).toBe(0)
})

it('what a package exports and nobody names is left out, and is there when it is named', async () => {
  const place = await startPlace('inline')
  const files = {
    'wide/package.json': '{"name": "wide", "type": "module", "main": "index.js", "sideEffects": false}',
    'wide/index.js': "export * as languages from './languages.js'\nexport const one = 1",
    'wide/languages.js': "export const all = ['a', 'b']",
  }
  const code = (what: string): string =>
    `import * as wide from 'wide'\nexport class Module { all() { return ${what} } }`
  for (const [what, found] of [
    ['Object.keys((wide as any)["lang" + "uages"]).length', 0],
    ['wide.languages.all.length', 2],
    ['wide.one', 1],
  ] as const) {
    const guest = await withPackages(place, files, code(what), ['wide'])
    expect(await guest.ask('call', { aspect: 'default', method: 'all', args: [] })).toBe(found)
  }
})

const PARTS = {
  'parts/package.json': '{"name": "parts", "type": "module", "main": "index.js", "sideEffects": ["./loud.js"]}',
  'parts/index.js': `import * as tools from './tools.js'
import './loud.js'
import './silent.js'
export * from './star.js'
export { one, two as second, } from './list.js'
export { tools, late }
export default class extends tools.Base { static made = 1 }
export const shadowed = (tools) => { const late = [tools]; return late.length }
const late = () => { for (const late of [tools.double(2)]) return late }
`,
  'parts/tools.js': `export class Base { base = 1 }
export function double(n) { return n * table.by }
export const unused = /*@__PURE__*/ globalThis.nobody.calls.this()
const table = { by: 2 }
const extra = 1
table.by += extra
seen('tools')
import { seen } from './seen.js'
`,
  'parts/list.js':
    "import { seen } from './seen.js'\nexport const one = 1, two = seen('two')\nexport let count = 0\nexport const more = () => ++count",
  'parts/star.js': "export * from './deep.js'\nexport default 'not this one'\nexport const near = 'near'",
  'parts/deep.js':
    "export const near = 'far', deep = 'deep', { length } = [1, 2]\nimport { seen } from './seen.js'\nseen('deep')",
  'parts/seen.js': 'export const all = []\nexport const seen = (what) => all.push(what)',
  'parts/loud.js': "import { seen } from './seen.js'\nseen('loud')\nexport { all } from './seen.js'",
  'parts/silent.js': "import { seen } from './seen.js'\nseen('silent')",
}

it.each([
  ["import Parts from 'parts'", '[new Parts().base, (Parts as any).made]', [1, 1], ['tools']],
  ["import { shadowed } from 'parts'", 'shadowed(1)', 1, []],
  ["import { late } from 'parts'", 'late()', 6, ['tools']],
  ["import { tools } from 'parts'", 'tools.double(1)', 3, ['tools']],
  ["import { deep, near } from 'parts'", 'deep + near', 'deepnear', ['deep']],
  ["import { one, second } from 'parts'", '[one, second > 0]', [1, true], ['two']],
  ["import { more, count } from 'parts/list.js'", '[more(), more(), count]', [1, 2, 2], ['two']],
] as const)(
  'what is asked for is there, with all that makes it, and what happens happens once: %s',
  async (imports, use, got, seen) => {
    const place = await startPlace('inline')
    const source = `import { all } from 'parts/loud.js'\n${imports}\nexport class Module { all() { return [${use}, all] } }`
    const guest = await withPackages(place, PARTS, source, ['parts'])
    expect(await guest.ask('call', { aspect: 'default', method: 'all', args: [] })).toEqual([got, ['loud', ...seen]])
  },
)

it('a fault in a package has the place it has in its file, whatever was left out before it', async () => {
  const place = await startPlace('inline')
  const files = {
    'places/package.json': '{"name": "places", "type": "module", "main": "index.js", "sideEffects": false}',
    'places/index.js':
      "/* gone */ export const a = 1; export const b = 2;\n\n// gone\nexport const c = () => {\n  return 3 }; export function fail() { throw new Error('here') }",
  }
  const source = "import { fail } from 'places'\nexport class Module { all() { fail() } }"
  const guest = await withPackages(place, files, source, ['places'])
  const thrown = await rejection(guest.ask('call', { aspect: 'default', method: 'all', args: [] }))
  expect((thrown as { stack?: string }).stack).toContain('npm:places/index.js:5:46')
})

it('what each isolate keeps a copy of is written in letters of one byte', () => {
  const text = bootstrapText()
  expect(text.length).toBeGreaterThan(10_000)
  expect(text).not.toMatch(/[^\0-\xff]/)
})
