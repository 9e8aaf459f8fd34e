/**
 * The class the kernel constructs in place of the guest's, and what the kernel asks of its version besides: each method
 * is a question to the guest. Its `run()` also watches: it fails when the guest ends by itself, so that the supervisor
 * starts the version anew as it would for any work that failed. One stand-in a guest, one instance a stand-in.
 */
import type { Guest, GuestAsk, GuestFacts, GuestMember } from '../../contracts/sandbox.ts'
import type { ErrorData } from '../../contracts/errors.ts'
import type { KernelApi } from '../../contracts/module.ts'
import { fromErrorData } from '../../lib/errors.ts'
import { LIFECYCLE_NAMES } from '../../lib/module-contract.ts'

type AnyFunction = (...args: never[]) => unknown
type Members = Record<string, unknown>

/** A guest chooses what it offers, and who calls chooses the aspects that are asked for. */
const MEMBERS_MAX = 1_000
const ASPECTS_MAX = 100
/** What the kernel sets a deadline to has none of its own. */
const UNTIMED = { wall_ms: 0 }

export class StandIn {
  readonly Module: unknown
  private readonly guest: Guest
  private readonly onKernel: (kernel: KernelApi) => void
  private readonly aspects = new Map<string, object | undefined>()
  private readonly watchers = new Set<(error: Error) => void>()
  private instance: Members | undefined
  private died: ErrorData | undefined
  private state: { value: unknown } | { error: unknown } | undefined
  private given: Promise<unknown> = Promise.resolve()
  private told: Promise<unknown> = Promise.resolve()
  private lastStream = 0

  /** `onKernel` is given what the version was constructed with. */
  constructor(guest: Guest, onKernel: (kernel: KernelApi) => void) {
    this.guest = guest
    this.onKernel = onKernel
    this.Module = this.makeClass(guest.facts)
  }

  /** It has ended without being asked to: it hands nothing over, and its `run()` fails with the reason. */
  end(error: ErrorData): void {
    this.died = error
    if (this.instance?.['handOver'] !== undefined) this.instance['handOver'] = undefined
    for (const watcher of this.watchers) watcher(fromErrorData(error))
    this.watchers.clear()
  }

  async fetchState(): Promise<void> {
    const asked = this.has('handOver') && this.died === undefined
    const fetched = asked ? this.guest.ask('handOver', null, UNTIMED) : Promise.resolve()
    this.state = await fetched.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
  }

  async stateArrived(): Promise<void> {
    await this.given
  }

  async configured(): Promise<void> {
    await this.told
  }

  /** Afterwards `getAspect(name)` answers. */
  async fetchAspect(name: string): Promise<void> {
    if (this.aspects.has(name) || this.aspects.size >= ASPECTS_MAX || !this.has('getAspect')) return
    const members = await this.guest.ask('aspect', { name })
    this.aspects.set(name, members === null ? undefined : this.aspectOf(name, members))
  }

  private has(name: string): boolean {
    return this.guest.facts.has.includes(name)
  }

  private makeClass({ needs, reload, exclusive, drain_ms, version }: GuestFacts): unknown {
    const construct = (instance: Members, kernel: KernelApi, config: unknown): void => {
      this.instance = instance
      this.onKernel(kernel)
      // Own and not enumerable: a member of the guest's can never stand in its place.
      Object.defineProperty(instance, 'init', { value: () => this.init(instance, config) })
    }
    const Module = function (this: Members, kernel: KernelApi, config: unknown): void {
      construct(this, kernel, config)
    }
    const lifecycle = this.lifecycle()
    const offered = Object.entries(lifecycle).filter(([name]) => name === 'run' || this.has(name))
    for (const [name, method] of offered) (Module.prototype as Members)[name] = method
    return Object.assign(Module, { needs, reload, exclusive, drain_ms, version })
  }

  private async init(instance: Members, config: unknown): Promise<void> {
    const { guest } = this
    const checked = guest.facts.configSchema === undefined ? config : await guest.ask('config', { config }, UNTIMED)
    await guest.ask('construct', { config: checked }, UNTIMED)
    const members = (await guest.ask('aspect', { name: 'default' }, UNTIMED)) ?? []
    for (const [name, member] of this.offered('default', members)) {
      if (!LIFECYCLE_NAMES.has(name)) Object.defineProperty(instance, name, { value: member, enumerable: true })
    }
    await this.fetchAspect('tool')
  }

  private lifecycle(): Record<string, AnyFunction> {
    const { guest } = this
    return {
      selfTest: () => guest.ask('selfTest', null, UNTIMED),
      shutdown: () => (this.died === undefined ? guest.ask('shutdown', null, UNTIMED) : undefined),
      run: (signal: AbortSignal) => this.run(signal),
      getAspect: (name: string) => this.aspects.get(name),
      configure: (config: unknown) => {
        this.told = guest.ask('configure', { config })
        this.told.catch(() => undefined)
      },
      handOver: () => {
        const { state } = this
        this.state = undefined
        if (state === undefined) throw new Error('its sandbox was not asked')
        if ('error' in state) throw state.error
        return state.value
      },
      takeOver: (state: unknown, version: string) => {
        this.given = guest.ask('takeOver', { state, version }, UNTIMED)
        this.given.catch(() => undefined)
      },
    }
  }

  /** The guest's own work, when it has any; and until the version is told to end, a look that the guest is there. */
  private async run(signal: AbortSignal): Promise<void> {
    let watcher: ((error: Error) => void) | undefined
    const died = new Promise<never>((_resolve, reject) => {
      watcher = reject
      this.watchers.add(reject)
      if (this.died !== undefined) reject(fromErrorData(this.died))
    })
    const stopped = new Promise<void>((resolve) => {
      const stop = (): void => {
        resolve()
        if (this.died === undefined) this.guest.ask('abort', null).catch(() => undefined)
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    try {
      await Promise.race([died, this.has('run') ? this.guest.ask('run', null, UNTIMED) : stopped])
      await Promise.race([died, stopped])
    } finally {
      if (watcher !== undefined) this.watchers.delete(watcher)
    }
  }

  private aspectOf(aspect: string, members: readonly GuestMember[]): object {
    const made: Members = Object.create(null) as Members
    for (const [name, member] of this.offered(aspect, members)) made[name] = member
    return made
  }

  private offered(aspect: string, members: readonly GuestMember[]): [name: string, member: unknown][] {
    return members.slice(0, MEMBERS_MAX).map((member) => [String(member.name), this.member(aspect, member)])
  }

  private member(aspect: string, { name, kind, length, tool }: GuestMember): unknown {
    switch (kind) {
      case 'call':
        return withLength(this.caller(aspect, name), length)
      case 'stream':
        return withLength(this.streamer(aspect, name), length)
      case 'tool':
        return { ...tool, params: tool?.schema, run: this.caller(aspect, name) }
      case 'value':
        return null
      default: {
        const never: never = kind
        return never
      }
    }
  }

  private caller(aspect: string, method: string): (...args: unknown[]) => Promise<unknown> {
    const { guest } = this
    return (...args) => guest.ask('call', { aspect, method, args })
  }

  private streamer(aspect: string, method: string): (...args: unknown[]) => AsyncGenerator {
    const ask: Guest['ask'] = this.guest.ask.bind(this.guest)
    const number = (): number => ++this.lastStream
    return async function* (...args: unknown[]) {
      const stream = number()
      await ask('open', { stream, aspect, method, args })
      let ended = false
      try {
        for (;;) {
          const next: GuestAsk['next']['answer'] = await ask('next', { stream }).catch((thrown: unknown) => {
            ended = true
            throw thrown
          })
          ended = next.done
          if (next.done) return next.value
          yield next.value
        }
      } finally {
        if (!ended) await ask('close', { stream })
      }
    }
  }
}

const withLength = <T extends object>(fn: T, length: number): T =>
  Object.defineProperty(fn, 'length', { value: length })
