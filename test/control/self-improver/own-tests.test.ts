/** The checks `types`, `lint` and `tests` of a change, driven as a proposal drives them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGate, type GateSystem } from './gate-system.ts'

const PRICES = `export class Module {
  price(cents: number, count: number): number {
    let total = 0
    for (let n = 0; n < count; n++) total += cents
    return total
  }
}
`
const TESTS = `import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Module } from './prices.ts'

describe('the price', () => {
  it('grows with the count', () => assert.equal(new Module().price(5, 3), 15))
  it('is another one for another clock', () => assert.equal(typeof process, 'object'))
})
`
let system: GateSystem

beforeAll(async () => {
  system = await startGate({
    'configs/self-improver.yml':
      'prog: control/self-improver\nendurance_calls_max: 100\nendurance_ms: 100\ntests_ms: 2500\n',
    'configs/prices.yml': '',
    'modules/prices.ts': PRICES,
    'modules/prices.test.ts': TESTS,
    'configs/bare.yml': '',
    'modules/bare.ts': PRICES,
    'configs/nodes.yml': '',
    'modules/nodes.ts': PRICES,
    'modules/nodes.test.ts': `import { readFileSync } from 'node:fs'\nreadFileSync('/etc/hostname')\n`,
  })
})

afterAll(() => system.stop())

const changed = (from: string, to: string): string => {
  if (!PRICES.includes(from)) throw new Error(`the source has no ${from}`)
  return PRICES.replace(from, to)
}
const FASTER = changed(
  'let total = 0\n    for (let n = 0; n < count; n++) total += cents\n    return total',
  'return cents * Math.max(0, Math.ceil(count))',
)

it('a change whose tests pass is told so; a test that failed before is not blamed on it', async () => {
  const { passed, evidence } = await system.check('modules/prices.ts', FASTER)
  const of = (name: string) => evidence.find(({ check }) => check === name)
  expect(of('types')).toMatchObject({ outcome: 'passed', message: expect.stringContaining('no new type errors') })
  expect(of('lint')).toMatchObject({ outcome: 'passed' })
  expect(of('tests')).toMatchObject({
    outcome: 'passed',
    message:
      '1 tests of 1 files pass; not judged, as they fail without the change too: the price > is another one for another clock',
  })
  expect(passed).toBe(true)
})

it.each([
  ['types', 'a value of the wrong type', changed('let total = 0', "let total: number = 'none'"), /prices\.ts:3 TS2322/],
  ['types', 'a file that is not there', `import './gone.ts'\n${PRICES}`, /gone\.ts/],
  [
    'lint',
    'a mistake',
    changed('return total', 'total = total\n    return total'),
    /total is assigned to itself|no-self-assign/,
  ],
  [
    'tests',
    'a wrong result',
    changed('total += cents', 'total += cents + 1'),
    /the price > grows with the count: 18 is not 15/,
  ],
] as const)('%s refuses %s', async (check, _what, text, says) => {
  const { passed, failed } = await system.check('modules/prices.ts', text)
  expect([passed, failed?.check]).toEqual([false, check])
  expect(failed?.message).toMatch(says)
})

it('a module without tests is changed with tests, which have to be ones', async () => {
  const edit = system.edit('modules/bare.ts', FASTER)
  const withTests = (text: string) => system.improver.check([edit, system.edit('modules/bare.test.ts', text)])
  const head = `import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { Module } from './bare.ts'\n`
  const last = async (text: string) => (await withTests(text)).evidence.at(-1)
  expect((await system.improver.check([edit])).evidence.at(-1)).toMatchObject({
    check: 'tests',
    outcome: 'failed',
    message: expect.stringContaining('modules/bare.test.ts'),
  })
  expect(await last(`${head}assert.ok(Module)\n`)).toMatchObject({ message: expect.stringContaining('holds no test') })
  expect(await last(`${head}void test('it is there', () => void new Module())\n`)).toMatchObject({
    check: 'tests',
    message: expect.stringContaining('asserts nothing'),
  })
  expect(await last(`${head}void test('seven', () => assert.equal(new Module().price(7, 1), 8))\n`)).toMatchObject({
    check: 'tests',
    message: expect.stringContaining('seven: 7 is not 8'),
  })
  const good = await withTests(`${head}void test('seven', () => assert.equal(new Module().price(7, 1), 7))\n`)
  expect(good.evidence.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  expect(good.passed).toBe(true)
})

it('a test that is there cannot be changed, only added to', async () => {
  const { failed } = await system.check('modules/prices.test.ts', `${TESTS}\n`)
  expect(failed).toMatchObject({ check: 'base', message: expect.stringContaining('judges this change') })
  const more = TESTS.replace('price(5, 3), 15', 'price(2, 2), 5')
  const added = await system.improver.check([
    system.edit('modules/prices.ts', FASTER),
    system.edit('modules/prices.more.test.ts', more),
  ])
  expect(added.evidence.at(-1)).toMatchObject({ check: 'tests', message: expect.stringContaining('4 is not 5') })
})

it('tests that need Node are not run, and people are told', async () => {
  const { evidence } = await system.check('modules/nodes.ts', FASTER)
  expect(evidence.find(({ check }) => check === 'tests')).toMatchObject({
    outcome: 'skipped',
    message: expect.stringMatching(/none of its tests can be run here.*node:fs/),
  })
})

it('a test that never ends, and one that never stops working, are refused', async () => {
  const edit = system.edit('modules/bare.ts', FASTER)
  const head = `import assert from 'node:assert/strict'\nimport { test } from 'node:test'\n`
  const last = async (work: string) => {
    const text = `${head}void test('long', async () => { assert.ok(true); ${work} })\n`
    return (await system.improver.check([edit, system.edit('modules/bare.test.ts', text)])).evidence.at(-1)
  }
  expect(await last('for (;;);')).toMatchObject({ check: 'tests', outcome: 'failed' })
  expect(await last('await new Promise(() => undefined)')).toMatchObject({
    check: 'tests',
    outcome: 'failed',
    message: expect.stringContaining('2500 ms'),
  })
})
