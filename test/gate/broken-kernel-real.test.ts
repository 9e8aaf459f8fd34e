/** R3 at real values: a kernel that passes its trial and fails five seconds after it has taken over. */
import { afterEach, expect, it } from 'vitest'
import { underCalls } from '../support/load.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
let system: RunningSystem
afterEach(async () => {
  await system.stop()
  root.dispose()
})

const COUNTER = 'export class Module { constructor() { this.count = 0 }\n  next() { return ++this.count } }\n'

/** Its own calls fail from then on; those of services go on, so that a caller notices nothing. */
const LATE = `
import { Kernel as Shipped } from '${packageRoot}/modules/kernel/kernel.ts'
export class Kernel extends Shipped {
  async adopt(state) {
    await super.adopt(state)
    if (this.options.root.startsWith('/kernel-trial')) return
    this.options.clock.after(5000, () => {
      this.sick = true
      this.options.log.info('calls fail from now on')
    })
  }
  status() {
    if (this.sick) throw new Error('it fails by now')
    return super.status()
  }
}
`

interface Info {
  version: string
  history: { to: string; outcome: string; error: { code: string } | null }[]
}

it('is gone back from as soon as its calls fail, and no caller notices', { timeout: 90_000 }, async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/counter.yml': 'prog: counter\n',
    'modules/counter.ts': COUNTER,
    'modules/late.ts': LATE,
  })
  system = await startProcess(root)
  const seen: number[] = []
  const { failed } = await underCalls(
    4,
    async () => seen.push(await system.call<number>('counter', 'next')),
    async () => {
      root.write('configs/meta-v2.0.0.yml', 'prog: late\n')
      await system.line(/kernel 1\.0\.0 → 2\.0\.0 {2}paused/)
      await system.line(/calls fail from now on/)
      const since = performance.now()
      await system.line(/kernel 2\.0\.0 .*taken back/)
      // Two seconds are promised; the machine that runs this may be busy.
      expect(performance.now() - since).toBeLessThan(8_000)
    },
  )
  expect(failed).toEqual([])
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: seen.length }, (_one, n) => n + 1))
  const { body } = await system.api<Info>('GET', '/api/kernel')
  expect(body.version).toBe('1.0.0')
  expect(body.history.at(-1)).toMatchObject({ to: '2.0.0', outcome: 'taken_back', error: { code: 'kernel_unwell' } })
})
