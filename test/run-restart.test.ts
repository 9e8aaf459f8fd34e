/** A system that dies unasked is started again by its parent, a few times; a stop is heard at any moment. */
import { afterEach, expect, it } from 'vitest'
import { startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

let root: TestRoot
let system: RunningSystem
afterEach(async () => {
  await system.stop()
  root.dispose()
})

/** Up, and killed and up again so many times. */
async function start(deaths: number): Promise<void> {
  root = createRoot({ 'configs/http.yml': 'prog: services/http\nport: 0\n' })
  system = await startProcess(root, { args: ['--json'] })
  for (let times = 1; times <= deaths; times++) {
    process.kill(system.childPid, 'SIGKILL')
    await system.restarted(times)
    expect((await system.api('GET', '/health')).body).toMatchObject({ status: 'ok' })
  }
}

it('a system that does not stay up is given up, with a code and the reason', async () => {
  await start(5)
  process.kill(system.childPid, 'SIGKILL')
  expect(await system.exited).toBe(1)
  expect(
    system.output.filter((line) => /^the system ended by SIGKILL; starting again in \d+ ms$/.test(line)),
  ).toHaveLength(5)
  expect(JSON.parse(system.output.at(-1) ?? '')).toMatchObject({
    error: {
      code: 'restarts_exceeded',
      message: 'The system was started 6 times within 60 s and does not stay up: the system ended by SIGKILL',
    },
  })
})

it('a stop that is asked for while the system is down is an orderly end', async () => {
  await start(4)
  process.kill(system.childPid, 'SIGKILL')
  await system.line(/starting again in 1600 ms/)
  system.signal('SIGTERM')
  expect(await system.exited).toBe(0)
  expect(system.output.at(-1)).toContain('stopping')
})
