/** Rows of AROS: a log of which a line cannot be read, and a database of which nothing can. In a system with its real metrics. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LedgerApi, LedgerCheck } from '../../../modules/contracts/ledger.ts'
import type { ControlMetricsApi } from '../../../modules/contracts/meta-metrics.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { CADENCE, configOf, startLoop, type Loop } from '../meta-loop/loop.ts'

const TOKEN = 'the-token-of-this-test-long-enough-to-be-one'

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(CADENCE, {
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/control/metrics.yml': 'api: control/metrics\nprog: control/metrics\n',
    'configs/control/meta-loop.yml': configOf(`${CADENCE}watch: {check_ms: 20, interval_seconds: 1000000}\n`),
    'runtime/token': `${TOKEN}\n`,
  })
})
afterEach(() => loop.stop())

const file = (name: string): string => join(loop.root.path, 'runtime/control', name)

async function get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const { url } = JSON.parse(loop.root.read('runtime/http.json')) as { url: string }
  const response = await fetch(`${url}/api/meta-loop/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const numbersOf = ({ body }: Awaited<ReturnType<typeof get>>): unknown[] =>
  (body['entries'] as { cycle_num: number }[]).map(({ cycle_num }) => cycle_num)

it('AROS 36: a line of the log that cannot be read is left out and told, and the others are read', async () => {
  for (let n = 0; n < 3; n++) await loop.cycle()
  const database = await openDatabase(file('meta-loop.db'), 1_000)
  database.prepare(`UPDATE attempts SET record = '{"number": 2, half' WHERE number = 2`).run([])
  database.close()
  const told = loop.system.event('meta.log_bad')
  expect(numbersOf(await get('evolution-log'))).toEqual([3, 1])
  expect((await told).data).toMatchObject({ row: 2 })
  expect(
    loop.system.log.filter(({ message }) => message.includes('row 2 of runtime/control/meta-loop.db')),
  ).toHaveLength(1)
  expect((await get('status')).body).toMatchObject({ last_cycle: { cycle_num: 3 } })
  // It was begun, and counts: the next has the next number.
  expect(await loop.cycle()).toMatchObject({ number: 4, status: 'completed' })
})

it('AROS 36: a row that was begun and cannot be read is closed at the next start, as one that failed', async () => {
  await loop.cycle()
  const database = await openDatabase(file('meta-loop.db'), 1_000)
  database.prepare(`UPDATE attempts SET record = 'half', open = 1`).run([])
  database.close()
  await loop.restart()
  expect((await loop.meta.cycles()).cycles).toMatchObject([
    { number: 1, status: 'failed', reason: 'the process ended while it ran' },
  ])
})

it('AROS 36: an entry of the ledger that cannot be read is left out and told, and the check says which it is', async () => {
  await loop.cycle()
  await loop.cycle()
  const ledger = (): Handle<LedgerApi> => loop.system.getApi<LedgerApi>('ledger')
  await loop.system.kernel.stop('test', 2_000)
  const bytes = readFileSync(file('ledger.db'))
  const at = bytes.indexOf(Buffer.from('{"action":"cycle_ended"'))
  bytes.write('x', at)
  writeFileSync(file('ledger.db'), bytes)
  await loop.restart()
  const check: LedgerCheck = await ledger().verify()
  expect(check).toMatchObject({ valid: false, fault: 'altered' })
  const left = await ledger().read({ limit: 1_000 })
  expect(left.some((entry) => entry.sequence === check.at)).toBe(false)
  expect(left).toHaveLength(3)
  expect((await ledger().cycles()).map(({ cycle }) => cycle)).toEqual(['meta-loop 2', 'meta-loop 1'])
  expect(
    loop.system.log.some(({ message }) => message.includes(`entry ${check.at} of the ledger cannot be read`)),
  ).toBe(true)
})

it('AROS 40: with a database that nobody can read the status answers, without scores and with the reason', async () => {
  const metrics = loop.system.getApi<ControlMetricsApi>('control/metrics')
  await metrics.record({ bot_id: 'default', type: 'task_complete', session_id: null, data: { retries: 0 } })
  await loop.cycle()
  expect((await get('status')).body).toMatchObject({ meta_goal_scores: { G3_reliable: 1 }, scores_source: 'live' })
  await loop.system.kernel.stop('test', 2_000)
  for (const rest of ['-wal', '-shm']) rmSync(file(`metrics.db${rest}`), { force: true })
  writeFileSync(file('metrics.db'), 'this is no database. '.repeat(1_000))
  await loop.restart()
  const { status, body } = await get('status')
  expect(status).toBe(200)
  expect(body).toMatchObject({
    meta_goal_scores: null,
    scores_source: 'error',
    l1_metrics: null,
    last_cycle: { cycle_num: 1 },
  })
  expect(body['meta_goal_error']).toContain('control/metrics')
  expect((await loop.system.show('control/metrics')).last_error?.message).toContain('not a database')
})
