/** The watch clock: what moved suddenly makes a cycle look, once; what nobody can be sure of does not; nothing is written twice. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CADENCE, startLoop, type Loop } from './loop.ts'

const WATCH = 'watch: {check_ms: 20, interval_seconds: 300}\n'
const INTERVAL_MS = 300_000
const WINDOW_MS = 3 * INTERVAL_MS
const SUCCESS = 'performance.avg_success_rate'

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(CADENCE + WATCH)
  loop.tell({
    catalogue: [{ path: SUCCESS, label: SUCCESS, domain: 'performance', unit: 'ratio', direction: 'up', target: null }],
    values: { [SUCCESS]: 1 },
    window_ms: WINDOW_MS,
  })
})
afterEach(() => loop.stop())

async function watch(times = 1): Promise<boolean[]> {
  const moved: boolean[] = []
  for (let n = 0; n < times; n++) {
    const watched = loop.system.event('meta.watched')
    loop.clock.skip(INTERVAL_MS)
    moved.push(Boolean((await watched).data['moved']))
  }
  return moved
}

it('a sudden change for the worse is told once while it is in sight, and a cycle looks', async () => {
  await watch(4)
  loop.tell({ values: { [SUCCESS]: 0.6 } })
  const ended = loop.ended()
  expect(await watch()).toEqual([true])
  expect(await ended).toMatchObject({
    trigger: 'signal',
    queued_signals: [
      {
        source: 'inflection',
        priority: 'urgent',
        payload: { metric: SUCCESS, old: 1, new: 0.6, severity: 'critical' },
      },
    ],
  })
  expect(await watch(5)).toEqual([false, false, false, false, false])
  expect((await loop.meta.cycles()).cycles).toHaveLength(1)
})

it('a change that comes slowly is seen against a window that shares no minute with this one', async () => {
  await watch(4)
  const seen: boolean[] = []
  for (const value of [0.9, 0.8, 0.7]) {
    loop.tell({ values: { [SUCCESS]: value } })
    seen.push(...(await watch()))
  }
  expect(seen).toEqual([false, false, true])
})

it('of few samples nothing is told, whatever they say', async () => {
  loop.tell({ samples: 5 })
  await watch(4)
  loop.tell({ values: { [SUCCESS]: 0 } })
  expect(await watch(2)).toEqual([false, false])
  expect((await loop.meta.signals()).signals).toEqual([])
})

it('what waits is written when it has changed, not at each look', async () => {
  const file = join(loop.root.path, 'runtime/control/pending-reviews.yml')
  await watch()
  const { ino } = statSync(file)
  await watch(2)
  expect(statSync(file).ino).toBe(ino)
})
