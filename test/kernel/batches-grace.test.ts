/** A burst of changes holds the news of a file back: what was decided from the news before must not be acted upon. */
import { afterEach, expect, it } from 'vitest'
import { underCalls } from '../support/load.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

it('a config that is gone for a moment, in a long burst of other changes, stops nothing', async () => {
  system = await startSystem({
    'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {burst_quiet_ms: 200}',
    'configs/m.yml': '',
    'modules/m.ts': 'export class Module { hi() { return 1 } }',
  })
  const { root, kernel, getApi } = system
  const m = getApi<{ hi(): number }>('m')
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  const { failed } = await underCalls(
    2,
    () => m.hi(),
    async () => {
      root.remove('configs/m.yml')
      await expect.poll(() => kernel.services.get('m')?.graceSince, { interval: 1 }).toBeDefined()
      root.write('configs/m.yml', '')
      for (let n = 0; n < 60; n++) {
        for (let file = 0; file < 6; file++) root.write(`modules/other${file}.ts`, `export const n = ${n}`)
        await pause(10)
      }
      await kernel.settled()
    },
  )
  expect(failed.slice(0, 5)).toEqual([])
  expect(await system.show('m')).toMatchObject({ state: 'live', generation: 1 })
})
