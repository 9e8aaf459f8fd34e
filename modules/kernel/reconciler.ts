/**
 * The loop that makes the active state equal the desired state. `ring` says "look again"; `look` reads what changed,
 * plans, and starts the steps; movements run beside each other, one a service. Looks never overlap: they are
 * synchronous. Whatever ends a movement rings, so the last thing saved is the thing that runs.
 */
import type { ReloadResult } from '../contracts/kernel.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { coded, fromErrorData, toErrorData } from '../lib/errors.ts'
import { nearText } from '../lib/near.ts'
import { changedFiles, isAtRest, planInput, runs } from './active.ts'
import { abandon } from './generation.ts'
import type { Machine } from './machine.ts'
import { Movements, type MovementsOptions } from './movements.ts'
import { groupMoves, plan, type PlanInput, type Step } from './reconcile.ts'
import { noteRefusals } from './refusals.ts'
import { failedReload, unchanged } from './refuse.ts'
import type { Member } from './switch.ts'
import { WantedReader, type WantedOptions } from './wanted.ts'

export interface ReconcilerOptions extends WantedOptions, Pick<MovementsOptions, 'journal' | 'onForgotten'> {}

export class Reconciler {
  readonly wanted: WantedReader
  readonly movements: Movements
  private readonly machine: Machine
  private changed = new Set<string>()
  private scheduled = false
  private held = false
  private readonly lookWaiters: (() => void)[] = []
  private noticedAt: number | undefined
  private readonly restWaiters: (() => void)[] = []
  /** a stop, rename or change of prog of these was asked for by name: it is no half-written file */
  private readonly sure = new Set<string>()

  constructor(options: ReconcilerOptions) {
    this.machine = options.machine
    this.wanted = new WantedReader(options)
    this.movements = new Movements({
      ...options,
      onBegin: (service) => this.sure.delete(service.api),
      onGone: (service) => this.wanted.lastNumbers.set(service.api, service.lastNumber),
    })
  }

  /** Paths whose content may have changed. */
  noticed(paths: Iterable<string>): void {
    for (const path of paths) this.changed.add(path)
    this.ring()
  }

  ring(): void {
    this.noticedAt ??= this.machine.clock.monotonic()
    if (this.scheduled) return
    this.scheduled = true
    this.machine.clock.soon(() => {
      this.scheduled = false
      this.look()
    })
  }

  /** Looks no more, and starts nothing, until it is let go on: what is noticed meanwhile is kept. */
  hold(held: boolean): void {
    this.held = held
    if (!held) this.ring()
  }

  /** Another kernel's services are to be looked at: everything is read, nothing is known. */
  begin(): void {
    this.held = false
    this.scheduled = false
    this.noticedAt = undefined
    this.wanted.tree.lookAll()
    this.wanted.forgetConfigs()
    this.ring()
  }

  /** Resolves after the next look at the files. */
  looked(): Promise<void> {
    return new Promise((resolve) => this.lookWaiters.push(resolve))
  }

  /** Resolves when nothing is under way and nothing is waiting to be looked at. */
  rest(): Promise<void> {
    return new Promise((resolve) => {
      this.restWaiters.push(resolve)
      this.ring()
    })
  }

  /** Who waits for rest: another kernel has taken over, and its rest is what they wait for now. */
  takeRestWaiters(): (() => void)[] {
    return this.restWaiters.splice(0)
  }

  find(api: string): ServiceRecord {
    const service = this.machine.services.get(api)
    if (service !== undefined && api !== 'kernel') return service
    throw coded('service_not_found', { api, near: nearText(api, this.machine.services.keys()) })
  }

  /**
   * Rejects with `service_not_found`, `service_stopped`, or what is wrong with the config; what became of the reload is
   * in the result.
   */
  async reload(api: string): Promise<ReloadResult> {
    const service = this.find(api)
    if (!this.wanted.desired.services.has(api)) {
      // It may have been mended since the last look.
      this.wanted.lookAt(api)
      this.wanted.read()
    }
    const { services, broken, contested } = this.wanted.desired
    if (!services.has(api)) {
      const base = (service.desired ?? service.live?.desired)?.base ?? ''
      const error = contested.get(api) ?? broken.get(base)
      throw error === undefined ? coded('service_stopped', { api }) : fromErrorData(error)
    }
    return new Promise((resolve) => {
      service.reloadWaiters.push(resolve)
      this.wanted.lookAt(api)
      this.ring()
    })
  }

  /** What runs is started anew. As it stands on disk: that is read again only where it may not be what runs. */
  restart(api: string): Promise<ReloadResult> {
    const service = this.find(api)
    const target = this.wanted.desired.services.get(api)
    if (this.held || service.dirty || !isAtRest(service, target)) return this.reload(api)
    return new Promise((resolve) => {
      service.reloadWaiters.push(resolve)
      this.startMoves([api], this.machine.options.clock.monotonic())
    })
  }

  /** These files were written for these services: looks now, without grace, and resolves when it is done. */
  apply(paths: ReadonlySet<string>, apis: readonly string[]): Promise<ReloadResult[]> {
    this.wanted.look(paths)
    this.wanted.read()
    for (const api of apis) this.sure.add(api)
    const { services } = this.wanted.desired
    const reloads = new Map<string, Promise<ReloadResult>>()
    for (const api of apis) {
      const service = this.machine.services.get(api)
      const target = services.get(api)
      if (service === undefined || target === undefined) continue
      // What runs never changed, only the bytes beside it: there is nothing to load.
      if (service.live !== undefined && runs(service, target)) {
        reloads.set(api, Promise.resolve(unchanged(service.live.number)))
      } else reloads.set(api, this.reload(api))
    }
    this.look()
    const gone = toErrorData(coded('nothing_to_undo', { api: apis.join(', ') }))
    const resultOf = async (api: string): Promise<ReloadResult> => {
      const service = this.machine.services.get(api)
      return reloads.get(api) ?? (service && this.movements.outcome(service)) ?? failedReload(gone)
    }
    return Promise.all(apis.map(resultOf))
  }

  /** First look: everything is read. */
  start(): void {
    this.wanted.tree.lookAll()
    this.look()
  }

  private look(): void {
    const { machine } = this
    if (machine.stopping || this.held) return
    const since = this.noticedAt ?? machine.options.clock.monotonic()
    this.noticedAt = undefined
    // A freeze of everything holds file edits back; what somebody asks for by name still happens.
    const held = machine.planned && machine.options.switchboard.frozen === 'all'
    if (!held || this.asked().length > 0) {
      this.wanted.look(this.changed)
      this.changed = new Set()
      this.wanted.read()
      const unrested = this.unrested()
      const moves = held ? [] : this.carryOut(this.plan(unrested))
      this.startMoves([...new Set([...moves, ...this.asked()])], since)
      noteRefusals(machine, unrested, this.wanted.desired)
    }
    if (!machine.planned) {
      machine.planned = true
      machine.onPlanned()
    }
    for (const resolve of this.lookWaiters.splice(0)) resolve()
    this.tellRest()
  }

  private unrested(): ServiceRecord[] {
    const { services } = this.wanted.desired
    return [...this.machine.services.values()].filter(
      (service) => service.api !== 'kernel' && !isAtRest(service, services.get(service.api)),
    )
  }

  /** What lasted through its grace is read once more: news of a file that is back may still be on its way. */
  private plan(unrested: readonly ServiceRecord[]): Step[] {
    const input = (): PlanInput => planInput(this.machine, this.wanted.desired, unrested, this.sure)
    const steps = plan(input())
    const ripe = steps.filter(({ kind, api }) => {
      const since = this.machine.services.get(api)?.graceSince
      return since !== undefined && (kind === 'stop' || kind === 'move')
    })
    if (ripe.length === 0) return steps
    for (const { api } of ripe) this.wanted.lookAt(api)
    this.wanted.read()
    return plan(input())
  }

  /** Does every step but the moves, and names those. */
  private carryOut(steps: readonly Step[]): string[] {
    const { clock } = this.machine
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
          this.movements.stop(service)
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
    const now = this.machine.options.clock.monotonic()
    const isAsked = ({ reloadWaiters, deferral }: ServiceRecord): boolean =>
      reloadWaiters.length > 0 || (deferral?.asked === true && deferral.retryAt <= now)
    return [...this.machine.services.values()]
      .filter((service) => !service.busy && isAsked(service))
      .map((service) => service.api)
  }

  private startMoves(apis: string[], since: number): void {
    const members = new Map<string, Member>()
    for (const api of apis) {
      const service = this.machine.services.get(api)
      if (service?.desired === undefined || service.scan === undefined || service.busy) continue
      const { desired, scan, configText } = service
      const asked = service.reloadWaiters.length > 0 || service.deferral?.asked === true
      members.set(api, { service, desired, scan, configText, asked })
    }
    if (members.size === 0) return
    this.machine.events.emit('kernel.batch', { services: [...members.keys()] })
    const moves = [...members.values()].map(({ service, scan }) => ({
      api: service.api,
      changed: goesAlone(service) ? new Set<string>() : changedFiles(service, scan),
    }))
    for (const group of groupMoves(moves)) {
      void this.movements.start(
        group.flatMap((api) => members.get(api) ?? []),
        since,
      )
    }
  }

  private tellRest(): void {
    if (this.scheduled || this.changed.size > 0) return
    for (const service of this.machine.services.values()) if (service.busy || service.reloadWaiters.length > 0) return
    for (const resolve of this.restWaiters.splice(0)) resolve()
  }
}

/** What did not run as it stood on disk, or could not switch together with its neighbors, has no say over them. */
const goesAlone = ({ refusedAttempt, deferral, desired, scan }: ServiceRecord): boolean =>
  refusedAttempt !== undefined ||
  (deferral?.alone === true && deferral.configHash === desired?.hash && deferral.sourceKey === scan?.key)
