/** kill -9 while memories are written: what was acknowledged is recalled after the restart, and the file is whole. */
import { afterEach, expect, it } from 'vitest'
import type { Memory } from '../../modules/contracts/services.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const KILLS = 3

let root: TestRoot
let system: RunningSystem
afterEach(async () => {
  await system.stop()
  root.dispose()
})

it('nothing that was acknowledged is forgotten', async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/chromadb.yml': 'prog: services/chromadb\n',
    'configs/memory.yml': 'prog: services/memory\n',
  })
  system = await startProcess(root)
  const acknowledged: string[] = []
  for (let kill = 1; kill <= KILLS; kill++) {
    const until = acknowledged.length + 25
    const write = async (writer: number): Promise<void> => {
      for (let at = 0; ; at++) {
        const text = `memory ${kill}-${writer}-${at} was written`
        try {
          await system.call('memory', 'remember', text)
        } catch {
          return
        }
        acknowledged.push(text)
        if (acknowledged.length === until) process.kill(system.childPid, 'SIGKILL')
      }
    }
    await Promise.all([1, 2, 3, 4].map(write))
    await system.restarted(kill)
    await system.call('memory', 'remember', `after kill ${kill}`)
    const { documents } = await system.call<{ documents: string[] }>('chromadb', 'get', 'memory')
    expect(documents).toEqual(expect.arrayContaining(acknowledged) as string[])
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(KILLS * 25)
  const { memories } = await system.call<{ memories: Memory[] }>('memory', 'recall', acknowledged[0])
  expect(memories[0]?.text).toBe(acknowledged[0])
})
