/** Which guests share a process, which never do, and that processes are neither missing nor left over. */
import { expect, it } from 'vitest'
import type { Isolation } from '../../../modules/contracts/sandbox.ts'
import { Places, type Lease } from '../../../modules/sandbox/host/places.ts'
import { ScriptedEngine, type ScriptedPlace } from '../../support/scripted-engine.ts'
import { rejection } from '../../support/system.ts'

const start = () => {
  const engine = new ScriptedEngine()
  const places = new Places(engine)
  const take = (
    api: string,
    isolation: Isolation,
    options: { group?: string; memory_mb?: number; isTrial?: boolean } = {},
  ): Promise<Lease> => places.take({ api, isolation, group: 'jobs', memory_mb: 64, processes_max: 2, ...options })
  return { engine, places, take }
}
const pidOf = ({ place }: Lease): number | undefined => place.pid

it('a group shares one process, a module of its own has one for each version, and inline has none', async () => {
  const { take } = start()
  const [a, b] = [await take('a', 'group'), await take('b', 'group')]
  expect(pidOf(a)).toBe(pidOf(b))
  const [c, next] = [await take('c', 'own'), await take('c', 'own')]
  expect(new Set([a, c, next].map(pidOf)).size).toBe(3)
  expect(pidOf(await take('d', 'inline'))).toBe(undefined)
})

it('a spare stands ready, and is taken before another one is started', async () => {
  const { engine, take } = start()
  const a = await take('a', 'own')
  expect(engine.running).toHaveLength(2)
  const [, spare] = engine.started
  expect(pidOf(await take('b', 'own'))).toBe(spare?.pid)
  expect(engine.running).toHaveLength(3)
  expect(pidOf(a)).not.toBe(spare?.pid)
})

it('what is only tried gives way, and nobody else does', async () => {
  const { engine, take } = start()
  await take('a', 'own')
  await take('b', 'own', { isTrial: true })
  expect(engine.started.map(({ givesWay }) => givesWay)).toEqual([false, true, false])
})

it('a spare that has ended meanwhile is not given out', async () => {
  const { engine, take } = start()
  await take('a', 'own')
  engine.started[1]?.kill({ code: 'sandbox_host_died', message: '', hint: '' })
  expect(pidOf(await take('b', 'own'))).not.toBe(undefined)
})

it('a process ends with the last guest in it, and not before', async () => {
  const { engine, take } = start()
  const [a, b] = [await take('a', 'group'), await take('b', 'group')]
  a.release()
  a.release()
  expect(pidOf(b)).not.toBe(undefined)
  b.release()
  expect(pidOf(b)).toBe(undefined)
  // Nor does the spare wait for nobody.
  await expect.poll(() => engine.running).toEqual([])
  const again = await take('a', 'group')
  expect(pidOf(again)).not.toBe(undefined)
  expect(engine.running).toHaveLength(2)
})

it('a group whose process has died gets another one', async () => {
  const { take } = start()
  const a = await take('a', 'group')
  a.place.kill({ code: 'sandbox_host_died', message: '', hint: '' })
  await a.place.ended
  const b = await take('b', 'group')
  expect(pidOf(b)).not.toBe(undefined)
  a.release()
  expect(pidOf(b)).not.toBe(undefined)
})

it('there are no more holders than the limit says; a version that drains is no further one', async () => {
  const { take } = start()
  const [a] = [await take('a', 'own'), await take('b', 'group', { group: 'jobs' })]
  expect(await rejection(take('c', 'own'))).toMatchObject({
    code: 'sandbox_full',
    message: expect.stringContaining('own a'),
  })
  const next = await take('a', 'own')
  a.release()
  next.release()
  expect(pidOf(await take('c', 'own'))).not.toBe(undefined)
})

it('a guest that may take much memory does not run in a process that may not', async () => {
  const { engine, take } = start()
  await take('a', 'group')
  const large = await take('b', 'group', { memory_mb: 1_024 })
  expect((large.place as ScriptedPlace).rss_mb_max).toBeGreaterThan(2_048)
  expect(engine.started[0]?.rss_mb_max).toBe(512)
})

it('where no sandbox can be made, nothing is given out; at the end all processes end', async () => {
  const { engine, places, take } = start()
  await take('a', 'own')
  places.close({ code: 'stopped', message: '', hint: '' })
  await expect.poll(() => engine.running).toEqual([])
  expect((await rejection(take('b', 'own'))).code).toBe('stopped')
  engine.missing = { code: 'sandbox_unavailable', message: 'no engine', hint: '' }
  for (const isolation of ['own', 'group', 'inline'] as const)
    expect(await rejection(take('a', isolation))).toMatchObject({ code: 'sandbox_unavailable', message: 'no engine' })
})
