/**
 * `KernelApi`: what a module's constructor is given. One object a generation, with its own data in plain fields; the
 * methods stand on the switchboard's prototype, so that a newer kernel serves the objects modules already hold.
 */
import type { Switchboard } from '../contracts/kernel-port.ts'
import type { EventsApi, KernelApi, MachineEvent, Release, Route } from '../contracts/module.ts'
import type { CallObserver } from '../contracts/observe.ts'
import type { Clock } from '../contracts/seams.ts'
import type { GenerationRecord, OwnedApi } from '../contracts/state.ts'
import type { TrialRequest } from '../contracts/trial.ts'
import { tryVersion } from './trial.ts'
import { CronTimes } from './cron-times.ts'
import { pathsOf, readPrompt } from './given.ts'
import { hold } from './hold.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Limits } from './limits.ts'
import type { Machine } from './machine.ts'

const isolatorOf = (owner: GenerationRecord): ModuleIsolator => owner.isolator as ModuleIsolator

export function installKernelApi(machine: Machine, handleFor: (owner: GenerationRecord, api: string) => object): void {
  const { switchboard } = machine.options
  const api: Omit<KernelApi, 'api' | 'generation' | 'log' | 'events' | 'getApi'> &
    ThisType<OwnedApi> & { getApi: unknown } = {
    getApi(this: OwnedApi, name: string) {
      return handleFor(this._owner, String(name))
    },
    own(this: OwnedApi, release: Release | Disposable | AsyncDisposable, label: string) {
      return isolatorOf(this._owner).own(release, label)
    },
    hold<T>(this: OwnedApi, key: string, create: (route: Route) => T | Promise<T>, release: (resource: T) => unknown) {
      return hold(machine, this._owner, key, create, release)
    },
    spawn(this: OwnedApi, label: string, work: (signal: AbortSignal) => unknown) {
      // Before the version is live its background waits, so that two versions never work at once.
      if (this._owner.state === 'live') isolatorOf(this._owner).spawn(label, work)
      else isolatorOf(this._owner).addBackground(label, work)
    },
    sleep(this: OwnedApi, ms: number, signal?: AbortSignal) {
      return isolatorOf(this._owner).sleep(ms, signal)
    },
    every(this: OwnedApi, ms: number, work: () => unknown, label = `every ${ms} ms`) {
      return repeat(this._owner, label, work, (isolator, signal) => isolator.sleep(ms, signal))
    },
    cron(this: OwnedApi, pattern: string, work: () => unknown, label = `cron ${pattern}`) {
      return repeat(this._owner, label, work, turnsOf(pattern, machine.options.clock, machine.limits))
    },
    observe(this: OwnedApi, observer: CallObserver) {
      return observeCalls(switchboard, this._owner, observer)
    },
    async tryVersion(this: OwnedApi, request: TrialRequest) {
      const trial = await tryVersion(machine, request)
      const release = isolatorOf(this._owner).own(async () => void (await trial.end()), `trial of ${request.api}`)
      // The second end is the first one's.
      return { ...trial, end: () => Promise.resolve(release()).then(() => trial.end()) }
    },
    prompt(path: string) {
      return readPrompt(machine, path)
    },
    paths: pathsOf(machine.options.root),
    clock: machine.options.clock,
  }
  Object.assign(switchboard.kernelApiBase, api)
  const events: EventsApi = {
    on(this: OwnedApi, pattern: string, callback: (event: MachineEvent) => void) {
      const owner = this._owner
      return isolatorOf(owner).own(machine.events.on(pattern, guarded(owner, pattern, callback)), `on ${pattern}`)
    },
    emit(this: OwnedApi, type: string, data: Record<string, unknown> = {}) {
      machine.events.emit(type, { ...data, source: this._owner.api })
    },
  }
  Object.assign(switchboard.eventsBase, events)
}

export function createKernelApi(machine: Machine, owner: GenerationRecord): KernelApi {
  const { switchboard, log } = machine.options
  const withOwner = (base: object): object => {
    const made = Object.create(base) as object
    Object.defineProperty(made, '_owner', { value: owner, writable: true })
    return made
  }
  return Object.assign(withOwner(switchboard.kernelApiBase) as KernelApi, {
    api: owner.api,
    generation: owner.number,
    log: log.child(owner.api),
    events: withOwner(switchboard.eventsBase) as EventsApi,
  })
}

// What follows is made into closures that live as long as a module wants: they stand outside the functions above, where
// each would hold the kernel that made it.

function observeCalls({ observers }: Switchboard, owner: GenerationRecord, observer: CallObserver): Release {
  const one = { owner, observer }
  observers.add(one)
  return isolatorOf(owner).own(() => {
    observers.delete(one)
  }, 'observes calls')
}

function guarded(owner: GenerationRecord, pattern: string, callback: (event: MachineEvent) => void) {
  const failed = (thrown: unknown): void => owner.isolator.onError(thrown, pattern, 'subscriber')
  return (event: MachineEvent): void => {
    try {
      const result: unknown = callback(event)
      if (result instanceof Promise) result.catch(failed)
    } catch (thrown) {
      failed(thrown)
    }
  }
}

/** Resolves when the next turn is due; to false when there will be none. Rejects when the signal ends the wait. */
type Wait = (isolator: ModuleIsolator, signal: AbortSignal) => Promise<unknown>

/** A wait by the wall clock is cut in pieces: it may jump at any time, and no timer knows. */
function turnsOf(pattern: string, clock: Pick<Clock, 'now'>, limits: Limits): Wait {
  const { cron_look_ms, cron_repeat_ms } = limits
  const times = new CronTimes(pattern, clock.now(), cron_repeat_ms)
  return async (isolator, signal) => {
    times.taken(clock.now())
    for (let ms = times.due(clock.now()); ms !== 0; ms = times.due(clock.now())) {
      if (ms === undefined) return false
      await isolator.sleep(Math.min(ms, cron_look_ms), signal)
    }
    return true
  }
}

/** Work at each turn, one at a time, as a task of the version. */
function repeat(owner: GenerationRecord, label: string, work: () => unknown, wait: Wait): Release {
  const isolator = isolatorOf(owner)
  const stop = new AbortController()
  const background = isolator.addBackground(label, async (signal) => {
    const both = AbortSignal.any([signal, stop.signal])
    for (;;) {
      const comes = await wait(isolator, both).catch(() => false)
      if (comes === false || both.aborted) return
      try {
        await work()
      } catch (thrown) {
        // At a stop the task itself says whether this is an error.
        if (signal.aborted) throw thrown
        isolator.onError(thrown, label, 'turn')
      }
    }
  })
  const release = isolator.own(() => {
    isolator.background.delete(background)
    stop.abort()
  }, label)
  if (owner.state === 'live') isolator.startOne(background)
  return release
}
