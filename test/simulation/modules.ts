/**
 * The modules of a simulation: classes made from specs, which write down what happens to them. They behave as modules
 * of people do: they take time, fail, hold things, call each other, and ask the kernel for changes of themselves.
 */
import type { KernelApi, ModuleConfig } from '../../modules/contracts/module.ts'
import type { Answer, Entry, Phase } from './history.ts'
import type { Spec } from './spec.ts'

/** What modules need of the world they stand in. */
export interface Stage {
  record(entry: Entry): void
  /** a number nobody has had */
  number(): number
  /** Waits without the kernel's help, so that its end does not end the wait. */
  wait(ms: number): Promise<void>
  /** Calls a service; never rejects, what came of it is in the history. */
  call(from: string, handle: object, api: string, method: string, args: unknown[]): Promise<string | undefined>
  ask(from: string, kernel: object, what: string, api: string): Promise<void>
}

/** A module's own failure: no code of the kernel's. */
export const OWN = 'sim_own'
export const ownError = (where: string): Error =>
  Object.assign(new Error(`${where} failed, as it was to`), { code: OWN })

/** The state of an instance, apart from its methods: a public field would be part of its contract. */
export class Actor {
  readonly number: number
  n = 0
  steps = 0
  private wasDeaf = false
  readonly stage: Stage
  readonly spec: Spec
  readonly kernel: KernelApi

  constructor(stage: Stage, spec: Spec, kernel: KernelApi) {
    this.stage = stage
    this.spec = spec
    this.kernel = kernel
    this.number = stage.number()
  }

  life(phase: Phase, more: { n?: number; steps?: number; why?: string } = {}): void {
    this.stage.record({ kind: 'life', instance: this.number, phase, ...more })
  }

  failIf(where: Spec['breaks']): void {
    if (this.spec.breaks !== where) return
    this.life('failed', { why: String(where) })
    throw ownError(String(where))
  }

  async during<T>(call: number, work: () => T | Promise<T>): Promise<T> {
    this.stage.record({ kind: 'entered', call, instance: this.number })
    try {
      return await work()
    } finally {
      this.stage.record({ kind: 'left', call, instance: this.number })
    }
  }

  answer(call: number, n = 0): Answer {
    return { call, instance: this.number, n }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { kernel, spec } = this
    this.life('run', { steps: this.steps })
    signal.addEventListener('abort', () => this.life('told'), { once: true })
    try {
      while (!signal.aborted) {
        this.life('step', { steps: ++this.steps })
        await kernel.sleep(spec.run_ms ?? 10, signal)
        if (spec.breaks === 'run') throw ownError('run')
      }
    } finally {
      // Once: a version that never becomes quiet in time could never be replaced.
      const isDeaf = signal.aborted && !this.wasDeaf
      this.wasDeaf ||= signal.aborted
      if (isDeaf && spec.deaf_ms !== undefined) await this.stage.wait(spec.deaf_ms)
      this.life('ran', { steps: this.steps })
    }
  }
}

/** The methods every simulated module has. The first argument is the number of the call. */
class Base {
  readonly _actor: Actor

  constructor(actor: Actor) {
    this._actor = actor
  }

  now(call: number): Answer {
    const { stage, number } = this._actor
    stage.record({ kind: 'entered', call, instance: number })
    stage.record({ kind: 'left', call, instance: number })
    return this._actor.answer(call)
  }

  throws(call: number): Answer {
    this.now(call)
    throw ownError('throws')
  }

  slow(call: number, ms: number): Promise<Answer> {
    const actor = this._actor
    return actor.during(call, async () => {
      await actor.stage.wait(ms)
      return actor.answer(call)
    })
  }

  sleepy(call: number, ms: number): Promise<Answer> {
    const actor = this._actor
    return actor.during(call, async () => {
      await actor.kernel.sleep(ms)
      return actor.answer(call)
    })
  }

  fails(call: number, ms: number): Promise<Answer> {
    const actor = this._actor
    return actor.during(call, async () => {
      await actor.stage.wait(ms)
      throw ownError('fails')
    })
  }

  add(call: number, ms: number): Promise<Answer> {
    const actor = this._actor
    return actor.during(call, async () => {
      await actor.stage.wait(ms)
      actor.life('added', { n: ++actor.n })
      return actor.answer(call, actor.n)
    })
  }

  thenable(call: number): PromiseLike<Answer> {
    const answer = this.now(call)
    // oxlint-disable-next-line unicorn/no-thenable
    return { then: (resolve) => Promise.resolve(resolve?.(answer)) as never }
  }

  via(call: number, api: string, method: string, ms: number): Promise<Answer> {
    const { kernel, stage } = this._actor
    return this._actor.during(call, async () => {
      await stage.call(kernel.api, kernel.getApi(api), api, method, [ms])
      return this._actor.answer(call)
    })
  }

  ask(call: number, what: string, api: string): Promise<Answer> {
    const { kernel, stage } = this._actor
    return this._actor.during(call, async () => {
      await stage.ask(kernel.api, kernel.getApi('kernel'), what, api)
      return this._actor.answer(call)
    })
  }

  async *stream(call: number, items: number, ms: number): AsyncGenerator<Answer> {
    const { stage, number } = this._actor
    stage.record({ kind: 'entered', call, instance: number })
    try {
      for (let item = 1; item <= items; item++) {
        await stage.wait(ms)
        yield this._actor.answer(call, item)
      }
    } finally {
      stage.record({ kind: 'left', call, instance: number })
    }
  }
}

type Lifecycle = Record<string, (this: Base, ...args: never[]) => unknown>

/** The methods only some versions have: the kernel looks for their names. */
function lifecycle(spec: Spec): Lifecycle {
  const methods: Lifecycle = {
    async init() {
      const actor = this._actor
      actor.life('init')
      if (spec.init_ms !== undefined) await actor.stage.wait(spec.init_ms)
      if (spec.breaks === 'init_hangs') await new Promise(() => {})
      if (spec.holds !== undefined) await hold(actor, spec.holds)
      if (spec.asks !== undefined) await askInInit(actor, spec.asks)
      actor.failIf('init')
      actor.life('ready')
    },
  }
  if (spec.self_test_ms !== undefined || spec.breaks === 'self_test') methods['selfTest'] = selfTest
  if (spec.run_ms !== undefined || spec.breaks === 'run') methods['run'] = run
  if (spec.state) Object.assign(methods, { handOver, takeOver })
  if (spec.schema) methods['configure'] = configure
  methods['shutdown'] = shutdown
  if (spec.extra) methods['extra'] = Base.prototype.now
  return methods
}

/** The kernel is told of what went wrong: whether it waits or fails is its decision. */
async function askInInit(actor: Actor, api: string): Promise<void> {
  const code = await actor.stage.call(actor.kernel.api, actor.kernel.getApi(api), api, 'now', [])
  if (code === undefined) return
  actor.life('failed', { why: `init: ${api}` })
  throw Object.assign(new Error(`${api} did not answer`), { code })
}

async function hold(actor: Actor, key: string): Promise<void> {
  const { stage, kernel } = actor
  const { api } = kernel
  await kernel.hold(
    key,
    () => {
      const resource = stage.number()
      stage.record({ kind: 'held', api, key, resource })
      return resource
    },
    (resource) => stage.record({ kind: 'released', api, key, resource }),
  )
}

async function selfTest(this: Base): Promise<void> {
  const actor = this._actor
  await actor.stage.wait(actor.spec.self_test_ms ?? 0)
  actor.failIf('self_test')
  actor.life('tested')
}

function run(this: Base, signal: AbortSignal): Promise<void> {
  return this._actor.run(signal)
}

function handOver(this: Base): unknown {
  const actor = this._actor
  actor.failIf('hand_over')
  actor.life('gave', { n: actor.n, steps: actor.steps })
  return { n: actor.n, steps: actor.steps }
}

function takeOver(this: Base, state: { n: number; steps: number }): void {
  const actor = this._actor
  actor.failIf('take_over')
  Object.assign(actor, state)
  actor.life('took', { n: actor.n, steps: actor.steps })
}

function configure(this: Base): void {
  this._actor.failIf('configure')
  this._actor.life('configured')
}

async function shutdown(this: Base): Promise<void> {
  const actor = this._actor
  actor.life('shutdown', { n: actor.n, steps: actor.steps })
  if (actor.spec.breaks === 'shutdown_hangs') await new Promise(() => {})
  await actor.stage.wait(actor.spec.shutdown_ms ?? 0)
  actor.failIf('shutdown')
  actor.life('ended', { n: actor.n })
}

/** What a module's file exports. */
export function exportsOf(spec: Spec, source: string, stage: Stage): Record<string, unknown> {
  class Module extends Base {
    static readonly needs = spec.needs
    static readonly exclusive = spec.mode === 'exclusive'

    constructor(kernel: KernelApi, _config: ModuleConfig) {
      super(new Actor(stage, spec, kernel))
      const { number: instance } = this._actor
      const { api, generation } = kernel
      const mode = spec.mode ?? (spec.state ? 'quiesce' : 'overlap')
      stage.record({ kind: 'born', instance, api, generation, source, state: spec.state, mode })
      this._actor.failIf('constructor')
      if (spec.every_ms !== undefined) kernel.every(spec.every_ms, () => undefined)
    }
  }
  if (spec.mode === 'overlap' || spec.mode === 'quiesce') Object.assign(Module, { reload: spec.mode })
  for (const [name, value] of Object.entries(lifecycle(spec))) {
    Object.defineProperty(Module.prototype, name, { value, configurable: true, writable: true })
  }
  return spec.schema ? { Module, configSchema: SCHEMA } : { Module }
}

const SCHEMA = {
  shape: { size: {}, level: { meta: () => ({ volatile: true }) } },
  safeParse: (value: { size?: unknown }) =>
    value.size === undefined || typeof value.size === 'number'
      ? { success: true, data: value }
      : { success: false, error: { issues: [{ path: ['size'], message: 'it is no number' }] } },
}
