/**
 * `KernelApi` in an isolate: the same names, each either done in here or asked for over the channel. What a module acquires
 * has a number; the kernel owns an entry of that number and asks for its release, last acquired first.
 */
import type { CodeOwner, LogLevel } from '../../../contracts/seams.ts'
import type { AbortController, AbortSignal } from './abort.ts'
import type { Channel } from './channel.ts'
import { coded } from './errors.ts'
import type { Handles } from './handles.ts'
import { freeze, Table, text } from './primordials.ts'
import type { Timers } from './timers.ts'

type Work = (value?: unknown) => unknown

export interface GuestWorld {
  channel: Channel
  handles: Handles
  timers: Timers
  /** the background's: renewed by each `abort` */
  tasks: { controller: AbortController }
  ended: AbortSignal
}

/** What was acquired, by number. */
export class Acquired {
  readonly releases = new Table<() => unknown>()
  readonly turns = new Table<Work>()
  private lastId = 0

  next(): number {
    return ++this.lastId
  }

  async release(id: number): Promise<null> {
    const release = this.releases.take(id)
    this.turns.take(id)
    await release?.()
    return null
  }

  async turn(id: number, value: unknown): Promise<unknown> {
    await this.turns.get(id)?.(value)
    return null
  }
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function createLog({ channel }: Pick<GuestWorld, 'channel'>, name?: string): object {
  const log: Record<string, unknown> = {}
  const prefix = name === undefined ? '' : `${name}: `
  for (const level of LEVELS) {
    log[level] = (message: unknown, fields?: Record<string, unknown>) => {
      const told = { tell: 'log', level, message: `${prefix}${String(message)}` } as const
      channel.tell(fields === undefined ? told : { ...told, fields })
    }
  }
  log['child'] = (of: unknown) => createLog({ channel }, `${prefix}${String(of)}`)
  return freeze(log)
}

export function createKernel(world: GuestWorld, owner: CodeOwner, acquired: Acquired): object {
  const { channel, handles, timers } = world
  const handleTo = new Table<object>()
  const clock = freeze({ now: () => Date.now(), monotonic: () => timers.monotonic() })
  return freeze({
    api: owner.service,
    generation: owner.generation,
    getApi(api: string) {
      const name = text(api)
      const known = handleTo.get(name) ?? handles.make(name)
      handleTo.set(name, known)
      return known
    },
    ...owning(channel, acquired),
    hold: () => Promise.reject(coded('sandbox_not_here', { what: '`kernel.hold()`' })),
    spawn(label: string, work: (signal: AbortSignal) => unknown) {
      const id = acquired.next()
      acquired.turns.set(id, async () => {
        acquired.turns.take(id)
        await work(world.tasks.controller.signal)
      })
      channel.tell({ tell: 'spawn', id, label: String(label) })
    },
    sleep: (ms: number, signal?: AbortSignal) => sleep(world, ms, signal),
    prompt: (path: string) => promptOf(channel, String(path)),
    log: createLog(world),
    events: freeze({
      on: subscribing(channel, acquired),
      emit(type: string, data: Record<string, unknown> = {}) {
        channel.tell({ tell: 'emit', type: String(type), data })
      },
    }),
    paths: freeze({ root: '.', configs: 'configs', modules: 'modules', prompts: 'prompts', runtime: 'runtime' }),
    clock,
  })
}

type Loose = (() => unknown) & { [Symbol.dispose]?: () => unknown; [Symbol.asyncDispose]?: () => unknown }

/** The release that a module calls itself: the kernel's entry is told. */
const releaseOf = (channel: Channel, acquired: Acquired, id: number) => async (): Promise<void> => {
  if (acquired.releases.get(id) === undefined) return
  channel.tell({ tell: 'released', id })
  await acquired.release(id)
}

function owning(channel: Channel, acquired: Acquired): object {
  const repeat = (work: Work): number => {
    const id = acquired.next()
    acquired.turns.set(id, work)
    acquired.releases.set(id, () => undefined)
    return id
  }
  return {
    own(release: Loose, label: string) {
      const { dispose, asyncDispose } = Symbol as { dispose?: symbol; asyncDispose?: symbol }
      const named = release as unknown as Record<symbol, (() => unknown) | undefined>
      const end =
        typeof release === 'function'
          ? release
          : ((asyncDispose && named[asyncDispose]) ?? (dispose && named[dispose]))?.bind(release)
      if (end === undefined) throw new TypeError('own() takes a function or a disposable')
      const id = acquired.next()
      acquired.releases.set(id, end)
      channel.tell({ tell: 'own', id, label: String(label) })
      return releaseOf(channel, acquired, id)
    },
    every(ms: number, work: Work, label = `every ${ms} ms`) {
      const id = repeat(work)
      channel.tell({ tell: 'every', id, ms: Number(ms), label: String(label) })
      return releaseOf(channel, acquired, id)
    },
    cron(pattern: string, work: Work, label = `cron ${pattern}`) {
      const id = repeat(work)
      channel.tell({ tell: 'cron', id, pattern: String(pattern), label: String(label) })
      return releaseOf(channel, acquired, id)
    },
  }
}

const subscribing = (channel: Channel, acquired: Acquired) => (pattern: string, callback: Work) => {
  const id = acquired.next()
  acquired.turns.set(id, callback)
  acquired.releases.set(id, () => undefined)
  channel.tell({ tell: 'on', id, pattern: String(pattern) })
  return releaseOf(channel, acquired, id)
}

function sleep({ timers, ended }: GuestWorld, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const signals = signal === undefined ? [ended] : [signal, ended]
    const leave = (): void => {
      timers.clear(timer)
      for (const one of signals) one.removeEventListener('abort', stop)
    }
    const stop = (): void => {
      leave()
      reject(coded('stopped'))
    }
    const wake = (): void => {
      leave()
      resolve()
    }
    const timer = timers.set(wake, ms, false, [])
    if (signals.some((one) => one.aborted)) stop()
    for (const one of signals) one.addEventListener('abort', stop, { once: true })
  })
}

/** A promise here: who forgets to await it is told so. */
function promptOf(channel: Channel, path: string): unknown {
  const promise = channel.ask('prompt', { path })
  for (const name of ['text', 'hash']) {
    const get = (): never => {
      throw coded('sandbox_not_here', { what: '`kernel.prompt()` without `await`' })
    }
    void Object.defineProperty(promise, name, { get })
  }
  return promise
}
