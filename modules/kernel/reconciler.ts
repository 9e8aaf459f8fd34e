/**
 * The loop that makes the active state equal the desired state. `ring` says "look again"; `look` reads what changed,
 * plans, and starts the steps; movements run beside each other, one a service. Looks never overlap: they are
 * synchronous. Whatever ends a movement rings, so the last thing saved is the thing that runs.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { ReloadResult } from '../contracts/kernel.ts'
import type { Scan } from '../contracts/seams.ts'
import type { DesiredService, ServiceRecord } from '../contracts/state.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { nearText } from '../lib/near.ts'
import { findPath } from './admission.ts'
import { abandon } from './generation.ts'
import type { Machine } from './machine.ts'
import { groupMoves, plan, type Active, type Step, type Wanted } from './reconcile.ts'
import { failedReload, move, stopService, type Member } from './switch.ts'
import { WantedReader, type WantedOptions } from './wanted.ts'

export class Reconciler {
  readonly wanted: WantedReader
  private readonly machine: Machine
  private changed = new Set<string>()
  private scheduled = false
  private noticedAt: number | undefined
  private readonly restWaiters: (() => void)[] = []

  constructor(options: WantedOptions) {
    this.machine = options.machine
    this.wanted = new WantedReader(options)
  }

  /** Paths whose content may have changed. */
  noticed(paths: Iterable<string>): void {
    for (const path of paths) this.changed.add(path)
    this.ring()
  }

  ring(): void {
    this.noticedAt ??= this.machine.options.clock.monotonic()
    if (this.scheduled) return
    this.scheduled = true
    this.machine.options.clock.soon(() => {
      this.scheduled = false
      this.look()
    })
  }

  /** Resolves when nothing is under way and nothing is waiting to be looked at. */
  rest(): Promise<void> {
    return new Promise((resolve) => {
      this.restWaiters.push(resolve)
      this.ring()
    })
  }

  reload(api: string): Promise<ReloadResult> {
    const service = this.machine.services.get(api)
    if (service === undefined || !this.wanted.desired.services.has(api)) {
      return Promise.reject(coded('service_not_found', { api, near: nearText(api, this.machine.services.keys()) }))
    }
    return new Promise((resolve) => {
      service.reloadWaiters.push(resolve)
      this.wanted.lookAt(api)
      this.ring()
    })
  }

  /** First look: everything is read. */
  start(): void {
    this.wanted.tree.lookAll()
    this.look()
  }

  private look(): void {
    const { machine } = this
    if (machine.stopping) return
    const since = this.noticedAt ?? machine.options.clock.monotonic()
    this.noticedAt = undefined
    // A freeze of everything holds file edits back; what somebody asks for by name still happens.
    const held = machine.planned && machine.options.switchboard.frozen === 'all'
    if (!held || this.asked().length > 0) {
      this.wanted.look(this.changed)
      this.changed = new Set()
      const wanted = this.wanted.read()
      const moves = held ? [] : this.carryOut(this.plan(wanted))
      this.startMoves([...new Set([...moves, ...this.asked()])], since)
      this.noteRefusals(wanted)
    }
    if (!machine.planned) {
      machine.planned = true
      machine.onPlanned()
    }
    this.tellRest()
  }

  private plan(wanted: ReadonlyMap<string, Wanted>): Step[] {
    const { services, options, limits } = this.machine
    const { broken, contested } = this.wanted.desired
    const others = [...services.values()].filter((service) => service.api !== 'kernel')
    return plan({
      wanted,
      active: new Map(others.map((service) => [service.api, activeOf(service)])),
      brokenBases: new Set(broken.keys()),
      contestedApis: new Set(contested.keys()),
      isLive: (api) => services.get(api)?.state === 'live',
      now: options.clock.monotonic(),
      graceMs: limits.file_grace_ms,
    })
  }

  /** Does every step but the moves, and names those. */
  private carryOut(steps: readonly Step[]): string[] {
    const { clock } = this.machine.options
    const moves: string[] = []
    for (const step of steps) {
      const service = this.machine.services.get(step.api)
      if (service === undefined) continue
      switch (step.kind) {
        case 'move':
          moves.push(step.api)
          break
        case 'abandon':
          if (service.candidate !== undefined) abandon(service.candidate)
          break
        case 'stop':
          this.stop(service)
          break
        case 'calm':
          service.graceSince = undefined
          break
        case 'grace':
          service.graceSince ??= clock.monotonic()
          clock.after(step.ms, () => this.ring(), { ref: false })
          break
        default: {
          const never: never = step
          return never
        }
      }
    }
    return moves
  }

  /** Services somebody asked to be reloaded, and that are free for it. */
  private asked(): string[] {
    return [...this.machine.services.values()]
      .filter((service) => service.reloadWaiters.length > 0 && !service.busy)
      .map((service) => service.api)
  }

  private startMoves(apis: string[], since: number): void {
    const members = new Map<string, Member>()
    for (const api of apis) {
      const service = this.machine.services.get(api)
      if (service?.desired === undefined || service.scan === undefined || service.busy) continue
      members.set(api, { service, desired: service.desired, scan: service.scan })
    }
    const moves = [...members.values()].map(({ service, scan }) => ({
      api: service.api,
      changed: changedFiles(service, scan),
    }))
    for (const group of groupMoves(moves)) {
      this.startMove(
        group.flatMap((api) => members.get(api) ?? []),
        since,
      )
    }
  }

  private startMove(members: Member[], since: number): void {
    const waiters = members.map(({ service }) => service.reloadWaiters.splice(0))
    for (const { service } of members) {
      service.busy = true
      service.graceSince = undefined
    }
    void move(this.machine, members, since).then((results) => {
      for (const [index, { service }] of members.entries()) {
        service.busy = false
        const result = results[index]
        if (result !== undefined) for (const resolve of waiters[index] ?? []) resolve(result)
      }
      this.ring()
    })
  }

  private stop(service: ServiceRecord): void {
    service.graceSince = undefined
    service.busy = true
    void stopService(this.machine, service).then(() => {
      service.busy = false
      const gone = toErrorData(coded('service_stopped', { api: service.api }))
      for (const resolve of service.reloadWaiters.splice(0)) resolve(failedReload(gone))
      this.wanted.lastNumbers.set(service.api, service.lastNumber)
      if (this.machine.services.get(service.api) === service) this.machine.services.delete(service.api)
      this.ring()
    })
  }

  /** What is on disk and does not run has its reason beside it; what runs as it is on disk has none. */
  private noteRefusals(wanted: ReadonlyMap<string, Wanted>): void {
    for (const service of this.machine.services.values()) {
      const { live } = service
      const base = (service.desired ?? live?.desired)?.base
      const broken =
        this.wanted.desired.contested.get(service.api) ??
        (base === undefined ? undefined : this.wanted.desired.broken.get(base))
      if (broken !== undefined) {
        service.refusal = broken
        continue
      }
      if (service.state === 'waiting') {
        service.refusal = this.ringOf(service)
        continue
      }
      const target = wanted.get(service.api)
      const equal = live !== undefined && live.scan.key === target?.sourceKey && live.desired.hash === target.configHash
      if (equal && service.refusal !== undefined) {
        service.refusal = undefined
        service.refusedAttempt = undefined
      }
    }
  }

  /** Services whose needs lead back to themselves can never start: that is an error, not a wait. */
  private ringOf(service: ServiceRecord): ErrorData | undefined {
    const waitsFor = (api: string): readonly string[] => {
      const other = this.machine.services.get(api)
      return other?.state === 'waiting' ? other.waitingFor : []
    }
    for (const api of service.waitingFor) {
      const ring = findPath(api, service.api, waitsFor)
      if (ring === undefined) continue
      const file = service.desired?.file
      const names = [service.api, ...ring].join(' → ')
      return toErrorData(coded('needs_ring', { ring: names }, file === undefined ? {} : { file }))
    }
    return undefined
  }

  private tellRest(): void {
    if (this.scheduled || this.changed.size > 0) return
    for (const service of this.machine.services.values()) if (service.busy || service.reloadWaiters.length > 0) return
    for (const resolve of this.restWaiters.splice(0)) resolve()
  }
}

const hashes = (one: { desired: DesiredService; scan: Scan }): { configHash: string; sourceKey: string } => ({
  configHash: one.desired.hash,
  sourceKey: one.scan.key,
})

function activeOf(service: ServiceRecord): Active {
  const { live, candidate } = service
  return {
    api: service.api,
    base: (service.desired ?? live?.desired)?.base,
    state: service.state,
    busy: service.busy,
    live: live === undefined ? undefined : { prog: live.desired.prog, ...hashes(live) },
    candidate: candidate === undefined ? undefined : hashes(candidate),
    refused: service.refusedAttempt,
    waitingFor: service.waitingFor,
    graceSince: service.graceSince,
  }
}

/** Files that differ between what runs and what is wanted. A first start changes nothing that others share. */
function changedFiles(service: ServiceRecord, scan: Scan): Set<string> {
  const changed = new Set<string>()
  const before = service.live?.scan.files
  if (before === undefined) return changed
  for (const [path, hash] of scan.files) if (before.get(path) !== hash) changed.add(path)
  for (const path of before.keys()) if (!scan.files.has(path)) changed.add(path)
  return changed
}
