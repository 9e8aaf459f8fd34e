/**
 * R7 on the database: the N-th call to SQLite fails, once or from then on, for every N, while a system starts, while its
 * services are reloaded, and while its kernel is swapped. No call ends without a code, what was acknowledged is there,
 * and everything runs when the fault is over.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { DatabaseApi } from '../../modules/contracts/services.ts'
import { codeOf } from '../../modules/lib/errors.ts'
import { databaseFaults, type DatabaseFaults } from '../support/database-faults.ts'
import { swapTo } from '../support/kernel-storm.ts'
import { tell } from '../support/nightly.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const CODES = ['SQLITE_IOERR_WRITE', 'SQLITE_FULL'] as const
const META = 'prog: kernel\nlimits: {disk_retry_ms: 50, sweep_ms: 50, queue_ms: 100}\n'

const notes = (version: number): string => `
export class Module {
  constructor(kernel) { this.database = kernel.getApi('database') }
  async init() { await this.database.execute('CREATE TABLE IF NOT EXISTS notes (n INTEGER PRIMARY KEY, twice INTEGER)') }
  async add(n) {
    await this.database.transaction([
      { sql: 'INSERT INTO notes VALUES (?, 0)', params: [n] },
      { sql: 'UPDATE notes SET twice = ? WHERE n = ?', params: [2 * n, n] },
    ])
  }
  version() { return ${version} }
}`

const FILES = {
  'configs/meta-v1.0.0.yml': META,
  'configs/database.yml': 'prog: services/database\n',
  'configs/notes.yml': 'needs: [database]\n',
  'modules/notes.js': notes(1),
}

type Scene = 'boot' | 'reload' | 'swap'
interface Notes {
  add(n: number): void
  version(): number
}

/** One system: what was acknowledged, what went wrong, and how many calls it made. */
class Story {
  readonly wrong: string[] = []
  private readonly scene: Scene
  private readonly faults: DatabaseFaults
  private readonly added = new Set<number>()
  private n = 0

  constructor(scene: Scene, faults: DatabaseFaults) {
    this.scene = scene
    this.faults = faults
  }

  /** The number of calls to SQLite while calls may fail. */
  async tell(failing: number, code: string, on: boolean): Promise<number> {
    const { scene, faults } = this
    faults.lift()
    if (scene === 'boot') faults.failAt(failing, code, on)
    const system = await startSystem(FILES)
    if (scene !== 'boot') {
      await this.add(system)
      faults.failAt(failing, code, on)
    }
    await this.play(system)
    const { calls } = faults
    faults.lift()
    await this.follows(system)
    await system.stop()
    return calls
  }

  private async play(system: TestSystem): Promise<void> {
    await this.add(system)
    if (this.scene === 'boot') return
    if (this.scene === 'swap') await swapTo(system, 1, undefined, META)
    else {
      for (const api of ['database', 'notes']) await system.reload(api)
      system.root.writeByRename('modules/notes.js', notes(2))
      await system.reload('notes')
    }
    await this.add(system)
  }

  private async add(system: TestSystem): Promise<void> {
    const n = ++this.n
    try {
      await system.getApi<Notes>('notes').add(n)
      this.added.add(n)
    } catch (thrown) {
      if (codeOf(thrown) === undefined) this.wrong.push(`add: ${String(thrown)}`)
    }
  }

  /** The fault is over: all runs as its files say, and every row that was acknowledged is there, and none in halves. */
  private async follows(system: TestSystem): Promise<void> {
    const version = this.scene === 'reload' ? 2 : 1
    await expect.poll(() => this.stale(system)).toEqual([])
    expect(await system.getApi<Notes>('notes').version()).toBe(version)
    await this.add(system)
    if (!this.added.has(this.n)) this.wrong.push('what is added afterwards is refused')
    const rows = await system.getApi<DatabaseApi>('database').query('SELECT n, twice FROM notes')
    const kept = new Set(rows.map((row) => row['n']))
    for (const n of this.added) if (!kept.has(n)) this.wrong.push(`${n} was acknowledged and is gone`)
    for (const row of rows) if (row['twice'] !== 2 * Number(row['n'])) this.wrong.push(`${String(row['n'])} is a half`)
  }

  private stale(system: TestSystem): string[] {
    return [...system.kernel.services.values()]
      .filter(({ state, refusal }) => state !== 'live' || refusal !== undefined)
      .map(({ api, state, refusal }) => `${api} is ${state}: ${refusal?.message}`)
  }
}

let faults: DatabaseFaults
beforeAll(async () => {
  faults = await databaseFaults()
})
afterAll(() => faults.restore())

it.each(['boot', 'reload', 'swap'] as const)('%s: whichever call to SQLite fails, all follows', async (scene) => {
  const calls = await new Story(scene, faults).tell(0, '', false)
  expect(calls).toBeGreaterThan(8)
  const wrong: string[] = []
  for (const code of CODES) {
    for (const on of [false, true]) {
      for (let failing = 1; failing <= calls; failing++) {
        const story = new Story(scene, faults)
        await story.tell(failing, code, on)
        wrong.push(...story.wrong.map((line) => `${code} at ${failing} of ${calls}${on ? ' and after' : ''}: ${line}`))
      }
    }
  }
  tell('R7', { scene, calls, runs: calls * CODES.length * 2, wrong: wrong.length })
  expect(wrong).toEqual([])
})
