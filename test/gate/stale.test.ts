/** A helper three imports deep, changed 10,000 times: no answer is ever from the version before. */
import { expect, it } from 'vitest'
import { startSystem } from '../support/system.ts'

const CHANGES = 10_000

it('0 stale answers', { timeout: 300_000 }, async () => {
  const system = await startSystem({
    'configs/m.yml': '',
    'modules/m.ts': `import { one } from './one.ts'\nexport class Module { get() { return one() } }`,
    'modules/one.ts': `import { two } from './two.ts'\nexport const one = (): number => two()`,
    'modules/two.ts': `import { three } from './three.ts'\nexport const two = (): number => three`,
    'modules/three.ts': 'export const three = 0',
  })
  const get = system.getApi<{ get(): number }>('m')
  let stale = 0
  for (let version = 1; version <= CHANGES; version++) {
    system.root.writeByRename('modules/three.ts', `export const three = ${version}`)
    const { ok } = await system.reload('m')
    if (!ok || (await get.get()) !== version) stale++
  }
  await system.stop()
  expect(stale).toBe(0)
})
