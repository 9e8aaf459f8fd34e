/** The table training_log read back as figures: nothing trained yet, a known table, a live trainer, and its tool. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { DatabaseApi, ToolsApi } from '../../modules/contracts/services.ts'
import { trendOf, type Module as TrainingReport } from '../../modules/tasks/training_report.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const DATABASE = { 'configs/database.yml': 'prog: services/database\n' }
const REPORT = { 'configs/report.yml': 'api: training_report\nprog: tasks/training_report\n' }
const TRAINER = { 'configs/tasks/rl_trainer.yml': 'step_delay_seconds: 0.001\n' }
const TABLE =
  'CREATE TABLE training_log (id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER, loss REAL, learning_rate REAL, logged_at INTEGER)'

let system: TestSystem
let db: Handle<DatabaseApi>
let report: Handle<TrainingReport>
afterEach(() => system.stop())

async function start(files: Record<string, string> = {}): Promise<void> {
  system = await startSystem({ ...DATABASE, ...REPORT, ...files })
  db = system.getApi<DatabaseApi>('database')
  report = system.getApi<TrainingReport>('training_report')
}

async function trained(...losses: number[]): Promise<void> {
  await db.execute(TABLE.replace('TABLE', 'TABLE IF NOT EXISTS'))
  for (const [index, loss] of losses.entries())
    await db.execute('INSERT INTO training_log (step, loss, learning_rate, logged_at) VALUES (?, ?, 0.1, ?)', [
      index + 1,
      loss,
      1000 + index,
    ])
}

describe('before anything was trained', () => {
  const empty = {
    rows: 0,
    new_rows: 0,
    steps: 0,
    first_loss: null,
    last_loss: null,
    min_loss: null,
    mean_loss: null,
    best_loss_ever: null,
    trend: { rows: 0, slope: null, direction: 'unknown' },
    text: 'Nothing has been trained yet.',
  }

  it('a missing table is an empty report, not an error', async () => {
    await start()
    expect(await report.report()).toEqual(empty)
    expect(await report.history()).toEqual([])
    expect(await system.show('training_report')).toMatchObject({ state: 'live', last_error: null })
  })

  it('so is an empty table', async () => {
    await start()
    await trained()
    expect(await report.report()).toEqual(empty)
    expect(await report.history(5)).toEqual([])
  })

  it('a missing database is waited for', async () => {
    system = await startSystem(REPORT)
    expect(await system.show('training_report')).toMatchObject({ state: 'waiting', waiting_for: ['database'] })
    system.root.write('configs/database.yml', DATABASE['configs/database.yml'])
    await system.live('training_report')
    expect(await system.getApi<TrainingReport>('training_report').report()).toEqual(empty)
  })
})

describe('a report', () => {
  it('has the figures of all rows, and says them in words', async () => {
    await start()
    await trained(4, 1, 2, 1)
    expect(await report.report()).toEqual({
      rows: 4,
      new_rows: 4,
      steps: 4,
      first_loss: 4,
      last_loss: 1,
      min_loss: 1,
      mean_loss: 2,
      best_loss_ever: 1,
      trend: { rows: 4, slope: expect.closeTo(-0.8), direction: 'falling' },
      text: '4 rows (4 new), up to step 4: loss 4 → 1, best 1, mean 2; falling over the last 4.',
    })
  })

  it('makes the trend from the latest rows only', async () => {
    await start()
    await trained(9, 8, 7, 1, 2, 3)
    expect((await report.report()).trend.direction).toBe('falling')
    expect((await report.report({ last: 3 })).trend).toEqual({ rows: 3, slope: 1, direction: 'rising' })
  })

  it('counts what is new since the one before it, also when the table was made anew', async () => {
    await start()
    await trained(3, 2)
    expect(await report.report()).toMatchObject({ rows: 2, new_rows: 2 })
    expect(await report.report()).toMatchObject({ rows: 2, new_rows: 0 })
    await trained(1)
    expect(await report.report()).toMatchObject({ rows: 3, new_rows: 1 })
    await db.execute('DROP TABLE training_log')
    await trained(7)
    expect(await report.report()).toMatchObject({ rows: 1, new_rows: 1, min_loss: 7, best_loss_ever: 1 })
  })

  it('fits a table that is being written to', async () => {
    await start(TRAINER)
    // Calls of this process take no turn of the event loop, so the trainer's timer is given one.
    while ((await report.report()).rows < 5) await new Promise((resolve) => setImmediate(resolve))
    const { steps, rows, trend, text, first_loss: first, min_loss: min, last_loss: last } = await report.report()
    expect(steps).toBe(rows)
    expect(last).toBe(min)
    expect(last).toBeLessThan(first ?? 0)
    expect(trend.direction).toBe('falling')
    expect(text).toMatch(/^\d+ rows \(\d+ new\), up to step \d+: loss .* falling over the last \d+\.$/)
  })

  it.each([0, 1.5, 1001, '5'])('of the last %j rows is refused', async (last) => {
    await start()
    expect(await rejection(report.report({ last } as { last: number }))).toMatchObject({ code: 'bad_arguments' })
    expect(await rejection(report.history(last as number))).toMatchObject({ code: 'bad_arguments' })
  })
})

it('the history is the latest rows, oldest first', async () => {
  await start()
  await trained(4, 3, 2)
  expect(await report.history(2)).toEqual([
    { id: 2, step: 2, loss: 3, learning_rate: 0.1, logged_at: 1001 },
    { id: 3, step: 3, loss: 2, learning_rate: 0.1, logged_at: 1002 },
  ])
  expect(await report.history()).toHaveLength(3)
})

it('its tool is in the catalogue and answers with the report', async () => {
  await start({ 'configs/tools.yml': 'prog: services/tools\n' })
  await trained(2, 1)
  const tools = system.getApi<ToolsApi>('tools')
  expect((await tools.list()).tools.map(({ name }) => name)).toContain('training_report_summary')
  expect(await tools.invoke('training_report_summary', { last: 2 })).toMatchObject({
    status: 'success',
    value: { rows: 2, trend: { rows: 2, slope: -1 } },
  })
  expect(await tools.invoke('training_report_summary', { last: 1 })).toMatchObject({
    status: 'error',
    error: { code: 'bad_params' },
  })
})

describe('over its own reloads', () => {
  it('what it has seen is carried: rows stay seen, reports are counted on, and the best loss is kept', async () => {
    await start()
    await trained(3, 1, 2)
    await report.report()
    await db.execute('DELETE FROM training_log WHERE loss = 1')
    for (const generation of [2, 3, 4]) {
      expect(await system.reload('training_report')).toMatchObject({ ok: true, generation, state: 'carried' })
      expect(await report.status()).toEqual({ generation, last_id: 3, reports: generation - 1, best_loss: 1 })
      expect(await report.report()).toMatchObject({ rows: 2, new_rows: 0, min_loss: 2, best_loss_ever: 1 })
    }
    await trained(4)
    expect(await report.report()).toMatchObject({ rows: 3, new_rows: 1, best_loss_ever: 1 })
  })

  it('no report is lost from the count while callers go on asking', async () => {
    await start()
    await trained(2, 1)
    let asked = 0
    const enough = new AbortController()
    const caller = (async () => {
      for (; !enough.signal.aborted; asked++) {
        await report.report()
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let generation = 2; generation <= 20; generation++)
      expect(await system.reload('training_report')).toMatchObject({ ok: true, generation, state: 'carried' })
    enough.abort()
    await caller
    expect(await report.status()).toMatchObject({ reports: asked, generation: 20 })
  })

  it('state of a shape it does not know is refused, and the version that has it serves on', async () => {
    const older = `export class Module {
      static version = '0'
      report() { return 'of the older version' }
      handOver() { return { everything: true } }
    }`
    await start({ 'configs/report.yml': 'api: training_report\nprog: older\n', 'modules/older.ts': older })
    const refused = system.event('service.refused')
    system.root.write('configs/report.yml', REPORT['configs/report.yml'])
    expect((await refused).data['error']).toMatchObject({ code: 'hand_over_failed' })
    expect(await report.report()).toBe('of the older version')
  })
})

describe('the trend', () => {
  it.each([
    [[], 'unknown'],
    [[1], 'unknown'],
    [[1, 1, 1], 'flat'],
    [[100, 100.5, 100.2], 'flat'],
    [[1, 2], 'rising'],
    [[2, 5, 1, 0], 'falling'],
  ])('of %j is %s', (losses, direction) => {
    expect(trendOf(losses, 0.01)).toMatchObject({ rows: losses.length, direction })
  })
})
