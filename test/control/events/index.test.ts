/** Signed events: kept over a restart under a seal, given out only as they were taken, and no more at once than fits. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Handle } from '../../../modules/contracts/module.ts'
import type { SignedEventsApi } from '../../../modules/contracts/signed-events.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { rejection, startSystem } from '../../support/system.ts'
import { GATE_FILES, signed, startGate, type Gate } from '../gate-system.ts'

const CONFIG = GATE_FILES['configs/control/events.yml'] ?? ''

let gate: Gate
let events: Handle<SignedEventsApi>
beforeEach(async () => {
  gate = await startGate({ 'configs/fails.yml': '', 'modules/fails.mjs': FAILS })
  events = gate.getApi('events')
})
afterEach(() => gate.stop())

const FAILS = 'export class Module { now() { throw new Error("it does") } }\n'
const send = (n: number, type = 'task_failed'): Promise<unknown> =>
  events.publish(signed('probe', { id: `e${n}`, type, payload: { n } }))

async function configure(text: string): Promise<void> {
  gate.root.write('configs/control/events.yml', text)
  expect(await gate.reload('events')).toMatchObject({ error: null })
}

it('what is kept outlives the process, what is not is only sent on', async () => {
  await Promise.all([send(1), send(2), send(3, 'decision.made')])
  expect(await events.read()).toMatchObject([{ sequence: 1, payload: { n: 1 } }, { sequence: 2 }])
  expect(statSync(join(gate.root.path, 'runtime/control/events.key')).mode & 0o777).toBe(0o600)
  await gate.kernel.stop('test', 2_000)
  const again = await startSystem(gate.root)
  const api = again.getApi<SignedEventsApi>('events')
  expect(await api.read({ type: 'task_failed', after: 1 })).toMatchObject([{ sequence: 2, payload: { n: 2 } }])
  await again.kernel.stop('test', 2_000)
})

it('an id is known over a reload', async () => {
  await send(1)
  await gate.reload('events')
  expect((await rejection(send(1))).message).toContain('seen before')
})

it('a kept event that somebody wrote or changed is not given out', async () => {
  await Promise.all([send(1), send(2)])
  const connection = await openDatabase(join(gate.root.path, 'runtime/control/events.db'), 1_000)
  connection.prepare(`UPDATE events SET text = replace(text, '"n":1', '"n":9') WHERE sequence = 1`).run([])
  connection.prepare(`INSERT INTO events (text, seal) SELECT text, '0' FROM events WHERE sequence = 2`).run([])
  connection.close()
  expect(await events.read()).toMatchObject([{ sequence: 2, payload: { n: 2 } }])
  expect(await events.counts()).toMatchObject({ altered: 2 })
})

it("events of the system's own are kept where the config names them", async () => {
  await configure(`${CONFIG}keep: [call.failed]\n`)
  await rejection(gate.getApi<{ now(): void }>('fails').now())
  await expect.poll(() => events.read({ type: 'call.failed' })).toMatchObject([{ source: 'kernel', trust: 1 }])
})

it('no more wait, are as large, or are kept than the config says', async () => {
  await configure(`${CONFIG}waiting_max: 2\nevent_bytes_max: 400\nkept_max: 3\n`)
  const sent = await Promise.allSettled([send(1), send(2), send(3)])
  expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  const [, , third] = sent as PromiseRejectedResult[]
  expect(third?.reason).toMatchObject({ code: 'events_full' })
  const large = signed('probe', { type: 'task_failed', payload: { text: 'x'.repeat(400) } })
  expect((await rejection(events.publish(large))).code).toBe('event_invalid')
  for (let n = 4; n < 9; n++) await send(n)
  expect((await events.read()).map(({ payload }) => payload['n'])).toEqual([6, 7, 8])
})

it('without the record of refusals nothing is refused quietly', async () => {
  const head = join(gate.root.path, 'runtime/control/ledger.head')
  gate.root.remove('runtime/control/ledger.head')
  gate.root.write('runtime/control/ledger.head/full', '')
  const { code } = await rejection(events.publish({ ...signed('probe', { type: 'alert' }), source: 'nobody' }))
  expect([code === 'event_refused', statSync(head).isDirectory()]).toEqual([false, true])
  expect(await events.read()).toEqual([])
})
