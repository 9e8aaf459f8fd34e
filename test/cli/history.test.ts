/** `mm changes`, `diff` and `why`: what they print, and that they print it for programs too. */
import { afterEach, expect, it } from 'vitest'
import { historyKnows, mmHere } from '../support/cli.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const shop = (price: number): string => `export class Module {
  price() {
    return ${price}
  }
}
`

async function start(): Promise<{ root: TestRoot; system: RunningSystem }> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/history.yml': 'prog: services/history\n',
    'configs/shop.yml': '',
    'modules/shop.js': shop(1),
  })
  roots.push(root)
  const system = await startProcess(root)
  running.push(system)
  await historyKnows(root.path, 'shop')
  return { root, system }
}

async function ok(root: TestRoot, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await mmHere(root.path, ...args)
  expect([args, code, stderr]).toEqual([args, 0, ''])
  return stdout
}

it('what changed, what differs and why are each one command, with times and ids', async () => {
  const { root, system } = await start()
  expect(await ok(root, 'changes')).toMatch(/^nothing changed since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/)
  expect(await ok(root, 'diff', 'shop')).toMatch(
    /^shop: live \(g1\) of .* → disk\nnothing differs\nmm changes --service shop/,
  )
  const live = system.line(/shop {2}g1 → g2/)
  root.write('modules/shop.js', shop(2))
  await live
  await expect
    .poll(() => ok(root, 'changes'))
    .toMatch(/^\S+ \S+ {2}h\d+ {2}shop g1 → g2: modules\/shop\.js; state lost\n$/)
  expect(await ok(root, 'diff', 'shop', 'g1')).toMatch(
    /^shop: g1 of .* → live \(g2\) of .*\n--- a\/modules\/shop\.js\n\+\+\+ b\/modules\/shop\.js\n@@ -1,5 \+1,5 @@\n[\s\S]*-    return 1\n\+    return 2\n/,
  )
  const why = await ok(root, 'why', 'shop')
  expect(why).toMatch(/^now +shop is live \(g2 serves; 0 calls, 0 failed, 0 open\)$/m)
  expect(why).toMatch(/^ {2}mm undo shop +takes the last change back$/m)
  const id = /h\d+/.exec(why)?.[0] ?? ''
  expect(await ok(root, 'why', id)).toContain('shop g1 → g2: modules/shop.js')
  for (const since of ['1m', '2h', '7d', 'yesterday', '2020-01-01', '2020-01-01T08:00'])
    expect([since, await ok(root, 'changes', '--since', since)]).toEqual([since, expect.stringContaining(id)])
  expect(await ok(root, 'changes', '--since', '2999-01-01')).toMatch(/^nothing changed/)
  expect((await mmHere(root.path, 'changes', '--since', 'soon')).code).toBe(2)
  const unknown = await mmHere(root.path, 'why', 'shpo')
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('Nothing is known about `shpo`')])
  expect((await mmHere(root.path, 'diff', 'shop', 'g7')).stderr).toContain('mm changes --service shop --all')
})
