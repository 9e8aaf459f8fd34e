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
/** So long its place is not looked up again: that blocks everything else for half a millisecond. */
const PLACE_MS = 60_000
/** Late errors that are told for each service within the time. */
const FLOOD_MS = 1_000
const FLOOD_TOLD_MAX = 20

/** What a failure says of itself: the code it came from, where it was noticed, its message. */
interface Said {
  code: string | undefined
  where: string
  message: string
}

/** A failure that was told. */
interface Told extends Said {
  error: ErrorData
  at: number
  placedAt: number
}

interface Flood {
  since: number
  /** how many were told since then */
  told: number
  known: Told[]
  /** how many were not told since the last one that was */
  left: number
}

export class Faults {
  private readonly machine: Machine
  private readonly described = new Map<string, Told>()
  private readonly floods = new Map<string, Flood>()
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
    if (last !== undefined && now - last.at < DESCRIBE_MS) return
    const said = { code: generation?.scan.key, where: 'call', message: reasonOf(thrown) }
    const same = last !== undefined && isSame(last, said) ? last : undefined
    if (same !== undefined && now - same.at < SAME_MS) return
    const told = this.toldAnew(same, said, thrown, now)
    this.described.set(service.api, told)
    service.lastError = told.error
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
    const record = service?.live?.number === generation ? service?.live : otherVersion(service, generation)
    const { error, placed, line, stack } = this.tell(api, record?.scan.key, where, thrown)
    if (service !== undefined) {
      if (placed) service.lastError = error
      service.lastErrorAt = clock.now()
      service.pastErrors++
      ;(record?.isolator as ModuleIsolator | undefined)?.recordError()
    }
    if (line !== undefined) log.error(`${api}  ${line}`, { service: api, generation, stack })
    return error
  }

  /**
   * A flood is counted in full and told at a bounded rate (`''`: of nobody's); what comes once more is told each second,
   * without its stack.
   */
  private tell(
    api: string,
    code: string | undefined,
    where: string,
    thrown: unknown,
  ): { error: ErrorData; placed: boolean; line?: string; stack?: string | undefined } {
    const now = this.machine.options.clock.monotonic()
    const flood = this.floods.get(api) ?? { since: now, told: 0, known: [], left: 0 }
    this.floods.set(api, flood)
    if (now - flood.since >= FLOOD_MS) Object.assign(flood, { since: now, told: 0 })
    const said = { code, where, message: reasonOf(thrown) }
    const known = flood.known.find((one) => isSame(one, said))
    if (flood.told >= FLOOD_TOLD_MAX || (known !== undefined && now - known.at < FLOOD_MS)) {
      flood.left++
      return { error: known?.error ?? this.dataOf(thrown), placed: known !== undefined }
    }
    const told = this.toldAnew(known, said, thrown, now)
    const others = flood.known.length < FLOOD_TOLD_MAX ? flood.known.filter((one) => one !== known) : []
    flood.known = [...others, told]
    flood.told++
    const line = `${where}: ${describeError(told.error)}${moreThan(flood.left)}`
    flood.left = 0
    return { error: told.error, placed: true, line, stack: told.placedAt === now ? this.stackOf(thrown) : undefined }
  }

  /** `known`: the same, told before. */
  private toldAnew(known: Told | undefined, said: Said, thrown: unknown, now: number): Told {
    if (known !== undefined && now - known.placedAt < PLACE_MS) return { ...known, at: now }
    return { ...said, error: this.describe(thrown), at: now, placedAt: now }
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
    const { error, line, stack } = this.tell('', undefined, where, thrown)
    this.machine.events.emit('kernel.fault', { where, error })
    if (line !== undefined) this.machine.options.log.error(line, { stack })
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
    const { root, packageRoot } = this.machine.options
    // What is shipped is named from where it is shipped: of the machine's folders nobody learns.
    if (all.file !== undefined) all.file = shownPath(packageRoot, shownPath(root, all.file))
    return all
  }
}

function otherVersion(service: ServiceRecord | undefined, generation: number | null): GenerationRecord | undefined {
  if (service === undefined || service.candidate?.number === generation) return service?.candidate
  return [...service.draining].find(({ number }) => number === generation)
}

/** Compared part by part, at every failure: to make one text of them takes as long as the failure itself. */
const isSame = (a: Said, b: Said): boolean => a.message === b.message && a.code === b.code && a.where === b.where

const moreThan = (left: number): string => (left === 0 ? '' : ` (and ${left} more since the last one told)`)

const stackOf = (thrown: unknown): string | undefined =>
  typeof thrown === 'object' && thrown !== null && 'stack' in thrown ? String(thrown.stack) : undefined
