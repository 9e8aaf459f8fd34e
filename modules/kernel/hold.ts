/**
 * Resources a service holds over its versions: a listening socket, a database, a lock. Made once by the first version
 * that asks for the key; later versions get the same one; released when no version that asked is left. What is held
 * reaches the service through `route` only, so a connection opened under one version is served by the next.
 */
import type { Route } from '../contracts/module.ts'
import type { GenerationRecord, HeldRecord, ServiceRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import type { Machine } from './machine.ts'

export async function hold<T>(
  machine: Machine,
  generation: GenerationRecord,
  key: string,
  create: (route: Route) => T | Promise<T>,
  release: (resource: T) => unknown,
): Promise<T> {
  const service = machine.services.get(generation.api)
  if (service === undefined || generation.isolator.endController?.signal.aborted === true) throw coded('stopped')
  const known = service.held.get(key)
  if (known !== undefined) {
    known.users.add(generation)
    return known.resource as Promise<T>
  }
  const { switchboard, clock } = machine.options
  const { api } = service
  const route: Route = (method, ...args) =>
    switchboard.onRoute?.(api, method, args) ?? Promise.reject(coded('kernel_stopping'))
  const record: HeldRecord = {
    key,
    since: clock.monotonic(),
    resource: (async () => create(route))(),
    release: release,
    users: new Set([generation]),
  }
  service.held.set(key, record)
  try {
    return (await record.resource) as T
  } catch (error) {
    if (service.held.get(key) === record) service.held.delete(key)
    throw error
  }
}

/** A version ended: what only it used is released. */
export async function leaveHeld(machine: Machine, service: ServiceRecord, generation: GenerationRecord): Promise<void> {
  for (const record of [...service.held.values()].reverse()) {
    if (!record.users.delete(generation) || record.users.size > 0) continue
    service.held.delete(record.key)
    try {
      await record.release((await record.resource) as never)
    } catch (thrown) {
      machine.faults.noteError(service, thrown, generation)
    }
  }
}
