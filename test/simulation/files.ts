/**
 * The files of a simulated root, and how people and programs change them: whole, in place, in two halves, by rename,
 * many at once, away and back. Names and texts come from the seed. Each change tells in one line what it was.
 */
import type { Random } from '../support/load.ts'
import { BREAKS, EMPTY, writeHelper, writeSpec, type Spec } from './spec.ts'
import { KERNEL_FAULTS, KERNEL_FILE, writeKernel } from './kernels.ts'
import { at, META_FILE, type World } from './world.ts'

export const APIS = ['a', 'b', 'c', 'd', 'e'] as const
export const PROGS = ['m1', 'm2', 'm3', 'm4'] as const
/** two of them stand where modules are, one elsewhere in the root */
export const HELPERS = ['shared/h1', 'shared/h2', '../elsewhere/h3'] as const
const RESOURCES = ['port', 'store']
const WRONG_CONFIGS = [
  'prog: [',
  '- prog',
  'api: kernel\n',
  'needs: 5\n',
  'reload: never\n',
  'limits: {drain: 1}\n',
  '',
]

/** A second meta file for the same kernel. */
export const NEWER_META = 'configs/meta-v1.1.0.yml'

export interface FileHabits {
  /** share of module versions that fail somewhere */
  broken: number
  /** share of configs that are wrong */
  wrong: number
  /** share of saves that are seen half done */
  halves: number
  /** what modules do beyond answering calls: 0 for the plainest */
  richness: number
}

export class Files {
  readonly random: Random
  private readonly world: World
  private readonly habits: FileHabits
  private saves = 0
  /** texts that stood at a path, to come back to */
  private readonly earlier = new Map<string, string[]>()

  constructor(world: World, random: Random, habits: FileHabits) {
    this.world = world
    this.random = random
    this.habits = habits
  }

  pick<T>(list: readonly T[]): T {
    return list[this.random.between(0, list.length - 1)] as T
  }

  chance(share: number): boolean {
    return this.random.next() < share
  }

  /** A root to begin with: every module there, and configs for some of the names. */
  begin(): void {
    for (const helper of HELPERS) this.put(`modules/${helper}.ts`, writeHelper(++this.saves))
    for (const prog of PROGS) this.put(`modules/${prog}.ts`, this.moduleText())
    for (const api of APIS) if (this.chance(0.7)) this.put(this.configPath(api), this.configText())
  }

  private put(path: string, text: string): void {
    this.world.fs.put(at(path).replace('/modules/..', ''), text)
  }

  private configPath(api: string): string {
    return api === 'e' ? `configs/sub/${api}.yml` : `configs/${api}.yml`
  }

  // --- texts --------------------------------------------------------------------------------------------------------

  private maybe<T>(share: number, make: () => T): T | undefined {
    return this.chance(share * this.habits.richness) ? make() : undefined
  }

  private moduleText(): string {
    const { random, habits } = this
    const ms = (): number => this.pick([0, 1, 7, 40, 300])
    const spec: Spec = {
      ...EMPTY,
      module: ++this.saves,
      use: HELPERS.filter(() => this.chance(0.25)).map((helper) => `${helper}.ts`),
      needs: APIS.filter(() => this.chance(0.06)),
      breaks: this.chance(habits.broken) ? this.pick(BREAKS) : undefined,
      evaluate_ms: this.maybe(0.2, ms),
      init_ms: this.maybe(0.5, ms),
      asks: this.maybe(0.08, () => this.pick(APIS)),
      self_test_ms: this.maybe(0.2, ms),
      state: this.chance(0.6),
      mode: this.maybe(0.25, () => this.pick(['overlap', 'quiesce', 'exclusive'] as const)),
      run_ms: this.maybe(0.4, () => this.pick([15, 90, 700])),
      deaf_ms: this.maybe(0.1, () => this.pick([0, 30, 900, 3_000])),
      every_ms: this.maybe(0.1, () => random.between(20, 900)),
      holds: this.maybe(0.2, () => this.pick(RESOURCES)),
      shutdown_ms: this.maybe(0.3, ms),
      schema: this.chance(0.3),
      extra: this.chance(0.3),
    }
    return writeSpec(spec)
  }

  private configText(): string {
    if (this.chance(this.habits.wrong)) return this.pick(WRONG_CONFIGS)
    const lines = [`prog: ${this.pick(PROGS)}`, `size: ${this.random.between(1, 99)}`]
    const maybe = (share: number, line: () => string): void => {
      if (this.chance(share)) lines.push(line())
    }
    maybe(0.3, () => `level: ${this.random.between(1, 9)}`)
    maybe(0.08, () => `api: ${this.pick(APIS)}`)
    maybe(0.1, () => `needs: [${this.pick(APIS)}]`)
    maybe(0.1, () => `reload: ${this.pick(['overlap', 'quiesce'])}`)
    maybe(0.05, () => 'enabled: false')
    maybe(0.1, () => `limits: {drain_ms: ${this.pick([200, 2_000])}, quiesce_ms: ${this.pick([50, 6_000])}}`)
    maybe(0.05, () => 'restart: false')
    maybe(0.04, () => 'size: many')
    return `${[...new Map(lines.map((line) => [line.split(':')[0], line])).values()].join('\n')}\n`
  }

  // --- changes ------------------------------------------------------------------------------------------------------

  /** One file is saved, in some manner, with a new text or one it had before. */
  save(path: string, text: string): string {
    const { fs, clock } = this.world
    const full = at(path).replace('/modules/..', '')
    const before = fs.textOf(full)
    const known = this.earlier.get(path) ?? []
    if (before !== undefined) this.earlier.set(path, [...known.slice(-5), before])
    const next = known.length > 0 && this.chance(0.2) ? this.pick(known) : text
    if (this.chance(this.habits.halves)) {
      const cut = this.random.between(0, next.length)
      fs.put(full, next.slice(0, cut))
      clock.after(this.pick([0, 1, 5, 12, 60]), () => fs.put(full, next))
      return `${path} in two halves, cut at ${cut} of ${next.length}`
    }
    if (this.chance(0.5)) {
      fs.replace(full, next)
      return `${path} by rename`
    }
    fs.put(full, next)
    return `${path} in place`
  }

  saveModule(): string {
    return this.save(`modules/${this.pick(PROGS)}.ts`, this.moduleText())
  }

  saveHelper(): string {
    const text = this.chance(this.habits.broken) ? 'helper' : writeHelper(++this.saves)
    return this.save(`modules/${this.pick(HELPERS)}.ts`, text)
  }

  saveConfig(): string {
    const version = this.chance(0.1) ? this.pick(['-v1', '-v1.2', '-v2.0']) : ''
    return this.save(this.configPath(this.pick(APIS)).replace('.yml', `${version}.yml`), this.configText())
  }

  /** Limits and defaults of all services. */
  saveMeta(): string {
    const lines = ['prog: kernel', ...(this.chance(0.5) ? [`defaults: {size: ${this.random.between(1, 9)}}`] : [])]
    if (this.chance(0.3)) lines.push('limits: {drain_ms: 5000}')
    return this.save(META_FILE, `${lines.join('\n')}\n`)
  }

  /** A kernel, sound or sick; or another meta file, which is newer while it is there. */
  saveKernel(): string {
    const { fs } = this.world
    if (this.chance(0.3)) {
      const newer = at(NEWER_META)
      if (fs.textOf(newer) === undefined) return this.save(NEWER_META, 'prog: kernel\n')
      fs.delete(newer)
      return `${NEWER_META} removed`
    }
    const fault = this.chance(0.4) ? this.pick(KERNEL_FAULTS) : undefined
    return this.save(KERNEL_FILE, writeKernel(++this.saves, fault))
  }

  private existing(folder: string): string[] {
    return this.world.fs
      .paths(at(folder))
      .filter((path) => !path.startsWith(at('configs/meta')) && path !== at(KERNEL_FILE))
  }

  /** A file goes; most come back, some at once. */
  remove(): string {
    const { fs, clock } = this.world
    const path = this.pick(this.existing(this.chance(0.6) ? 'configs/' : 'modules/'))
    if (path === undefined) return 'nothing to remove'
    const text = fs.textOf(path) ?? ''
    fs.delete(path)
    if (this.chance(0.7)) {
      clock.after(this.pick([0, 3, 100, 240, 260, 2_000]), () => {
        if (fs.textOf(path) === undefined) fs.put(path, text)
      })
    }
    return `${path} removed`
  }

  /** Off by a dot, on again, or to another name. */
  rename(): string {
    const path = this.pick(this.existing('configs/'))
    if (path === undefined) return 'nothing to rename'
    const name = path.slice(path.lastIndexOf('/') + 1)
    const folder = path.slice(0, -name.length)
    const next = name.startsWith('.') ? name.slice(1) : this.chance(0.7) ? `.${name}` : `${this.pick(APIS)}.yml`
    if (this.world.fs.textOf(folder + next) !== undefined) return `${folder}${next} is there`
    this.world.fs.rename(path, folder + next)
    return `${path} → ${next}`
  }

  /** Many files within one moment, as a checkout does it. */
  checkout(): string {
    const locked = this.chance(0.5)
    const lock = at('.git/index.lock')
    if (locked) this.world.fs.put(lock, '')
    const done = Array.from({ length: this.random.between(2, 7) }, () => this.one())
    if (locked) this.world.clock.after(this.random.between(0, 80), () => this.world.fs.delete(lock))
    return `checkout${locked ? ' with a lock' : ''}: ${done.join('; ')}`
  }

  /** Any one change. */
  one(): string {
    const roll = this.random.next()
    if (roll < 0.4) return this.saveModule()
    if (roll < 0.7) return this.saveConfig()
    if (roll < 0.8) return this.saveHelper()
    if (roll < 0.9) return this.remove()
    if (roll < 0.97) return this.rename()
    return this.saveMeta()
  }
}
