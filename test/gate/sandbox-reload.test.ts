/** Services in sandboxes under load: reloads, a switch into sandboxes and out of them, and processes that are killed. */
import { afterEach, expect, it } from 'vitest'
import type { ServiceDetail } from '../../modules/contracts/kernel.ts'
import { counter, startSandboxed, type Counter, type SandboxSystem } from '../sandbox/host/sandbox-system.ts'
import { isRunning } from '../../modules/lib/lock.ts'
import { underCalls } from '../support/load.ts'

const SWEEP = 'limits: { sweep_ms: 50 }\n'
const STATEFUL = 'handOver() { return this.count } takeOver(count) { this.count = count }'

let system: SandboxSystem
afterEach(() => system.stop())

const start = async (more: Record<string, string> = {}, config = 'sandbox: true\n'): Promise<void> => {
  system = await startSandboxed({
    'configs/meta-v1.0.0.yml': `prog: kernel\n${SWEEP}`,
    'configs/jobs/x.yml': config,
    'modules/jobs/x.ts': counter(1, STATEFUL),
    ...more,
  })
}
const x = () => system.getApi<Counter>('jobs/x')
const show = (api = 'jobs/x'): Promise<ServiceDetail> => system.show(api)
const pidOf = async (api?: string): Promise<number> => (await show(api)).sandbox?.pid ?? 0

it.each(['own', 'group', 'inline'])(
  'hot reload under load, isolation %s: no call fails, none counts twice',
  async (isolation) => {
    await start({}, `sandbox: { isolation: ${isolation} }\n`)
    const results: number[] = []
    const { calls, failed } = await underCalls(
      8,
      async () => results.push(await x().next()),
      async () => {
        for (let mark = 2; mark <= 8; mark++) {
          system.root.write('modules/jobs/x.ts', counter(mark, STATEFUL))
          expect(await system.reload('jobs/x')).toMatchObject({ ok: true, state: 'carried', failed_calls: 0 })
          expect(await x().mark()).toBe(mark)
        }
      },
    )
    expect(failed).toEqual([])
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: calls }, (_one, index) => index + 1))
  },
)

it('a process that is killed with 100 calls in flight: each is rejected once, with the cause; then it serves again', async () => {
  await start()
  const pid = await pidOf()
  const outcomes: string[] = []
  const open = Array.from({ length: 100 }, () =>
    x()
      .wait()
      .catch((thrown: { code: string }) => outcomes.push(thrown.code)),
  )
  await expect.poll(async () => (await show()).in_flight).toBe(100)
  const again = system.live('jobs/x', 2)
  process.kill(pid, 'SIGKILL')
  await Promise.all(open)
  expect(outcomes).toEqual(Array.from({ length: 100 }, () => 'sandbox_host_died'))
  await again
  expect(await x().next()).toBe(1)
  expect(await pidOf()).not.toBe(pid)
  expect(await show()).toMatchObject({ state: 'live', in_flight: 0, sandbox: { kills: { sandbox_host_died: 1 } } })
  await expect.poll(() => isRunning(pid)).toBe(false)
})

it('a module that loops costs its own process only: services in other groups answer all the while', async () => {
  await start(
    { 'configs/other/y.yml': 'sandbox: true\nprog: jobs/x\n', 'configs/own.yml': 'prog: jobs/x\n' },
    'sandbox: { cpu_ms: 200 }\n',
  )
  system.root.write('configs/other/y.yml', 'sandbox: { group: other }\nprog: jobs/x\n')
  await system.live('other/y', 2)
  expect(await pidOf('other/y')).not.toBe(await pidOf())
  const { failed, calls } = await underCalls(
    4,
    async (caller) => system.getApi<Counter>(caller % 2 === 0 ? 'other/y' : 'own').next(),
    async () => {
      const again = system.live('jobs/x', 2)
      await expect(x().spin()).rejects.toMatchObject({ code: 'sandbox_cpu' })
      await again
    },
  )
  expect(failed).toEqual([])
  expect(calls).toBeGreaterThan(10)
  expect(await x().next()).toBe(1)
})

it('the meta file puts all that is not trusted into sandboxes and takes it out again, live: no call fails', async () => {
  const meta = (more: string): void => system.root.write('configs/meta-v1.0.0.yml', `prog: kernel\n${more}${SWEEP}`)
  await start(
    {
      'configs/files.yml': 'prog: services/filesystem\n',
      'configs/known.yml': 'prog: known/one\n',
      'modules/known/one.ts': counter(1, STATEFUL),
    },
    'sandbox: false\n',
  )
  const sandboxed = async (): Promise<Record<string, boolean>> =>
    Object.fromEntries(
      await Promise.all(['jobs/x', 'known', 'files'].map(async (api) => [api, (await show(api)).sandboxed])),
    )
  expect(await sandboxed()).toEqual({ 'jobs/x': false, known: false, files: false })
  const results: number[] = []
  const { calls, failed } = await underCalls(
    6,
    async () => results.push(await x().next()),
    async () => {
      meta('enable_sandboxing: true\ntrusted: [known/*]\n')
      await system.live('jobs/x', 2)
      expect(await sandboxed()).toEqual({ 'jobs/x': true, known: false, files: false })
      expect([0, process.pid]).not.toContain(await pidOf())
      expect(isRunning(await pidOf())).toBe(true)
      meta('enable_sandboxing: true\n')
      await system.live('known', 2)
      expect(await sandboxed()).toEqual({ 'jobs/x': true, known: true, files: false })
      meta('')
      await Promise.all([system.live('jobs/x', 3), system.live('known', 3)])
      expect(await sandboxed()).toEqual({ 'jobs/x': false, known: false, files: false })
    },
  )
  expect(failed).toEqual([])
  expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: calls }, (_one, index) => index + 1))
  expect((await show()).reloads).toBe(2)
  expect((await show('files')).generation).toBe(1)
})

it('what was kept from before runs in a sandbox too: the version before, and one that stands in for a package’s own', async () => {
  await start({ 'configs/files.yml': 'prog: services/filesystem\n', 'modules/services/filesystem.ts': counter() }, '')
  system.root.write('configs/meta-v1.0.0.yml', `prog: kernel\nenable_sandboxing: true\n${SWEEP}`)
  await Promise.all([system.live('jobs/x', 2), system.live('files', 2)])
  expect((await show('files')).sandboxed).toBe(true)
  const back = system.getApi<{ rollback(api: string): Promise<{ ok: boolean }> }>('kernel')
  expect(await back.rollback('jobs/x')).toMatchObject({ ok: true, rolled_back: true })
  expect((await show()).sandboxed).toBe(true)
})

it('a mistake in what the meta file says of sandboxes changes nothing, and is told', async () => {
  await start({ 'configs/meta-v1.0.0.yml': `prog: kernel\nenable_sandboxing: true\n${SWEEP}` }, '')
  expect((await show()).sandboxed).toBe(true)
  system.root.write('configs/meta-v1.0.0.yml', `prog: kernel\nenable_sandboxing: sometimes\n${SWEEP}`)
  await expect.poll(() => system.log.map(({ message }) => message).join('\n')).toContain('enable_sandboxing')
  expect((await show()).sandboxed).toBe(true)
})
