/**
 * Errors that nobody awaited, and errors of calls: attributed to a service, counted, placed in its source. Looking up
 * the place of an error costs more than the error itself, so a flood is counted fully and described now and then.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { CodeOwner } from '../contracts/seams.ts'
import type { FaultKind, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { describeError, reasonOf, toErrorData } from '../lib/errors.ts'
import { Redactor } from '../lib/redact.ts'
import { shownPath } from '../lib/shown-path.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import type { Supervisor } from './supervisor.ts'

/** A failed call is described at most this often for each service. */
const DESCRIBE_MS = 100
/** The same failure once more says nothing new. */
const SAME_MS = 1_000
/** Late errors that are described for each service within the time. */
const FLOOD_MS = 1_000
const FLOOD_TOLD_MAX = 20

export class Faults {
  private readonly machine: Machine
  private readonly described = new Map<string, { at: number; reason: string }>()
  private readonly floods = new Map<string, { since: number; told: number; left: number }>()
  /** late errors nobody could be named for */
  unattributed = 0
  private readonly supervisor: Supervisor
  private redactor: { size: number; made: Redactor } | undefined

  constructor(machine: Machine, supervisor: Supervisor) {
    this.machine = machine
    this.supervisor = supervisor
  }

  /** A call or a release failed by the service's own doing. */
  noteError(service: ServiceRecord | undefined, thrown: unknown, generation?: GenerationRecord): void {
    if (service === undefined) return
    const { clock } = this.machine.options
    const now = clock.monotonic()
    const last = this.described.get(service.api)
    const reason = reasonOf(thrown)
    if (last !== undefined && now - last.at < (last.reason === reason ? SAME_MS : DESCRIBE_MS)) return
    this.described.set(service.api, { at: now, reason })
    service.lastError = this.describe(thrown)
    service.lastErrorAt = clock.now()
    this.machine.events.emit('call.failed', {
      api: service.api,
      generation: generation?.number ?? null,
      error: service.lastError,
    })
  }

  /** An error outside any call: a task, a timer, an unhandled rejection. Always told. */
  private noteFault(api: string, generation: number | null, thrown: unknown, where: string): ErrorData {
    const error = this.count(api, generation, thrown, where)
    this.machine.events.emit('service.fault', { api, generation, where, error })
    return error
  }

  private count(api: string, generation: number | null, thrown: unknown, where: string): ErrorData {
    const service = this.machine.services.get(api)
    const { clock, log } = this.machine.options
    const { described, left } = this.mayDescribe(api, clock.monotonic())
    const error = described ? this.describe(thrown) : this.dataOf(thrown)
    if (service !== undefined) {
      if (described) service.lastError = error
      service.lastErrorAt = clock.now()
      service.pastErrors++
      const record = [service.live, service.candidate, ...service.draining].find((one) => one?.number === generation)
      ;(record?.isolator as ModuleIsolator | undefined)?.recordError()
    }
    if (described) {
      const fields = { service: api, generation, stack: this.stackOf(thrown) }
      log.error(`${api}  ${where}: ${describeError(error)}${moreThan(left)}`, fields)
    }
    return error
  }

  /** A flood is counted in full and described at a bounded rate (`''`: of nobody's); `left` is how many were not since the last one. */
  private mayDescribe(api: string, now: number): { described: boolean; left: number } {
    const flood = this.floods.get(api) ?? { since: now, told: 0, left: 0 }
    this.floods.set(api, flood)
    if (now - flood.since >= FLOOD_MS) Object.assign(flood, { since: now, told: 0 })
    if (flood.told >= FLOOD_TOLD_MAX) {
      flood.left++
      return { described: false, left: flood.left }
    }
    flood.told++
    const { left } = flood
    flood.left = 0
    return { described: true, left }
  }

  workFailed(generation: GenerationRecord, thrown: unknown, label: string, what: FaultKind): void {
    const { api, number } = generation
    switch (what) {
      case 'task':
        // It has ended: the version no longer does its work.
        this.supervisor.failed(generation, this.noteFault(api, number, thrown, `task ${label}`))
        break
      case 'turn':
        this.supervisor.lateError(generation, this.noteFault(api, number, thrown, `task ${label}`))
        break
      case 'subscriber':
        // No event tells of it: a subscriber to all events that always throws would hear of itself for ever.
        this.count(api, number, thrown, `subscriber of ${label}`)
        break
      default: {
        const never: never = what
        return never
      }
    }
  }

  /** An error that reached the process. Returns the service it was counted against. */
  fault(thrown: unknown, kind: 'exception' | 'rejection', known?: CodeOwner): string | undefined {
    const owner = known ?? this.machine.options.loader.ownerOf(thrown)
    const where = kind === 'exception' ? 'late error' : 'unhandled rejection'
    if (owner !== undefined && owner.service !== 'kernel') {
      const error = this.noteFault(owner.service, owner.generation, thrown, where)
      const live = this.machine.services.get(owner.service)?.live
      if (live?.number === owner.generation) this.supervisor.lateError(live, error)
      return owner.service
    }
    this.unattributed++
    const { clock, log } = this.machine.options
    const { described, left } = this.mayDescribe('', clock.monotonic())
    const error = described ? this.describe(thrown) : this.dataOf(thrown)
    this.machine.events.emit('kernel.fault', { where, error })
    if (described) log.error(`${where}: ${describeError(error)}${moreThan(left)}`, { stack: this.stackOf(thrown) })
    return undefined
  }

  /** An error may hold what its service was given to keep. */
  private dataOf(thrown: unknown): ErrorData {
    const data = toErrorData(thrown)
    return { ...data, message: this.clean(data.message), hint: this.clean(data.hint) }
  }

  private stackOf(thrown: unknown): string | undefined {
    const stack = stackOf(thrown)
    return stack === undefined ? undefined : this.clean(stack)
  }

  private clean(text: string): string {
    const { secrets } = this.machine.options.switchboard
    if (this.redactor?.size !== secrets.size) this.redactor = { size: secrets.size, made: new Redactor(secrets) }
    return this.redactor.made.text(text)
  }

  describe(thrown: unknown): ErrorData {
    const data = this.dataOf(thrown)
    const place = data.file === undefined ? this.machine.options.loader.placeOf(thrown) : undefined
    const all = { ...data, ...place }
    if (all.file !== undefined) all.file = shownPath(this.machine.options.root, all.file)
    return all
  }
}

const moreThan = (left: number): string => (left === 0 ? '' : ` (and ${left} more since the last one told)`)

const stackOf = (thrown: unknown): string | undefined =>
  typeof thrown === 'object' && thrown !== null && 'stack' in thrown ? String(thrown.stack) : undefined
