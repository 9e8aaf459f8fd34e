/**
 * One version of one service inside its isolate: evaluates the program, constructs the instance, and answers what the
 * kernel's side asks of it. The questions are those of `GuestAsk`; a method is called only when it is one.
 */
import type { CodeOwner, Json } from '../../../contracts/seams.ts'
import type { GuestAsk, GuestFacts, GuestMember } from '../../../contracts/sandbox.ts'
import { AbortController } from './abort.ts'
import { coded } from './errors.ts'
import { Acquired, createKernel, type GuestWorld } from './kernel-api.ts'
import type { Exports } from './link.ts'
import { aspectOf, membersOf } from './members.ts'
import { apply, Table } from './primordials.ts'
import { isSchema, readTools, toSchema, type Schema, type ToSchema, type ToolRun } from './tools.ts'

type Ask<K extends keyof GuestAsk> = GuestAsk[K]['ask']
type AnyFunction = (...args: unknown[]) => unknown

const LIFECYCLE = ['init', 'run', 'selfTest', 'configure', 'handOver', 'takeOver', 'shutdown', 'getAspect'] as const
type Lifecycle = (typeof LIFECYCLE)[number]

interface ModuleLike {
  new (kernel: object, config: unknown): object
  needs?: unknown
  reload?: unknown
  exclusive?: unknown
  drain_ms?: unknown
  version?: unknown
}

export interface GuestOptions {
  owner: CodeOwner
  world: GuestWorld
  end: () => void
  evaluate(): Promise<Exports>
  /** of the zod the module brings; undefined when it brings none */
  toJsonSchema: () => ToSchema | undefined
}

export class GuestModule {
  private readonly options: GuestOptions
  private readonly acquired = new Acquired()
  private readonly streams = new Table<AsyncGenerator>()
  private exports: Exports = {}
  private instance: Record<string, unknown> = {}
  private tools: Record<string, ToolRun> = {}

  constructor(options: GuestOptions) {
    this.options = options
  }

  async load(): Promise<GuestFacts> {
    this.exports = await this.options.evaluate()
    const { Module, configSchema } = this.exports
    if (typeof Module !== 'function') return { module: false, has: [] }
    const { needs, reload, exclusive, drain_ms, version } = Module as ModuleLike
    const prototype = (Module as { prototype: Record<string, unknown> }).prototype
    const facts: GuestFacts = { module: true, has: LIFECYCLE.filter((name) => typeof prototype[name] === 'function') }
    if (Array.isArray(needs)) facts.needs = needs.map(String)
    if (reload === 'overlap' || reload === 'quiesce') facts.reload = reload
    if (typeof exclusive === 'boolean') facts.exclusive = exclusive
    if (typeof drain_ms === 'number') facts.drain_ms = drain_ms
    if (typeof version === 'string') facts.version = version
    if (isSchema(configSchema)) facts.configSchema = this.describe(configSchema)
    return facts
  }

  private describe(schema: Schema): { schema: Json; volatile: string[] } {
    const volatile = Object.entries(schema.shape ?? {}).flatMap(([key, one]) => (isVolatile(one) ? [key] : []))
    return { schema: toSchema(schema, this.options.toJsonSchema()), volatile }
  }

  config({ config }: Ask<'config'>): unknown {
    const { configSchema } = this.exports
    if (!isSchema(configSchema)) return config
    const result = configSchema.safeParse(config)
    if (result.success) return result.data
    const issue = result.error.issues[0]
    const key = issue === undefined || issue.path.length === 0 ? '(top level)' : issue.path.map(String).join('.')
    throw coded('config_invalid', {
      key,
      prog: this.options.owner.service,
      reason: issue?.message ?? 'it does not fit',
    })
  }

  async construct({ config }: Ask<'construct'>): Promise<null> {
    const { world, owner } = this.options
    const kernel = createKernel(world, owner, this.acquired)
    const Module = this.exports['Module'] as ModuleLike
    this.instance = new Module(kernel, config) as Record<string, unknown>
    await this.lifecycle('init')
    return null
  }

  aspect({ name }: Ask<'aspect'>): GuestMember[] | null {
    const found = aspectOf(this.instance, name)
    if (found === undefined) return null
    if (name !== 'tool') return membersOf(found)
    const { members, runs } = readTools(this.options.owner.service, found, this.options.toJsonSchema())
    this.tools = runs
    return members
  }

  call({ aspect, method, args }: Ask<'call'>): unknown {
    const { fn, self } = this.method(aspect, method)
    return apply(fn, self, args as unknown[])
  }

  private method(aspect: string, method: string): { fn: AnyFunction; self: unknown } {
    const tool = aspect === 'tool' && Object.hasOwn(this.tools, method) ? this.tools[method] : undefined
    if (tool !== undefined) return { fn: tool, self: undefined }
    const self =
      aspect === 'default' ? (aspectOf(this.instance, 'default') ?? this.instance) : aspectOf(this.instance, aspect)
    const fn = (self as Record<string, unknown> | undefined)?.[method]
    if (typeof fn === 'function' && !method.startsWith('_') && method !== 'constructor')
      return { fn: fn as AnyFunction, self }
    throw coded('method_not_found', { api: this.options.owner.service, method, aspect })
  }

  open({ stream, aspect, method, args }: Ask<'open'>): null {
    const { fn, self } = this.method(aspect, method)
    this.streams.set(stream, apply(fn, self, args as unknown[]) as AsyncGenerator)
    return null
  }

  async next({ stream }: Ask<'next'>): Promise<{ done: boolean; value: unknown }> {
    const found = this.streams.get(stream)
    if (found === undefined) return { done: true, value: undefined }
    const { done, value } = await found.next()
    if (done === true) this.streams.take(stream)
    return { done: done === true, value }
  }

  async close({ stream }: Ask<'close'>): Promise<null> {
    await this.streams.take(stream)?.return(undefined)
    return null
  }

  async run(): Promise<null> {
    await this.lifecycle('run', this.options.world.tasks.controller.signal)
    return null
  }

  abort(): null {
    const { tasks } = this.options.world
    const { controller } = tasks
    tasks.controller = new AbortController()
    controller.abort(coded('stopped'))
    return null
  }

  async selfTest(): Promise<null> {
    await this.lifecycle('selfTest')
    return null
  }

  configure({ config }: Ask<'configure'>): null {
    this.lifecycle('configure', config)
    return null
  }

  handOver(): unknown {
    const state = this.lifecycle('handOver')
    if (state instanceof Promise) throw new TypeError('handOver() returned a promise: it has to be synchronous')
    return state
  }

  takeOver({ state, version }: Ask<'takeOver'>): null {
    this.lifecycle('takeOver', state, version)
    return null
  }

  release({ id }: Ask<'release'>): Promise<null> {
    return this.acquired.release(id)
  }

  turn({ id, value }: Ask<'turn'>): Promise<unknown> {
    return this.acquired.turn(id, value)
  }

  async shutdown(): Promise<null> {
    await this.lifecycle('shutdown')
    this.options.end()
    return null
  }

  private lifecycle(name: Lifecycle, ...args: unknown[]): unknown {
    const fn = this.instance[name]
    return typeof fn === 'function' ? apply(fn, this.instance, args) : undefined
  }
}

interface Marked {
  meta?: () => { volatile?: unknown } | undefined
  _zod?: { def?: { innerType?: Marked } }
}

const isVolatile = (one: Marked | undefined): boolean =>
  one !== undefined && (one.meta?.()?.volatile === true || isVolatile(one._zod?.def?.innerType))
