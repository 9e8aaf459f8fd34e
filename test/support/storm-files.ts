/**
 * The file storm: a system with a thousand configs, a thread that changes all of them at once, callers that go on
 * meanwhile, and what is wrong at the end of each wave. Used at the gate, each night, and by the benchmark.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ErrorData } from '../../modules/contracts/errors.ts'
import { random, underCalls, type Random } from './load.ts'
import { packageRoot } from './root.ts'
import { createSlots, fileOf, planWave, validText, type Op, type Slot } from './storm-plan.ts'
import { startSystem, type TestSystem } from './system.ts'

const CALLERS = 8
/** how long a wave may take to come to rest before it is said what has not */
const REST_MS = 30_000
const LOOK_MS = 10

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export interface WaveReport {
  /** from the last write until everything was as it has to be */
  converged_ms: number
  calls: number
  failed: string[]
  /** what was not as it had to be */
  wrong: string[]
}

export class FileStorm {
  readonly slots: Slot[]
  private readonly system: TestSystem
  private readonly writer: Worker
  private readonly chance: Random
  /** `api value` → how often it went live */
  private readonly loads = new Map<string, number>()
  private wave = 0

  static async start(seed: number, files: number): Promise<FileStorm> {
    const slots = createSlots(files)
    const configs = Object.fromEntries(slots.map((slot) => [fileOf(slot), validText(slot.n)]))
    const probe = readFileSync(join(packageRoot, 'test/fixtures/storm/probe.ts'), 'utf8')
    const system = await startSystem({ ...configs, 'modules/probe.ts': probe, 'store/README': '' })
    return new FileStorm(system, slots, random(seed))
  }

  private constructor(system: TestSystem, slots: Slot[], chance: Random) {
    this.system = system
    this.slots = slots
    this.chance = chance
    this.writer = new Worker(join(packageRoot, 'test/fixtures/storm/writer.mjs'))
    system.kernel.events.on('service.live', ({ data }) => {
      const key = `${String(data['api'])} ${String(this.valueOf(String(data['api'])))}`
      this.loads.set(key, (this.loads.get(key) ?? 0) + 1)
    })
  }

  async stop(): Promise<void> {
    await this.writer.terminate()
    await this.system.stop()
  }

  /** One wave, from the first write until everything is as it has to be. */
  async run(): Promise<WaveReport> {
    const before = new Map(this.slots.map((slot) => [slot.n, { ...slot }]))
    const { ops } = planWave(this.slots, ++this.wave, this.chance)
    const steady = this.slots.filter((slot) => slot.steady && before.get(slot.n)?.good !== undefined)
    this.loads.clear()
    let report: Pick<WaveReport, 'converged_ms' | 'wrong'> = { converged_ms: 0, wrong: [] }
    const { calls, failed } = await underCalls(
      CALLERS,
      async () => {
        const slot = steady[this.chance.between(0, steady.length - 1)] as Slot
        const value = await this.system.getApi<{ value(): number }>(slot.api).value()
        const fits = [slot.good, before.get(slot.n)?.good].includes(value)
        if (!fits) throw new Error(`${slot.api} answered ${value}`)
        await pause(1)
      },
      async () => {
        const lastWrite = await this.write(ops)
        report = await this.untilRest(lastWrite)
      },
    )
    return { ...report, calls, failed }
  }

  private write(ops: readonly Op[]): Promise<number> {
    const at = (path: string): string => join(this.system.root.path, path)
    const absolute = ops.map((op) => ({
      ...op,
      path: at(op.path),
      ...(op.do === 'move' ? { to: at(op.to ?? '') } : {}),
    }))
    // It rejects when the thread ends with an error, and leaves no listener behind.
    const written = once(this.writer, 'message').then(([lastWrite]) => lastWrite as number)
    this.writer.postMessage(absolute, [])
    return written
  }

  private async untilRest(lastWrite: number): Promise<Pick<WaveReport, 'converged_ms' | 'wrong'>> {
    const now = (): number => performance.timeOrigin + performance.now()
    let open = [...this.slots]
    while (open.length > 0 && now() - lastWrite < REST_MS) {
      const errors = this.configErrors()
      open = open.filter((slot) => this.notYet(slot, errors) !== undefined)
      if (open.length > 0) await pause(LOOK_MS)
    }
    const converged_ms = now() - lastWrite
    // What was right once has to be right now, too.
    const errors = this.configErrors()
    const wrong = this.slots.flatMap((slot) => this.notYet(slot, errors) ?? this.wrongLoads(slot) ?? [])
    return { converged_ms, wrong }
  }

  private configErrors(): Map<string, ErrorData> {
    return new Map(this.system.kernel.status().config_errors.map((error) => [error.file ?? '', error]))
  }

  private valueOf(api: string): unknown {
    return this.system.kernel.services.get(api)?.live?.desired.params['value']
  }

  private notYet(slot: Slot, errors: ReadonlyMap<string, ErrorData>): string | undefined {
    const { api, wanted, good } = slot
    const service = this.system.kernel.services.get(api)
    const state = service?.state ?? 'stopped'
    if (wanted === undefined) return state === 'stopped' ? undefined : `${api} is gone from the disk, and ${state}`
    const value = this.valueOf(api)
    if (value !== good) return `${api} has ${String(value)} instead of ${String(good)}`
    if (good !== undefined && state !== 'live') return `${api} is ${state}`
    const error = errors.get(fileOf(slot)) ?? service?.refusal
    if (wanted === 'valid') return error === undefined ? undefined : `${api} is valid, and refused: ${error.message}`
    if (error?.code !== wanted.code) return `${api} should be refused with ${wanted.code}, not ${String(error?.code)}`
    const { file, line = 0, column = 0 } = error
    return file === fileOf(slot) && line > 0 && column > 0 ? undefined : `${api}: ${file}:${line}:${column} is no place`
  }

  /** A value that went live did so once; twice at most, when the file was seen half written. */
  private wrongLoads({ api, wanted, good }: Slot): string | undefined {
    const times = this.loads.get(`${api} ${String(good)}`) ?? 0
    const most = wanted === 'valid' ? 2 : 0
    return times > most ? `${api} went live ${times} times with ${String(good)}` : undefined
  }
}
