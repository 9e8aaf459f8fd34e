/** What the system counts of this process: work makes it grow, and where nothing is counted nothing is told. */
import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { processorTime } from '../../modules/lib/processor-time.ts'

it('work of this thread is counted, where the system counts', () => {
  const before = processorTime()
  if (!existsSync('/proc/self/schedstat')) {
    expect(before).toBeUndefined()
    return
  }
  const { user: begin } = process.cpuUsage()
  while (process.cpuUsage().user - begin < 30_000);
  const after = processorTime()
  expect((after?.ran_ms ?? 0) - (before?.ran_ms ?? 0)).toBeGreaterThan(10)
  expect((after?.waited_ms ?? -1) >= (before?.waited_ms ?? 0)).toBe(true)
})
