/** Sandboxes of the product as a user runs it: their processes outlive kernels, and never the system. */
import { afterEach, expect, it } from 'vitest'
import type { ServiceDetail } from '../../modules/contracts/kernel.ts'
import { isRunning } from '../../modules/lib/lock.ts'
import { counter } from '../sandbox/host/sandbox-system.ts'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

async function start(): Promise<{ root: TestRoot; system: RunningSystem }> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/meta-v1.0.0.yml': 'prog: kernel\nenable_sandboxing: true\n',
    'configs/jobs/x.yml': 'grants: [jobs/y.mark]\n',
    'configs/jobs/y.yml': 'prog: jobs/x\nsandbox: { isolation: own }\n',
    'modules/jobs/x.ts': counter(),
  })
  roots.push(root)
  const system = await startProcess(root, { env: { MM_PROBATION_MS: '1000' } })
  running.push(system)
  return { root, system }
}
const show = async (system: RunningSystem, api: string): Promise<ServiceDetail> =>
  (await system.api<ServiceDetail>('GET', `/api/services/${encodeURIComponent(api)}`)).body
const pidsOf = (system: RunningSystem): Promise<number[]> =>
  Promise.all(['jobs/x', 'jobs/y'].map(async (api) => (await show(system, api)).sandbox?.pid ?? 0))

it('another kernel takes over: what runs in sandboxes goes on where it is, and no call is lost', async () => {
  const { root, system } = await start()
  const pids = await pidsOf(system)
  expect(new Set([...pids, 0, system.childPid]).size).toBe(4)
  const calling = { on: true }
  const load = (async () => {
    let last = 0
    for (; calling.on; last++) expect(await system.call('jobs/x', 'next')).toBe(last + 1)
    return last
  })()
  load.catch(() => undefined)
  root.write('configs/meta-v1.1.0.yml', 'prog: kernel\nenable_sandboxing: true\n')
  await system.line(/kernel 1\.1\.0/)
  await system.line(/kernel 1\.1\.0 is confirmed/)
  calling.on = false
  expect(await load).toBeGreaterThan(0)
  expect(await pidsOf(system)).toEqual(pids)
  // Under the new kernel its powers are what they were.
  expect(await system.call('jobs/x', 'ask', 'jobs/y', 'mark')).toBe(1)
  await expect(system.call('jobs/x', 'ask', 'jobs/y', 'next')).rejects.toThrow('grant_denied')
})

it('an orderly stop and a kill of everything leave no process behind', async () => {
  const first = await start()
  const before = await pidsOf(first.system)
  expect(await first.system.stop()).toBe(0)
  await expect.poll(() => before.filter(isRunning)).toEqual([])
  const second = await start()
  const pids = await pidsOf(second.system)
  process.kill(second.system.pid, 'SIGKILL')
  process.kill(second.system.childPid, 'SIGKILL')
  await second.system.exited
  await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([])
})

it('mm show lists what is granted, used and refused', async () => {
  const { root, system } = await start()
  await system.call('jobs/x', 'ask', 'jobs/y', 'mark')
  await expect(system.call('jobs/x', 'ask', 'jobs/y', 'next')).rejects.toThrow('grant_denied')
  const { stdout } = await mm(root.path, 'show', 'jobs/x')
  expect(stdout).toMatch(/^sandbox {2}group jobs, process \d+$/m)
  expect(stdout).toMatch(/^granted {2}jobs\/y\.mark$/m)
  expect(stdout).toMatch(/^used {5}jobs\/y\.mark \(1\)$/m)
  expect(stdout).toMatch(/^refused {2}jobs\/y\.next \(1\)$/m)
  expect((await mm(root.path, 'release', 'jobs/x')).stderr).toContain('is in no quarantine')
})
