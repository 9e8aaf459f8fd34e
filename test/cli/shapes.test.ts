/** What a command prints with `--json` has the keys that `docs/cli.md` names: each is run against a real system. */
import type { Command } from 'commander'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { shapeOf } from '../../cli/common.ts'
import { createProgram } from '../../cli/program.ts'
import { historyKnows, mmHere } from '../support/cli.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
let system: RunningSystem
beforeAll(async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/history.yml': 'prog: services/history\n',
    'configs/tools.yml': 'prog: services/tools\n',
    'configs/packages.yml': 'prog: services/packages\n',
    'configs/shop.yml': '',
    'modules/shop.js': 'export class Module { price() { return 1 } }\n',
  })
  system = await startProcess(root)
  await historyKnows(root.path, 'shop')
  const live = system.line(/shop {2}g1 → g2/)
  root.write('modules/shop.js', 'export class Module { price() { return 2 } }\n')
  await live
  await system.call('packages', 'request', 'left-pad', '1.3.0', 'to see it listed')
  await vi.waitFor(async () => expect((await mmHere(root.path, 'changes')).stdout).toContain('g2'), 20_000)
})
afterAll(async () => {
  await system.stop()
  root.dispose()
})

const program = await createProgram(() => undefined)

/** `[{a, b?}]` → its keys; those with a `?` may be missing. What comes after a `;` is printed with an option only. */
function keysOf(shape: string): { must: string[]; may: string[] } {
  const [always = ''] = shape.split(';')
  const names = always.replaceAll(/[[\]{}\s]/g, '').split(',')
  return { must: names.filter((one) => !one.endsWith('?')), may: names.map((one) => one.replace('?', '')) }
}

function commandOf(args: readonly string[]): Command {
  let found = program
  for (const word of args) {
    const next = found.commands.find((one) => one.name() === word)
    if (next === undefined) break
    found = next
  }
  return found
}

const LINES: string[][] = [
  ['status'],
  ['show', 'shop'],
  ['call', 'shop.price'],
  ['tools'],
  ['reload', 'shop'],
  ['plan', 'modules/shop.js'],
  ['rollback', 'shop'],
  ['undo', 'shop'],
  ['changes'],
  ['diff', 'shop', 'g1'],
  ['why', 'shop'],
  ['validate'],
  ['config', 'dump'],
  ['kernel', 'swap'],
  ['packages'],
  ['freeze'],
  ['thaw'],
  ['doctor'],
  ['completion', 'bash'],
]

it.each(LINES.map((words) => ({ words, line: words.join(' ') })))('mm $line', async ({ words }) => {
  const { stdout } = await mmHere(root.path, ...words, '--json')
  const printed = JSON.parse(stdout) as Record<string, unknown> | Record<string, unknown>[]
  const shape = shapeOf(commandOf(words)) ?? ''
  expect(Array.isArray(printed)).toBe(shape.startsWith('['))
  const first = Array.isArray(printed) ? (printed[0] ?? {}) : printed
  const { must, may } = keysOf(shape)
  expect(must.filter((key) => !Object.hasOwn(first, key))).toEqual([])
  expect(Object.keys(first).filter((key) => !may.includes(key))).toEqual([])
})
