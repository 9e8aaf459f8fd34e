/** What becomes of the processes of bridged servers when the system ends, in order or by kill -9. */
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startProcess, type RunningSystem } from '../../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../../support/root.ts'

const FAULTY = join(packageRoot, 'test', 'fixtures', 'mcp', 'server.mjs')

let root: TestRoot | undefined
let system: RunningSystem | undefined
afterEach(async () => {
  await system?.stop()
  root?.dispose()
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The server's process, and one that it has started itself. */
async function start(): Promise<{ running: RunningSystem; pids: number[] }> {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/server.yml': `prog: mcp/bridge\ncommand: ${process.execPath}\nargs: ['${FAULTY}']\n`,
  })
  system = await startProcess(root)
  const { pid } = await system.call<{ pid: number }>('server', 'connection')
  const pids = [pid, Number(await system.call<string>('server', 'child'))]
  expect(pids.map(isAlive)).toEqual([true, true])
  return { running: system, pids }
}

it('an orderly stop ends them', async () => {
  const { running, pids } = await start()
  expect(await running.stop()).toBe(0)
  await expect.poll(() => pids.filter(isAlive)).toEqual([])
})

it('kill -9 of the system ends them, and the next start has a server of its own', async () => {
  const { running, pids } = await start()
  const again = running.restarted(1)
  process.kill(running.childPid, 'SIGKILL')
  await expect.poll(() => pids.filter(isAlive)).toEqual([])
  await again
  expect(await running.call('server', 'echo', { message: 'hi' })).toBe('hi')
})
