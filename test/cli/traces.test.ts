/** `mm trace` and `mm replay`, as a person and as a script use them. */
import { afterEach, expect, it } from 'vitest'
import type { Replay } from '../../modules/contracts/recordings.ts'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const CALC = 'export class Module { add(a, b) { return a + b } fail() { throw new Error("no paper") } }'

it('a call is found by its trace, and a candidate is told from the version that serves', async () => {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/traces.yml': 'prog: services/traces\n',
    'configs/recordings.yml': 'prog: services/recordings\n',
    'configs/calc.yml': '',
    'modules/calc.ts': CALC,
    'modules/next.ts': CALC.replace('a + b', 'a - b'),
  })
  roots.push(root)
  running.push(await startProcess(root))
  const run = (...args: string[]): ReturnType<typeof mm> => mm(root.path, ...args)
  const { trace_id } = JSON.parse((await run('call', 'calc.add', '1', '2', '--json')).stdout) as { trace_id: string }
  expect((await run('trace', trace_id)).stdout).toMatch(/http → calc\.add +g1 +[\d.]+ ms/)
  await run('call', 'calc.fail')
  expect((await run('trace', '--errors')).stdout).toMatch(/1 failed +http → calc\.fail/)
  const unknown = await run('trace', 'nothing')
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('There is no trace nothing') as string])
  const same = await run('replay', 'calc')
  expect([same.code, same.stdout]).toEqual([0, expect.stringContaining('equal: 2 of 2 calls') as string])
  const other = await run('replay', 'calc', '--against', 'modules/next.ts', '--json')
  const { verdict, differences } = JSON.parse(other.stdout) as Replay
  expect([other.code, verdict, differences.map(({ kind, method }) => [kind, method])]).toEqual([
    1,
    'different',
    [['result', 'add']],
  ])
})
