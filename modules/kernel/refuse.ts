/**
 * What becomes of a movement that did not switch: waiting, failed, put off, or overtaken by a newer one. Records the
 * reason beside the service and says when it is tried again. The incumbent is no business of this file.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { ReloadResult } from '../contracts/kernel.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import type { Machine } from './machine.ts'
import { setState } from './service.ts'
import type { Candidate } from './switch.ts'

export type Problem =
  | { kind: 'abandoned'; of: Candidate }
  | { kind: 'waiting'; of: Candidate; for: string[] }
  | { kind: 'failed'; of: Candidate; error: ErrorData }
  /** `alone`: they cannot switch together */
  | { kind: 'deferred'; of: Candidate; error: ErrorData; alone?: boolean }

export const failedReload = (error: ErrorData): ReloadResult => ({
  ok: false,
  generation: null,
  error,
  rolled_back: false,
  state: 'none',
  from: null,
  ms: 0,
  failed_calls: 0,
  deferred: false,
})

const NOTHING: ErrorData = { code: '', message: '', hint: '' }

/** Put off, and nothing is wrong: it follows by itself. */
export const deferredReload = (generation: number): ReloadResult => ({
  ...failedReload(NOTHING),
  ok: true,
  error: null,
  generation,
  from: generation,
  deferred: true,
})

/** What is asked for runs already, with its state. */
export const unchanged = (generation: number): ReloadResult => ({
  ...deferredReload(generation),
  deferred: false,
  state: 'carried',
})

export function settleFailure(machine: Machine, candidate: Candidate, problem: Problem): ReloadResult {
  const { service, incumbent, refusedBefore } = candidate
  const result: ReloadResult = {
    ...failedReload(errorOf(candidate, problem)),
    generation: service.live?.number ?? null,
    from: incumbent?.number ?? null,
    failed_calls: service.refusedCalls - refusedBefore,
  }
  switch (problem.kind) {
    case 'abandoned':
      notRebuilt(machine, candidate)
      return result
    case 'deferred':
      notRebuilt(machine, candidate)
      putOff(machine, candidate, problem.alone === true)
      machine.events.emit('service.deferred', { api: service.api, error: result.error })
      machine.options.log.warn(`${service.api}  ${result.error?.message ?? ''}`, { service: service.api })
      return { ...result, deferred: true }
    case 'waiting':
      if (problem.of === candidate) wait(machine, candidate, problem.for)
      else refuse(machine, candidate, result.error as ErrorData, problem.of)
      return result
    case 'failed':
      refuse(machine, candidate, result.error as ErrorData, problem.of)
      return result
    default: {
      const never: never = problem
      return never
    }
  }
}

/**
 * Whoever calls a first version waits for the next one. Where an incumbent had to end first and could not be built again,
 * nobody waits until something changes.
 */
function notRebuilt(machine: Machine, { service }: Candidate): void {
  if (service.live !== undefined) return
  if (service.state === 'starting') setState(service, 'waiting')
  if (service.state !== 'switching') return
  setState(service, 'failed')
  const reason = 'the version before ended for a new one, and neither could be built'
  machine.calls.queue.refuseAll(service, coded('service_failed', { api: service.api, reason }))
}

/** A good member of a group whose other member failed stays on its incumbent, and says whose fault it was. */
function errorOf(candidate: Candidate, problem: Problem): ErrorData {
  const { api } = problem.of.service
  const error = (): ErrorData => {
    switch (problem.kind) {
      case 'abandoned':
        return toErrorData(coded('stopped'))
      case 'waiting':
        return toErrorData(coded('service_failed', { api, reason: `it waits for ${problem.for.join(', ')}` }))
      case 'failed':
      case 'deferred':
        return problem.error
      default: {
        const never: never = problem
        return never
      }
    }
  }
  const cause = error()
  return problem.of === candidate || problem.kind === 'abandoned'
    ? cause
    : { ...cause, message: `${api}, which shares a changed file, failed: ${cause.message}` }
}

function wait(machine: Machine, { service, desired, scan }: Candidate, needs: string[]): void {
  service.waitingFor = needs
  service.refusedAttempt = { configHash: desired.hash, sourceKey: scan.key }
  // What it waits for brings it back: an earlier delay has nothing more to say.
  service.deferral = undefined
  if (service.live !== undefined) return
  setState(service, 'waiting')
  machine.events.emit('service.waiting', { api: service.api, waiting_for: needs })
}

/** `of` is the one that failed: the candidate itself, or a neighbor. */
function refuse(machine: Machine, candidate: Candidate, error: ErrorData, of: Candidate): void {
  const { service, desired, scan, prepared, generation } = candidate
  const asked = prepared.kind === 'failed' ? prepared.asked : []
  const again = machine.secondTries.failed(service, generation, asked, error)
  const disk = prepared.kind === 'failed' && prepared.disk
  if (disk) machine.secondTries.diskRefused(service)
  const { refusal } = service
  // It is tried again for as long as nothing can be written: to be told of it once is enough.
  const told = disk && refusal?.code === error.code && refusal.message === error.message
  const reason = told ? refusal : error
  const { api } = of.service
  const refused = { configHash: desired.hash, sourceKey: scan.key, error: reason }
  service.refusedAttempt = again ? undefined : { ...refused, ...(api !== service.api && { because: api }) }
  service.refusal = reason
  service.lastErrorAt = machine.options.clock.now()
  service.waitingFor = []
  service.deferral = undefined
  service.addedLater = false
  // Callers go on waiting where the last good version comes in its place.
  if (service.live === undefined && !machine.lastGood.standsIn(candidate, error)) {
    setState(service, error.code === 'sandbox_quarantined' ? 'quarantined' : 'failed')
    const { message } = error
    machine.calls.queue.refuseAll(service, coded('service_failed', { api: service.api, reason: message }))
  }
  if (!told) machine.refused(service, error, scan.modified_ms)
}

function putOff(machine: Machine, { service, desired, scan, asked }: Candidate, alone: boolean): void {
  const { clock } = machine
  const { defer_ms, defer_ms_max } = machine.limits
  const attempts = (service.deferral?.attempts ?? 0) + 1
  const ms = Math.min(defer_ms * 2 ** (attempts - 1), defer_ms_max)
  service.deferral = {
    configHash: desired.hash,
    sourceKey: scan.key,
    attempts,
    asked: asked || (service.deferral?.asked ?? false),
    alone,
    retryAt: clock.monotonic() + ms,
  }
  armDeferral(machine, service)
}

/** Looks again when a version that was put off is due. */
export function armDeferral(machine: Machine, { deferral }: ServiceRecord): void {
  if (deferral === undefined) return
  const { clock } = machine
  clock.after(Math.max(0, deferral.retryAt - clock.monotonic()), () => machine.ring(), { ref: false })
}
