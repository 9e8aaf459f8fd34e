/** A service that had no tools is given one: the package that comes with it keeps something of its own where all code sees it. */
import { expect, it } from 'vitest'
import { startGate } from './gate-system.ts'

const COUNTER = 'export class Module {\n  count(n) { return n + 1 }\n}\n'
const WITH_TOOL = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  count(n) { return n + 1 }
  getAspect(name) {
    return name === 'tool' ? { count: tool({ description: 'count', params: z.object({ n: z.number() }), run: ({ n }) => this.count(n) }) } : undefined
  }
}
`

it('a first tool is no change of what all code shares', async () => {
  const system = await startGate({
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/approvals.yml': 'prog: control/approvals\n',
    'configs/counter.yml': 'record: {calls: all}\n',
    'modules/counter.ts': COUNTER,
  })
  const counter = system.getApi<{ count(n: number): number }>('counter')
  for (let n = 0; n < 20; n++) await counter.count(n)
  const { passed, failed } = await system.check('modules/counter.ts', WITH_TOOL)
  expect([passed, failed]).toEqual([true, undefined])
  await system.stop()
})
