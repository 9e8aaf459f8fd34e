/** A kernel that shares no code with the shipped one takes over in the real process, and gives everything back. */
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, packageRoot, type TestRoot } from './support/root.ts'

let root: TestRoot
let system: RunningSystem
afterEach(async () => {
  await system.stop()
  root.dispose()
})

const COUNTER = `
export class Module {
  constructor() { this.count = 0 }
  next() { return ++this.count }
}
`

interface Info {
  version: string
  history: { from: string; to: string; outcome: string }[]
}

it('a second kernel passes its trial, takes over, loads what is saved, and hands back', {
  timeout: 60_000,
}, async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/counter.yml': 'prog: counter\n',
    'modules/counter.ts': COUNTER,
    'modules/kernel-v2.ts': `export { Kernel } from '${join(packageRoot, 'test/fixtures/kernel-v2/kernel-v2.ts')}'\n`,
  })
  system = await startProcess(root, { env: { MM_PROBATION_MS: '1000' } })
  expect(await system.call('counter', 'next')).toBe(1)
  root.write('configs/meta-v2.0.0.yml', 'prog: kernel-v2\n')
  await system.line(/kernel 1\.0\.0 → 2\.0\.0 {2}paused/)
  expect(await system.call('counter', 'next')).toBe(2)
  await system.line(/kernel 2\.0\.0 is confirmed/)
  root.write('configs/second.yml', 'prog: counter\n')
  await system.line(/second {2}g1 live/)
  expect(await system.call('second', 'next')).toBe(1)
  const status = await system.call<{ uptime_by_kernel: object }>('kernel', 'status')
  expect(Object.keys(status.uptime_by_kernel)).toEqual(['2.0.0'])
  const refused = await system.api<{ error: { code: string } }>('POST', '/api/services/counter/rollback')
  expect(refused.body.error.code).toBe('method_not_found')
  root.remove('configs/meta-v2.0.0.yml')
  await system.line(/kernel 2\.0\.0 → 1\.0\.0 {2}paused/)
  expect(await system.call('counter', 'next')).toBe(3)
  expect(await system.call('second', 'next')).toBe(2)
  const { body } = await system.api<Info>('GET', '/api/kernel')
  expect(body.version).toBe('1.0.0')
  expect(body.history.map(({ from, to, outcome }) => `${from} ${to} ${outcome}`)).toEqual([
    '1.0.0 2.0.0 swapped',
    '2.0.0 1.0.0 swapped',
  ])
})
