/** How a kernel lets go and goes on. */
import { afterEach, expect, it } from 'vitest'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
afterEach(() => system.stop())

it('a kernel that is being replaced cannot be replaced twice at once, and goes on when it is not replaced', async () => {
  system = await startSystem({ 'configs/a.yml': '', 'modules/a.ts': 'export class Module { one() { return 1 } }\n' })
  await system.kernel.pause(1_000)
  expect((await rejection(system.kernel.pause(1_000))).code).toBe('kernel_busy')
  expect(await system.getApi('a')['one']?.()).toBe(1)
  const live = system.event('service.live')
  system.root.write('modules/a.ts', 'export class Module { one() { return 2 } }\n')
  system.kernel.resume()
  await live
  expect(await system.getApi('a')['one']?.()).toBe(2)
})
