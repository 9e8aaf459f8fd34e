/**
 * What a system is doing while it is killed: reloads by source and by config, kernels, undos and rollbacks, and all the
 * time writes of files and rows. Everything the system has acknowledged is written down here, and every text a file of a
 * human may hold; a call that fails while nothing was killed is written down as wrong.
 */
import { shortHash } from '../../modules/lib/hash.ts'
import type { RunningSystem } from './process.ts'
import type { TestRoot } from './root.ts'

export const KINDS = ['sources', 'configs', 'undo', 'rollback', 'kernel'] as const
export type Kind = (typeof KINDS)[number]

const SERVICES = 4
const FILES = 3
/** Long enough to be half written. */
const FILLING = 'x'.repeat(20_000)

const source = (version: number): string => `import { z } from 'zod'
import { shared } from './parts/shared.ts'
export const configSchema = z.object({
  value: z.number().default(0),
  level: z.number().meta({ volatile: true }).default(0),
})
export class Module {
  constructor(kernel, config) { this.config = config }
  configure(next) { this.config = next }
  version() { return ${version} }
  whole() { return shared }
}
`

export const START: Record<string, string> = {
  'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {fresh_ms: 150, sweep_ms: 50}\n',
  'configs/http.yml': 'prog: services/http\nport: 0\n',
  'configs/database.yml': 'prog: services/database\nfile: data.db\n',
  'configs/filesystem.yml': 'prog: services/filesystem\n',
  'modules/parts/shared.ts': 'export const shared = true\n',
  ...Object.fromEntries(['u', ...Array.from({ length: SERVICES }, (_, n) => `s${n}`)].flatMap(startOf)),
}

function startOf(api: string): [string, string][] {
  return [
    [`configs/${api}.yml`, `prog: ${api}\n`],
    [`modules/${api}.ts`, source(0)],
  ]
}

export class Work {
  private readonly root: TestRoot
  /** path → what a human left there; two texts while an undo is under way */
  readonly texts = new Map<string, string[]>(Object.entries(START).map(([file, text]) => [file, [text]]))
  /** path → number of the last write that was acknowledged */
  readonly files = new Map<string, number>()
  readonly rows = new Set<number>()
  /** versions `u` may be in */
  versions: number[] = [0]
  readonly wrong: string[] = []
  calls = 0
  /** also of what nobody acknowledged */
  last = 0
  /** of the newest kernel: 1.`minor`.0 */
  minor = 0
  private readonly waiting = new Map<() => void, number>()
  private killed = false
  private loops = 0

  constructor(root: TestRoot) {
    this.root = root
  }

  /** Resolves when nothing is under way any more, which is after the system was killed. */
  async run(kind: Kind, system: RunningSystem): Promise<void> {
    this.killed = false
    const works = { sources, configs, undo, rollback, kernel }
    await Promise.all([
      this.loop(kind, () => works[kind](this, system)),
      this.writeFiles(system),
      this.writeRows(system),
    ])
  }

  /** Resolves when so many calls were answered since the start of the round, or when none will be any more. */
  reached(calls: number): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.set(resolve, this.calls + calls)
      this.tell(0)
    })
  }

  private tell(more: number): void {
    this.calls += more
    for (const [resolve, calls] of this.waiting) {
      if (this.calls < calls && this.loops > 0) continue
      this.waiting.delete(resolve)
      resolve()
    }
  }

  /** From now on calls may fail. */
  end(): void {
    this.killed = true
  }

  put(file: string, text: string): void {
    this.texts.set(file, [text])
    this.root.writeByRename(file, text)
  }

  /** In place, as `sed -i` does not and most editors do. */
  overwrite(file: string, text: string): void {
    this.texts.set(file, [text])
    this.root.write(file, text)
  }

  newKernel(): void {
    const [old, next] = [`configs/meta-v1.${this.minor}.0.yml`, `configs/meta-v1.${++this.minor}.0.yml`]
    this.put(next, START['configs/meta-v1.0.0.yml'] ?? '')
    if (old === 'configs/meta-v1.0.0.yml') return
    this.texts.delete(old)
    this.root.remove(old)
  }

  private async loop(name: string, once: () => Promise<unknown>): Promise<void> {
    this.loops++
    try {
      while (!this.killed) {
        await once()
        this.tell(1)
      }
    } catch (thrown) {
      if (!this.killed) this.wrong.push(`${name}: ${String(thrown)}`)
    } finally {
      this.loops--
      this.tell(0)
    }
  }

  private writeFiles(system: RunningSystem): Promise<void> {
    return this.loop('write_file', async () => {
      const number = ++this.last
      const file = `data/f${number % FILES}.json`
      await system.call('filesystem', 'write_file', file, fileText(number))
      this.files.set(file, number)
    })
  }

  private writeRows(system: RunningSystem): Promise<void> {
    return this.loop('execute', async () => {
      const number = ++this.last
      await system.call('database', 'execute', 'insert into rows (id, text) values (?, ?)', [
        number,
        FILLING.slice(0, 500),
      ])
      this.rows.add(number)
    })
  }
}

async function sources(work: Work, system: RunningSystem): Promise<void> {
  const number = ++work.last
  const api = `s${number % SERVICES}`
  if (number % 2 === 0) work.put(`modules/${api}.ts`, source(number))
  else work.overwrite(`modules/${api}.ts`, source(number))
  await system.call(api, 'whole')
}

async function configs(work: Work, system: RunningSystem): Promise<void> {
  const number = ++work.last
  const api = `s${number % SERVICES}`
  // Every other time only a volatile key changes: that is no new version.
  work.put(`configs/${api}.yml`, `prog: ${api}\nvalue: ${number - (number % 2)}\nlevel: ${number}\n`)
  await system.call(api, 'whole')
}

/** Resolves with the version before, when the new one serves. */
async function changed(work: Work, system: RunningSystem): Promise<{ before: number; after: number }> {
  const before = await system.call<number>('u', 'version')
  const after = ++work.last
  work.versions = [before, after]
  work.put('modules/u.ts', source(after))
  while ((await system.call<number>('u', 'version')) !== after);
  work.versions = [after]
  return { before, after }
}

async function undo(work: Work, system: RunningSystem): Promise<void> {
  const { before, after } = await changed(work, system)
  const old = source(before)
  work.texts.set('modules/u.ts', [old, source(after)])
  work.versions = [before, after]
  await back(system, 'undo')
  work.texts.set('modules/u.ts', [old])
  work.versions = [before]
}

/** To a version that has just begun: nothing has kept it yet. */
async function rollback(work: Work, system: RunningSystem): Promise<void> {
  await changed(work, system)
  const { before, after } = await changed(work, system)
  work.versions = [before, after]
  await back(system, 'rollback')
  work.versions = [before]
}

async function back(system: RunningSystem, way: 'undo' | 'rollback'): Promise<void> {
  const { body } = await system.api<{ ok?: boolean }>('POST', `/api/services/u/${way}`)
  if (body.ok !== true) throw new Error(`${way}: ${JSON.stringify(body)}`)
}

/** One new kernel a round: that takes as long as a round. */
async function kernel(work: Work, system: RunningSystem): Promise<void> {
  work.newKernel()
  for (;;) await system.call('u', 'whole')
}

export function fileText(number: number): string {
  const filled = `${number} ${FILLING}`
  return JSON.stringify({ number, filled, hash: shortHash(filled) })
}
