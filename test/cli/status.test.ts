/** `mm status`, `ls`, `show` and `tools`: what a running system says about itself. */
import { afterEach, expect, it } from 'vitest'
import { isRunning } from '../../modules/lib/lock.ts'
import { mmHere } from '../support/cli.ts'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const SHOP = `
import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  price(article: string) { return article.length }
  fail() { throw new Error('the till is stuck') }
  run(signal: AbortSignal) { return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())) }
  getAspect(name: string) {
    if (name !== 'tool') return undefined
    return {
      price: tool({
        description: 'Price of an article.',
        params: z.object({ article: z.string(), amount: z.number().optional() }),
        run: ({ article }) => this.price(article),
      }),
    }
  }
}
`

async function start(files: Record<string, string> = {}): Promise<{ root: TestRoot; system: RunningSystem }> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/tools.yml': 'prog: services/tools\n',
    'configs/shop.yml': 'prog: shop\ndescription: sells tea\n',
    'modules/shop.ts': SHOP,
    ...files,
  })
  roots.push(root)
  const system = await startProcess(root)
  running.push(system)
  return { root, system }
}

it('status shows the kernel, the address and how many services are live', async () => {
  const { root, system } = await start()
  const { code, stdout, stderr } = await mm(root.path, 'status')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^status +ok$/m)
  expect(stdout).toMatch(/^kernel +1\.0\.0 \(configs\/meta-v1\.0\.0\.yml\)$/m)
  expect(stdout).toMatch(/^services +4 of 4 live$/m)
  expect(stdout).toMatch(/^frozen +none$/m)
  expect(stdout).toContain(system.url)
})

it('a system whose process was killed is asked again when it is back: no command says that nothing runs', async () => {
  const { root, system } = await start()
  const { childPid } = system
  process.kill(childPid, 'SIGKILL')
  await expect.poll(() => isRunning(childPid), { interval: 2 }).toBe(false)
  // Nobody listens now, and the shop is not there as soon as somebody does.
  expect(await mmHere(root.path, 'status', '--json')).toMatchObject({ code: 0, stderr: '' })
  await system.restarted(1)
  expect(await mmHere(root.path, 'call', 'shop.price', 'tea')).toMatchObject({ code: 0, stderr: '' })
  await system.stop()
  expect(await mmHere(root.path, 'status')).toMatchObject({ code: 3 })
})

it('status names a config that cannot be used, with its place', async () => {
  const { root } = await start({ 'configs/broken.yml': 'prog: shop\nprice: [1, 2\n' })
  const { code, stdout } = await mm(root.path, 'status')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^status +degraded$/m)
  expect(stdout).toMatch(/configs\/broken\.yml:\d+:\d+/)
})

it('status, ls, show and tools print valid JSON with --json', async () => {
  const { root, system } = await start()
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await mm(root.path, ...args, '--json')
    expect([args, code, stderr]).toEqual([args, 0, ''])
    return JSON.parse(stdout) as T
  }
  expect(await json('status')).toMatchObject({ url: system.url, status: 'ok', version: '1.0.0', frozen: 'none' })
  expect((await json<{ api: string }[]>('ls')).map((one) => one.api)).toEqual(['http', 'kernel', 'shop', 'tools'])
  expect(await json('show', 'shop')).toMatchObject({
    api: 'shop',
    state: 'live',
    generation: 1,
    description: 'sells tea',
  })
  const { tools } = await json<{ tools: { name: string }[] }>('tools')
  expect(tools.map((one) => one.name)).toContain('shop_price')
})

it('ls lists each service with state, generation, calls and errors', async () => {
  const { root, system } = await start({ 'configs/late.yml': 'prog: shop\nneeds: [nobody]\n' })
  await system.call('shop', 'price', 'tea')
  await expect(system.call('shop', 'fail')).rejects.toThrow('the till is stuck')
  const { code, stdout } = await mm(root.path, 'ls')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^SERVICE +STATE +GEN +CALLS +ERRORS +OPEN$/m)
  expect(stdout).toMatch(/^shop +live +g1 +2 +1 +0 +the till is stuck \(modules\/shop\.ts:6:\d+\)$/m)
  expect(stdout).toMatch(/^late +waiting +- .*waits for nobody$/m)
})

it('show tells hashes, methods, tools, tasks and the last error with its place', async () => {
  const { root, system } = await start()
  await expect(system.call('shop', 'fail')).rejects.toThrow('the till is stuck')
  const { code, stdout } = await mm(root.path, 'show', 'shop')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^state +live$/m)
  expect(stdout).toMatch(/^source_file +modules\/shop\.ts$/m)
  expect(stdout).toMatch(/^source_hash +[0-9a-f]+$/m)
  expect(stdout).toMatch(/^last_error +the till is stuck \(modules\/shop\.ts:6:\d+\)$/m)
  expect(stdout).toMatch(/^methods +price, fail$/m)
  expect(stdout).toMatch(/^tool +price: Price of an article\.$/m)
  expect(stdout).toMatch(/^task +run\(\)$/m)
})

it('show of an unknown service exits with 1 and names near ones', async () => {
  const { root } = await start()
  const { code, stdout, stderr } = await mm(root.path, 'show', 'shob')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain('shop')
})

it('tools prints each tool as it is called, with what it does', async () => {
  const { root } = await start()
  const { code, stdout } = await mm(root.path, 'tools')
  expect(code).toBe(0)
  expect(stdout).toContain('shop_price(article: string, amount?: number)\n  Price of an article.\n')
  expect(stdout).toContain('kernel_reload_service(service: string)\n')
})
