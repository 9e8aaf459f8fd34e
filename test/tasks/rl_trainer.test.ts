/** The paper's sample of background work: it waits for the database, logs falling losses, and takes a new rate live. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { DatabaseApi } from '../../modules/contracts/services.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const TRAINER = 'configs/tasks/rl_trainer.yml'
const DATABASE = 'prog: services/database\nrows_max: 100000\n'
const config = (rate: number): string => `learning_rate: ${rate}\nstep_delay_seconds: 0.001\n`

interface Step {
  step: number
  loss: number
  learning_rate: number
}

let system: TestSystem
let db: Handle<DatabaseApi>

async function start(files: Record<string, string>): Promise<void> {
  system = await startSystem(files)
  db = system.getApi<DatabaseApi>('database')
}

afterEach(() => system.stop())

const logged = async (where: string): Promise<Step[]> =>
  (await db.query(`SELECT step, loss, learning_rate FROM training_log WHERE ${where} ORDER BY id`)) as unknown as Step[]

/** Resolves with the rows when there are this many; the test's own timeout is the end of it. */
async function rows(count: number, where = 'TRUE'): Promise<Step[]> {
  for (;;) {
    const found = await logged(where)
    if (found.length >= count) return found
    await new Promise((resolve) => setImmediate(resolve))
  }
}

it('it writes a loss that falls with each step to the table training_log', async () => {
  await start({ 'configs/database.yml': DATABASE, [TRAINER]: config(0.01) })
  const steps = await rows(10)
  expect(steps.map(({ step }) => step)).toEqual(steps.map((_, index) => index + 1))
  for (const [index, { loss, learning_rate }] of steps.entries()) {
    expect(learning_rate).toBe(0.01)
    expect(loss).toBeGreaterThan(0)
    if (index > 0) expect(loss).toBeLessThan(steps[index - 1]?.loss ?? 0)
  }
})

it('its name and module come from the path of its config', async () => {
  await start({ 'configs/database.yml': DATABASE, [TRAINER]: config(0.01) })
  expect(await system.show('tasks/rl_trainer')).toMatchObject({
    state: 'live',
    prog: 'tasks/rl_trainer',
    needs: ['database'],
  })
  expect(await system.show('tasks/rl_trainer')).toMatchObject({ tasks: 1 })
})

describe('the database', () => {
  it('is waited for, and the wait is shown, until it exists', async () => {
    await start({ [TRAINER]: config(0.01) })
    expect(await system.show('tasks/rl_trainer')).toMatchObject({
      state: 'waiting',
      waiting_for: ['database'],
      generation: null,
    })
    system.root.write('configs/database.yml', DATABASE)
    await system.live('tasks/rl_trainer')
    expect(await rows(2)).toHaveLength(2)
    expect(await system.show('tasks/rl_trainer')).toMatchObject({ state: 'live', waiting_for: [], last_error: null })
  })

  it('may be reloaded while steps are written: the trainer is not restarted and no step is lost', async () => {
    await start({ 'configs/database.yml': DATABASE, [TRAINER]: config(0.01) })
    await rows(2)
    for (const generation of [2, 3, 4]) {
      system.root.write(
        'configs/database.yml',
        `${DATABASE}description: edit ${generation}\nbusy_ms: ${1000 + generation}\n`,
      )
      await system.live('database', generation)
    }
    const [last] = (await rows(1)).slice(-1)
    const steps = await rows((last?.step ?? 0) + 3)
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, index) => index + 1))
    expect(await system.show('tasks/rl_trainer')).toMatchObject({ generation: 1, last_error: null })
  })
})

describe('an edit of the config', () => {
  it('changes the learning rate of the next steps, and the old loop writes no more', async () => {
    await start({ 'configs/database.yml': DATABASE, [TRAINER]: config(0.01) })
    await rows(2)
    system.root.write(TRAINER, config(0.5))
    await system.live('tasks/rl_trainer', 2)
    await rows(3, 'learning_rate = 0.5')
    const all = await rows(1)
    const firstNew = all.findIndex(({ learning_rate }) => learning_rate === 0.5)
    expect(all.slice(firstNew).every(({ learning_rate }) => learning_rate === 0.5)).toBe(true)
    expect(await system.getApi('tasks/rl_trainer')['status']?.()).toMatchObject({ learning_rate: 0.5 })
  })

  it('that is wrong is refused, and the training goes on with the old rate', async () => {
    await start({ 'configs/database.yml': DATABASE, [TRAINER]: config(0.01) })
    const refused = system.event('service.refused')
    system.root.write(TRAINER, 'learning_rate: fast\n')
    expect((await refused).data['error']).toMatchObject({ code: 'config_invalid', file: TRAINER, line: 1 })
    const before = await rows(1)
    expect((await rows(before.length + 2)).every(({ learning_rate }) => learning_rate === 0.01)).toBe(true)
  })
})

it('when its config goes, its loop ends and writes nothing more', async () => {
  await start({ 'configs/database.yml': DATABASE, [TRAINER]: config(0.01) })
  await rows(2)
  const gone = system.event('service.stopped')
  system.root.remove(TRAINER)
  await gone
  const before = await logged('learning_rate = 0.01')
  // Another one at the same pace: by the time of its tenth step, the first would have made one too.
  system.root.write('configs/other.yml', `prog: tasks/rl_trainer\n${config(0.9)}`)
  await rows(10, 'learning_rate = 0.9')
  expect(await logged('learning_rate = 0.01')).toEqual(before)
  expect(await system.getApi('kernel')['tree']?.()).not.toContain('tasks/rl_trainer')
})
