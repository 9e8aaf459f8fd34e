/** Checks that neither time anything nor share a process are begun together; they are told in their order all the same. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGate, type GateSystem } from './gate-system.ts'

const ADDER = 'export class Module {\n  add(a: number, b: number): number { return a + b }\n}\n'
const TESTS = `import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Module } from './adder.ts'
test('it adds', () => assert.equal(new Module().add(1, 2), 3))
`
const ORDER = ['policy', 'base', 'scan', 'lint', 'tests', 'load']

let system: GateSystem
beforeAll(async () => {
  system = await startGate({
    'configs/self-improver.yml': 'prog: control/self-improver\ntypes: off\n',
    'configs/adder.yml': '',
    'modules/adder.ts': ADDER,
    'modules/adder.test.ts': TESTS,
  })
})
afterAll(() => system.stop())

it('tests and a first start work side by side', async () => {
  const since = performance.now()
  const { evidence } = await system.check('modules/adder.ts', `// the same\n${ADDER}`)
  const took = performance.now() - since
  expect(evidence.map(({ check }) => check).slice(0, ORDER.length)).toEqual(ORDER)
  expect(evidence.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  const ms = (name: string): number => evidence.find(({ check }) => check === name)?.ms ?? 0
  const all = evidence.reduce((sum, one) => sum + one.ms, 0)
  // One after the other they would take as long as all together.
  expect(took).toBeLessThan(all - Math.min(ms('tests'), ms('load')) / 2)
})

it('of several that fail the first in the order is told, and nothing after it', async () => {
  const { evidence, failed } = await system.check(
    'modules/adder.ts',
    ADDER.replace('add(a', `run(): never { throw new Error('no') }\n  add(a`).replace(
      'return a + b',
      "throw new Error('no')",
    ),
  )
  expect([failed?.check, evidence.at(-1)?.check]).toEqual(['tests', 'tests'])
})
