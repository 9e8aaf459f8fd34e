/**
 * What happens to a simulated system, step by step, as the seed says: people save files, callers call, somebody asks
 * for a reload, disks fail, the clock is set, time passes. A step is one of these, and what the seed lets run after it.
 */
import type { FreezeScope } from '../../modules/contracts/kernel.ts'
import type { Random } from '../support/load.ts'
import { settled } from './clock.ts'
import { APIS, Files, type FileHabits } from './files.ts'
import { coded } from '../../modules/lib/errors.ts'
import { diskError } from './memory-fs.ts'
import { ownError } from './modules.ts'
import type { World } from './world.ts'

/** How lively a seed is: drawn once, so that some seeds are calm and some are wild. */
export interface Temper extends FileHabits {
  files: number
  calls: number
  asks: number
  faults: number
  freezes: number
  kernels: number
}

export function temperOf(random: Random): Temper {
  const pick = (...values: number[]): number => values[random.between(0, values.length - 1)] as number
  return {
    files: pick(1, 3, 6),
    calls: pick(1, 4, 8),
    asks: pick(0, 0.5, 1.5),
    faults: pick(0, 0, 0.5),
    freezes: pick(0, 0.2),
    kernels: pick(0, 0.2, 0.5),
    broken: pick(0, 0.05, 0.2),
    wrong: pick(0, 0.05, 0.2),
    halves: pick(0, 0.1, 0.4),
    richness: pick(0.3, 1, 1.5),
  }
}

const CALLERS = ['one', 'two', 'three', 'http']
const METHODS = ['now', 'slow', 'sleepy', 'add', 'add', 'fails', 'throws', 'thenable', 'via', 'stream', 'extra', 'ask']
const WAITS = [0, 0, 1, 3, 9, 30, 120, 700, 6_000, 40_000]
const ERRORS = ['EIO', 'EACCES', 'EMFILE']

export class Operations {
  readonly files: Files
  private readonly world: World
  private readonly random: Random
  private readonly weights: readonly (readonly [weight: number, step: () => string])[]

  constructor(world: World, random: Random, temper: Temper) {
    this.world = world
    this.random = random
    this.files = new Files(world, random, temper)
    this.weights = [
      [temper.files, () => this.files.one()],
      [temper.files * 0.1, () => this.files.checkout()],
      [temper.calls, () => this.calls()],
      [temper.asks, () => this.ask()],
      [temper.faults, () => this.fault()],
      [temper.freezes, () => this.freeze()],
      [temper.kernels, () => this.kernel()],
      [0.2, () => this.lateError()],
      [0.1, () => this.setClock()],
      [2, () => 'nothing'],
    ]
  }

  private pick<T>(list: readonly T[]): T {
    return this.files.pick(list)
  }

  async step(): Promise<void> {
    let roll = this.random.next() * this.weights.reduce((sum, [weight]) => sum + weight, 0)
    const chosen = this.weights.find(([weight]) => (roll -= weight) < 0) ?? this.weights.at(-1)
    const what = chosen?.[1]() ?? 'nothing'
    this.world.record({ kind: 'did', what })
    await this.pass()
    this.world.lookAtQueues()
  }

  /** What runs before the next step: nothing at all, one callback, or what falls into some time. */
  private async pass(): Promise<void> {
    const { clock } = this.world
    const roll = this.random.next()
    if (roll < 0.1) return
    if (roll < 0.2) await settled()
    else if (roll < 0.35) await clock.step(clock.monotonic())
    else if (roll < 0.5) await clock.turn()
    else if (roll < 0.75) await clock.advance(this.random.between(1, 20))
    else if (roll < 0.93) await clock.advance(this.random.between(50, 400))
    else if (roll < 0.99) await clock.advance(this.random.between(1_000, 3_000))
    else await clock.advance(this.random.between(10_000, 40_000))
  }

  private calls(): string {
    const { random, world } = this
    const made: string[] = []
    for (let left = random.between(1, 6); left > 0; left--) {
      const api = random.next() < 0.03 ? 'nobody' : this.pick(APIS)
      const method = random.next() < 0.02 ? this.pick(['_actor', 'init', 'none']) : this.pick(METHODS)
      world.callFrom(this.pick(CALLERS), api, method, this.argumentsOf(method), this.extras(method))
      made.push(`${api}.${method}`)
    }
    return `calls ${made.join(' ')}`
  }

  private argumentsOf(method: string): unknown[] {
    const ms = this.pick(WAITS)
    switch (method) {
      case 'via':
        return [this.pick(APIS), this.pick(['slow', 'add', 'now', 'fails']), ms]
      case 'ask':
        return [this.pick(['reload', 'reload', 'rollback']), this.pick(APIS)]
      case 'stream':
        return [this.random.between(0, 6), Math.min(ms, 700)]
      default:
        return [ms]
    }
  }

  private extras(method: string): { deadlineMs?: number; detail?: boolean; items?: number; signal?: AbortSignal } {
    const { random } = this
    if (method === 'stream') return random.next() < 0.2 ? { items: 2 } : {}
    const roll = random.next()
    if (roll < 0.1) return { detail: true }
    if (roll < 0.17) return { deadlineMs: this.pick([1, 50, 2_000]) }
    if (roll > 0.03 + 0.17) return {}
    const abort = new AbortController()
    this.world.clock.after(random.between(0, 300), () => abort.abort())
    return { signal: abort.signal }
  }

  private ask(): string {
    const what = this.pick(['reload', 'reload', 'reload', 'rollback', 'undo'])
    const api = this.pick(APIS)
    this.world.askFrom(this.pick(CALLERS), what, api)
    return `${what} ${api}`
  }

  /** For a while a share of what the disk and the loader are asked for fails. */
  private fault(): string {
    const { fs, loader, clock } = this.world
    const share = this.pick([0.02, 0.2, 1])
    const code = this.pick(ERRORS)
    const fails = (): boolean => this.random.next() < share
    if (this.random.next() < 0.7) {
      fs.fault = (call) => (fails() ? diskError(code, call) : undefined)
      clock.after(this.random.between(1, 3_000), () => (fs.fault = undefined))
      return `disk fails with ${code}, ${share}`
    }
    loader.fault = (path) => (fails() ? coded('file_failed', { path, reason: code }, { file: path }) : undefined)
    clock.after(this.random.between(1, 3_000), () => (loader.fault = undefined))
    return `loader fails with ${code}, ${share}`
  }

  private kernel(): string {
    if (this.random.next() < 0.8) return this.files.saveKernel()
    this.world.askFrom('one', 'swap', '')
    return 'swap'
  }

  private freeze(): string {
    const next: FreezeScope = this.pick(['none', 'self', 'all'] as const)
    this.world.switchboard.frozen = next
    return `freeze ${next}`
  }

  /** Something a version left behind throws. */
  private lateError(): string {
    const api = this.pick(APIS)
    const generation = this.world.kernel.services.get(api)?.live?.number ?? 1
    this.world.kernel.fault(Object.assign(ownError('late'), { owner: { service: api, generation } }), 'exception')
    return `late error of ${api} g${generation}`
  }

  private setClock(): string {
    const ms = this.pick([-3_600_000, -50, 50, 31_536_000_000])
    this.world.clock.jump(ms)
    return `the wall clock jumps by ${ms}`
  }

  /** All that was wrong outside is put right. */
  calm(): void {
    this.world.fs.fault = undefined
    this.world.loader.fault = undefined
    this.world.switchboard.frozen = 'none'
    this.world.record({ kind: 'did', what: 'all is calm' })
  }
}
