/**
 * R5: a system in a root of its own is killed with SIGKILL again and again, the child, the parent, or both, at random
 * points of its work (`kill-work.ts`), and looked at after each: files old or new whole, everything acknowledged there,
 * all services answer, nothing left over. The choices follow from the seed; the exact point is the machine's.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { shortHash } from '../../modules/lib/hash.ts'
import { LAST_GOOD_FOLDER, LAST_GOOD_TEXTS, parseLastGood } from '../../modules/lib/last-good.ts'
import { isRunning } from '../../modules/lib/lock.ts'
import { openDatabase } from '../../modules/lib/sqlite.ts'
import { findDrafts } from '../../modules/lib/whole-file.ts'
import { fileText, KINDS, START, Work, type Kind } from './kill-work.ts'
import { random, type Random } from './load.ts'
import { startProcess, type RunningSystem } from './process.ts'
import { createRoot, type TestRoot } from './root.ts'

/** Texts that no record names: those of versions that were replaced lately. */
const LOOSE_TEXTS_MAX = 20

function textsNamedIn(path: string): string[] {
  const record = parseLastGood(readFileSync(path, 'utf8'))
  return typeof record === 'string' ? [] : Object.values(record.files)
}

/** Kernels are confirmed soon, so that a kill also comes after that. */
const SHORT = { MM_PROBATION_MS: '300' }
const VICTIMS = ['child', 'child', 'child', 'parent', 'both'] as const
/** A parent gives up after five restarts within a minute. */
const CHILD_KILLS_MAX = 3
const ROWS_PER_LOOK = 900
/** The kill comes after up to so many answered calls of the round, and up to so many milliseconds. */
const CALLS_MAX = 30
const PAUSE_MS_MAX = 40
/** How far a new kernel is when the kill comes. */
const KERNEL_STEPS = ['is tried', 'paused', 'is confirmed'] as const
const KERNEL_PAUSE_MS_MAX = 400

export interface KillReport {
  seed: number
  points: number
  by: Record<string, number>
  calls: number
  files: number
  rows: number
  /** from the start of `mm up` until all services are live */
  start_ms: number[]
  /** from the kill of the child, the parent's pause included */
  restart_ms: number[]
  wrong: string[]
}

export class KillRun {
  readonly report: KillReport
  private readonly root: TestRoot
  private readonly work: Work
  private readonly random: Random
  private system: RunningSystem
  private childKills = 0
  private readonly rowsSeen = new Set<number>()

  static async start(seed: number): Promise<KillRun> {
    const root = createRoot(START)
    const began = performance.now()
    const run = new KillRun(seed, root, await startProcess(root, { env: SHORT }))
    unended.add(run)
    run.report.start_ms.push(performance.now() - began)
    await run.system.call('database', 'execute', 'create table rows (id integer primary key, text text)')
    return run
  }

  private constructor(seed: number, root: TestRoot, system: RunningSystem) {
    this.root = root
    this.system = system
    this.work = new Work(root)
    this.random = random(seed)
    const numbers = { points: 0, calls: 0, files: 0, rows: 0 }
    this.report = { seed, ...numbers, by: {}, start_ms: [], restart_ms: [], wrong: this.work.wrong }
  }

  async point(): Promise<void> {
    const kind = KINDS[this.random.between(0, KINDS.length - 1)] ?? 'sources'
    const chosen = VICTIMS[this.random.between(0, VICTIMS.length - 1)] ?? 'child'
    const victim = chosen === 'child' && this.childKills === CHILD_KILLS_MAX ? 'both' : chosen
    const known = this.work.wrong.length
    const { childPid } = this.system
    const under = this.work.run(kind, this.system)
    const when = await this.moment(kind)
    this.work.end()
    await this.kill(victim)
    await under
    await this.look(childPid)
    this.report.points++
    const name = `${kind} ${victim}`
    this.report.by[name] = (this.report.by[name] ?? 0) + 1
    for (let at = known; at < this.work.wrong.length; at++)
      this.work.wrong[at] = `point ${this.report.points}, ${name} after ${when}: ${this.work.wrong[at]}`
  }

  /** Resolves when the kill is due, with what was waited for. */
  private async moment(kind: Kind): Promise<string> {
    const isKernel = kind === 'kernel'
    const step = KERNEL_STEPS[this.random.between(0, KERNEL_STEPS.length - 1)]
    const calls = this.random.between(0, CALLS_MAX)
    const pause = this.random.between(0, isKernel ? KERNEL_PAUSE_MS_MAX : PAUSE_MS_MAX)
    const line = new RegExp(`1\\.${this.work.minor}\\.0.* ${step}`)
    if (isKernel) await this.system.line(line)
    else await this.work.reached(calls)
    await new Promise((resolve) => setTimeout(resolve, pause))
    return `${isKernel ? line.source : `${calls} calls`} and ${pause} ms`
  }

  /** Resolves when the system is there again. */
  private async kill(victim: 'child' | 'parent' | 'both'): Promise<void> {
    const { pid, childPid, exited } = this.system
    const began = performance.now()
    if (victim !== 'parent') process.kill(childPid, 'SIGKILL')
    if (victim === 'child') {
      await this.system.restarted(++this.childKills)
      this.report.restart_ms.push(performance.now() - began)
      return
    }
    process.kill(pid, 'SIGKILL')
    // The next one finds the root as it is, perhaps with the system still at its orderly end.
    await Promise.race([exited, new Promise((resolve) => setImmediate(resolve))])
    this.childKills = 0
    const start = performance.now()
    this.system = await startProcess(this.root, { env: SHORT })
    this.report.start_ms.push(performance.now() - start)
  }

  private async look(oldChild: number): Promise<void> {
    this.check('the process before is gone', !isRunning(oldChild))
    this.lookAtTexts()
    this.lookAtFiles()
    this.lookAtRuntime()
    await this.lookAtRows()
    await this.lookAtServices()
    await this.lookForDrafts()
  }

  private check(what: string, isSo: boolean, found: unknown = ''): void {
    if (!isSo) this.work.wrong.push(`not so: ${what} ${JSON.stringify(found) ?? ''}`)
  }

  /** What a human wrote is what is there; an undo that was cut off has written its file or not. */
  private lookAtTexts(): void {
    for (const [file, texts] of this.work.texts) {
      const path = join(this.root.path, file)
      const text = existsSync(path) ? readFileSync(path, 'utf8') : undefined
      this.check(`${file} is as it was left`, text !== undefined && texts.includes(text), text?.slice(0, 200))
      if (text !== undefined) this.work.texts.set(file, [text])
    }
  }

  private lookAtFiles(): void {
    for (const [file, acked] of this.work.files) {
      const text = readFileSync(join(this.root.path, file), 'utf8')
      const [, number = 0] = (/^\{"number":(\d+),/.exec(text) ?? []).map(Number)
      this.check(`${file} is whole`, text === fileText(number), text.slice(0, 100))
      this.check(`${file} holds what was acknowledged, or newer`, number >= acked, { number, acked })
      this.work.files.set(file, Math.max(number, acked))
      this.report.files++
    }
  }

  /** All JSON of runtime/ can be read, and what is kept as last good is whole. */
  private lookAtRuntime(): void {
    const folder = join(this.root.path, 'runtime')
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.json') || one === 'lock')) {
      const text = readFileSync(join(folder, name), 'utf8')
      this.check(`runtime/${name} is JSON`, isJson(text), text.slice(0, 100))
    }
    const kept = join(this.root.path, LAST_GOOD_FOLDER)
    for (const name of existsSync(kept) ? readdirSync(kept).filter((one) => one.endsWith('.json')) : []) {
      const texts = textsNamedIn(join(kept, name))
      const isKept = (hash: string): boolean => {
        const path = join(kept, LAST_GOOD_TEXTS, hash)
        return existsSync(path) && shortHash(readFileSync(path, 'utf8')) === hash
      }
      this.check(`${name} is whole`, texts.length > 0 && texts.every(isKept), texts)
    }
  }

  private async lookAtRows(): Promise<void> {
    for (let seen = Math.max(0, ...this.rowsSeen); ; ) {
      const sql = `select id from rows where id > ? order by id limit ${ROWS_PER_LOOK}`
      const rows = await this.system.call<{ id: number }[]>('database', 'query', sql, [seen])
      for (const { id } of rows) this.rowsSeen.add(id)
      seen = rows.at(-1)?.id ?? seen
      if (rows.length < ROWS_PER_LOOK) break
    }
    const lost = [...this.work.rows].filter((id) => !this.rowsSeen.has(id))
    this.check('every row that was acknowledged is there', lost.length === 0, lost.slice(0, 5))
    this.report.rows += this.work.rows.size
    this.work.rows.clear()
    const sql = 'select count(*) as count from rows'
    const [counted] = await this.system.call<{ count: number }[]>('database', 'query', sql)
    this.check('no row has gone since', counted?.count === this.rowsSeen.size, counted)
  }

  private async lookAtServices(): Promise<void> {
    const { services } = (await this.system.api<{ services: { api: string; state: string }[] }>('GET', '/api/services'))
      .body
    const others = services.filter(({ state }) => state !== 'live')
    this.check('every service is live', others.length === 0 && services.length > 0, others)
    const version = await this.system.call<number>('u', 'version').catch(String)
    this.check(
      'u is in a version it may be in',
      this.work.versions.some((one) => one === version),
      {
        version,
        may: this.work.versions,
      },
    )
    if (typeof version === 'number') this.work.versions = [version]
  }

  /** They are removed in the background, when all services are live. */
  private async lookForDrafts(): Promise<void> {
    await expect.poll(() => findDrafts(this.root.path, this.startedAt()), { timeout: 10_000 }).toEqual([])
  }

  private startedAt(): number {
    return statSync(join(this.root.path, 'runtime/http.json')).mtimeMs - 60_000
  }

  /** An orderly stop: the root is free, and what is left has a name that is known. */
  async end(): Promise<KillReport> {
    unended.delete(this)
    try {
      this.check('an orderly stop ends with 0', (await this.system.stop()) === 0)
      const left = readdirSync(join(this.root.path, 'runtime')).sort()
      const known = ['cache', 'data.db', 'last-good', 'logs', 'refused.json', 'token']
      this.check(
        'runtime/ holds what it should',
        left.every((name) => known.includes(name)),
        left,
      )
      this.check('the database is whole', await isWhole(join(this.root.path, 'runtime/data.db')))
      const kept = join(this.root.path, LAST_GOOD_FOLDER)
      const records = readdirSync(kept).filter((name) => name.endsWith('.json'))
      const named = new Set(records.flatMap((name) => textsNamedIn(join(kept, name))))
      const loose = readdirSync(join(kept, LAST_GOOD_TEXTS)).filter((hash) => !named.has(hash))
      this.check('texts of last good versions do not pile up', loose.length < LOOSE_TEXTS_MAX, loose.length)
      this.report.calls = this.work.calls
    } finally {
      this.root.dispose()
    }
    return this.report
  }
}

async function isWhole(file: string): Promise<boolean> {
  const connection = await openDatabase(file, 1_000)
  const said = connection.pragma('integrity_check')
  connection.close()
  return JSON.stringify(said) === '[{"integrity_check":"ok"}]'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const unended = new Set<KillRun>()

/** What a test that failed or took too long has left running. */
export async function endKilling(): Promise<void> {
  await Promise.all([...unended].map((run) => run.end()))
}

/** Side by side, each in a root of its own. */
export async function killAgainAndAgain(seed: number, points: number, lanes: number): Promise<KillReport[]> {
  const work = Array.from({ length: lanes }, async (_, lane) => {
    const run = await KillRun.start(seed + lane)
    const share = Math.floor(points / lanes) + (lane < points % lanes ? 1 : 0)
    try {
      for (let point = 0; point < share; point++) await run.point()
    } catch (thrown) {
      run.report.wrong.push(String((thrown as Error).stack))
    }
    return run.end()
  })
  return Promise.all(work)
}
