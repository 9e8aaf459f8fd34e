/**
 * What follows a failure of a service's own work. A fresh version that replaced another is blamed and taken back; else
 * the version is started anew after a pause that doubles; too many restarts within the window, and the service is
 * switched off until its file changes or an operator reloads it. `decide` is pure; `failed` acts.
 */
import type { DesiredService, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import type { ErrorData } from '../contracts/errors.ts'
import type { ReloadResult } from '../contracts/kernel.ts'
import { coded, describeError, fromErrorData, toErrorData, type CodedError } from '../lib/errors.ts'
import type { Limits } from './limits.ts'
import type { Machine } from './machine.ts'
import { endService } from './switch.ts'

const QUARANTINED = 'sandbox_quarantined'

export interface RestartRule {
  max: number
  window_ms: number
  pause_ms: number
  pause_ms_max: number
}

export type Remedy = { kind: 'back' } | { kind: 'restart'; ms: number } | { kind: 'trip' } | { kind: 'quarantine' }

/** `restarts`: how many there were within the window. `ageMs`: how long the version has been live, restarts included. */
export function decide(input: {
  restarts: number
  ageMs: number
  wayBack: boolean
  freshMs: number
  rule: RestartRule
  /** its source may not run any more */
  quarantined?: boolean
}): Remedy {
  if (input.quarantined === true) return { kind: input.wayBack ? 'back' : 'quarantine' }
  if (input.wayBack && input.ageMs <= input.freshMs) return { kind: 'back' }
  if (input.restarts >= input.rule.max) return { kind: 'trip' }
  return { kind: 'restart', ms: Math.min(input.rule.pause_ms * 2 ** input.restarts, input.rule.pause_ms_max) }
}

/** `restart:` of a config over the limits: a map completes them, `false` means none at all. */
export function ruleOf(desired: Pick<DesiredService, 'restart'>, limits: Limits): RestartRule {
  const base = {
    max: limits.restarts_max,
    window_ms: limits.restart_window_ms,
    pause_ms: limits.restart_pause_ms,
    pause_ms_max: limits.restart_pause_ms_max,
  }
  const { restart } = desired
  if (restart === false) return { ...base, max: 0 }
  if (typeof restart !== 'object' || restart === null) return base
  const own = restart as Readonly<Record<string, unknown>>
  // Looked up at every late error, of which there can be many.
  const of = (key: keyof RestartRule): number => {
    const value = own[key]
    return typeof value === 'number' && value >= 0 ? value : base[key]
  }
  return { max: of('max'), window_ms: of('window_ms'), pause_ms: of('pause_ms'), pause_ms_max: of('pause_ms_max') }
}

export interface SupervisorActions {
  rollback(api: string, reason: string): Promise<ReloadResult | undefined>
  restart(api: string): Promise<ReloadResult | undefined>
  /** kernels change hands */
  isHeld(): boolean
}

export class Supervisor {
  private readonly machine: Machine
  private readonly actions: SupervisorActions

  constructor(machine: Machine, actions: SupervisorActions) {
    this.machine = machine
    this.actions = actions
  }

  /** A late error: one is a nuisance, several within the window are a failure. Nothing more follows until it starts anew. */
  lateError(generation: GenerationRecord, error: ErrorData): void {
    const service = this.supervised(generation)
    if (service === undefined || service.supervision.restartAt !== undefined) return
    const { machine } = this
    const { faults } = service.supervision
    const most = Math.max(1, machine.limits.late_errors_max)
    const now = machine.options.clock.monotonic()
    faults.push(now)
    if (faults.length < most) return
    const first = faults.splice(0, faults.length - most + 1).at(-1) ?? now
    if (first > now - ruleOf(generation.desired, machine.limits).window_ms) this.failed(generation, error)
  }

  /**
   * Its work ended with an error, or goes wrong all the time. `atStart`: it could not even be started anew; such failures
   * count however long each start took.
   */
  failed(generation: GenerationRecord, error: ErrorData, atStart = false): void {
    const service = this.supervised(generation)
    if (service === undefined || service.supervision.restartAt !== undefined) return
    if (!atStart) this.forgetOldRestarts(service, generation)
    this.act(service, generation, error, this.hasWayBack(service, generation, error))
  }

  private hasWayBack(service: ServiceRecord, generation: GenerationRecord, { code }: ErrorData): boolean {
    const { freshMs, ageMs } = this.ageOf(generation)
    // Another module ended the process they shared.
    if (code === 'sandbox_host_died') return false
    const sought = ageMs <= freshMs || code === QUARANTINED
    // What is kept on disk is read only where it would be used.
    return service.kept !== undefined || (sought && this.machine.lastGood.versionFor(service) !== undefined)
  }

  private ageOf({ versionSince }: GenerationRecord): { freshMs: number; ageMs: number } {
    const now = this.machine.options.clock.monotonic()
    return { freshMs: this.machine.limits.fresh_ms, ageMs: now - (versionSince ?? now) }
  }

  private forgetOldRestarts({ supervision }: ServiceRecord, { desired }: GenerationRecord): void {
    const since = this.machine.options.clock.monotonic() - ruleOf(desired, this.machine.limits).window_ms
    supervision.restarts = supervision.restarts.filter((time) => time > since)
  }

  private act(service: ServiceRecord, generation: GenerationRecord, error: ErrorData, wayBack: boolean): void {
    const { supervision } = service
    const rule = ruleOf(generation.desired, this.machine.limits)
    supervision.faults = []
    const remedy = decide({
      restarts: supervision.restarts.length,
      wayBack,
      rule,
      quarantined: error.code === QUARANTINED,
      ...this.ageOf(generation),
    })
    switch (remedy.kind) {
      case 'back':
        // While kernels change hands nothing can be taken back: it starts anew, and the next failure is judged then.
        if (this.actions.isHeld()) this.restartIn(service, generation, 0)
        else void this.goBack(service, generation, error)
        break
      case 'trip':
        void this.trip(service, rule, error)
        break
      case 'quarantine':
        void this.switchOff(service, 'quarantined', fromErrorData(error))
        break
      case 'restart':
        this.restartIn(service, generation, remedy.ms)
        break
      default: {
        const never: never = remedy
        return never
      }
    }
  }

  /** The service of a version that serves now. What a version does at its end is nobody's failure. */
  private supervised(generation: GenerationRecord): ServiceRecord | undefined {
    const service = this.machine.services.get(generation.api)
    return service?.live === generation && service.state === 'live' && !this.machine.stopping ? service : undefined
  }

  /** Where the version before does not start either, this failure is one like any other. */
  private async goBack(service: ServiceRecord, generation: GenerationRecord, error: ErrorData): Promise<void> {
    const { log } = this.machine.options
    const { supervision } = service
    // Owed until it has an outcome, as a start anew for a kernel that takes over before.
    supervision.restartAt = this.machine.clock.monotonic()
    const reason = `it failed soon after it went live: ${describeError(error)}`
    const to = service.kept === undefined ? 'its last good version' : `g${service.kept.number}`
    log.error(`${service.api}  goes back to ${to}: ${reason}`, { service: service.api })
    const back = await this.actions.rollback(service.api, reason).catch((thrown: unknown) => {
      log.warn(String(thrown))
      return null
    })
    // Another kernel has taken over, and does what is owed.
    if (back === undefined) return
    supervision.restartAt = undefined
    if (back?.ok !== true && this.supervised(generation) !== undefined) this.act(service, generation, error, false)
  }

  private restartIn(service: ServiceRecord, generation: GenerationRecord, ms: number): void {
    const { log } = this.machine.options
    const { supervision, api } = service
    supervision.restarts.push(this.machine.clock.monotonic())
    supervision.restarted = (supervision.restarted ?? 0) + 1
    this.machine.events.emit('service.restarting', { api, generation: generation.number, ms })
    log.warn(`${api}  starts anew in ${ms} ms`, { service: api })
    supervision.restartAt = this.machine.clock.monotonic() + ms
    this.arm(service)
  }

  /** Restarts that are owed: also those another kernel has promised. */
  arm(service: ServiceRecord): void {
    const { supervision, live } = service
    const { clock } = this.machine
    if (supervision.restartAt === undefined || live === undefined) return
    supervision.timer = clock.after(
      Math.max(0, supervision.restartAt - clock.monotonic()),
      () => {
        supervision.timer = undefined
        if (this.supervised(live) === undefined) supervision.restartAt = undefined
        else void this.restart(service, live)
      },
      { ref: false },
    )
  }

  /**
   * A start that fails is the next failure: it is tried again as long as the rule allows. It is owed until it has an
   * outcome: a kernel that takes over before that begins it anew.
   */
  private async restart({ api, supervision }: ServiceRecord, live: GenerationRecord): Promise<void> {
    const result = await this.actions.restart(api).catch(() => undefined)
    if (this.machine.gone) return
    supervision.restartAt = undefined
    // Without a result it is wanted no more.
    if (result?.ok === false && !result.deferred && result.error !== null) this.failed(live, result.error, true)
  }

  private async trip(service: ServiceRecord, rule: RestartRule, error: ErrorData): Promise<void> {
    const { api } = service
    const details = { api, restarts: rule.max + 1, ms: rule.window_ms, reason: error.message }
    await this.switchOff(service, 'tripped', coded('service_tripped', details))
  }

  /** Until its file changes, or somebody asks for it by name. */
  private async switchOff(service: ServiceRecord, state: 'tripped' | 'quarantined', reason: CodedError): Promise<void> {
    const { api, live } = service
    service.refusal = toErrorData(reason)
    // A version that was taken back is still what stands on disk.
    if (live !== undefined && service.refusedAttempt?.takenBack === undefined) {
      const { desired, scan } = live
      service.refusedAttempt = { configHash: desired.hash, sourceKey: scan.key, error: service.refusal }
    }
    service.supervision.restarts = []
    this.machine.events.emit(`service.${state}`, { api, error: service.refusal })
    this.machine.options.log.error(`${api}  ${reason.message}`, { service: api, code: reason.code })
    await endService(this.machine, service, state, reason)
    this.machine.ring()
  }
}
