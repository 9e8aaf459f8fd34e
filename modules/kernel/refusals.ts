/**
 * Why what stands on disk is not what runs: kept beside each service, gone when the two are equal again. Called by the
 * reconciler after each look, for the services that are not at rest.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { DesiredService, ServiceRecord } from '../contracts/state.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { baseOf } from './active.ts'
import { findPath } from './admission.ts'
import type { DesiredState } from './configs.ts'
import type { Machine } from './machine.ts'
import { setState } from './service.ts'

export function noteRefusals(machine: Machine, services: Iterable<ServiceRecord>, desired: DesiredState): void {
  for (const service of services) {
    const { live } = service
    const base = baseOf(service, desired)
    const broken = desired.contested.get(service.api) ?? (base === undefined ? undefined : desired.broken.get(base))
    if (broken !== undefined) {
      service.refusal = broken
      continue
    }
    if (service.state === 'waiting' && service.lastGood?.stage === 'waiting') {
      service.refusal = service.lastGood.error
      continue
    }
    if (service.state === 'waiting' && service.refusedAttempt?.takenBack === undefined) {
      service.refusal = ringOf(machine, service)
      continue
    }
    const target = desired.services.get(service.api)
    if (isRefused(service, target)) {
      const { takenBack: reason, error } = service.refusedAttempt ?? {}
      // The version on disk was taken back in an earlier run.
      if (reason !== undefined && service.state === 'waiting') setState(service, 'quarantined')
      if (error !== undefined) service.refusal = error
      else if (reason !== undefined && service.refusal?.code !== 'version_refused')
        service.refusal = toErrorData(coded('version_refused', { api: service.api, reason }))
      continue
    }
    const equal = live !== undefined && live.scan.key === service.scan?.key && live.desired.hash === target?.hash
    if (!equal) continue
    service.refusal = undefined
    service.refusedAttempt = undefined
    service.lastGood = undefined
    if (service.deferral?.asked !== true) service.deferral = undefined
  }
  machine.lastGood.look(services, desired)
}

/** What stands on disk is what was refused before, perhaps with a broken file in between. */
const isRefused = ({ refusedAttempt, scan }: ServiceRecord, target: DesiredService | undefined): boolean =>
  refusedAttempt !== undefined && refusedAttempt.configHash === target?.hash && refusedAttempt.sourceKey === scan?.key

/** Services whose needs lead back to themselves can never start: that is an error, not a wait. */
function ringOf(machine: Machine, service: ServiceRecord): ErrorData | undefined {
  const waitsFor = (api: string): readonly string[] => {
    const other = machine.services.get(api)
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
