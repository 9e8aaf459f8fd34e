/**
 * May this call go now? Pure: from how the service and its caller stand, to admit, queue or refuse with the reason.
 * `calls.ts` carries it out.
 */
import type { AspectRoute, CallerRecord, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { coded, fromErrorData } from '../lib/errors.ts'
import { nearText } from '../lib/near.ts'
import { LIFECYCLE_NAMES } from '../lib/module-contract.ts'

export type Decision =
  | { kind: 'admit'; generation: GenerationRecord }
  | { kind: 'queue' }
  /** `together`: the callee is replaced together with the caller, and cannot answer before */
  | { kind: 'refuse'; error: Error; together?: true }

export interface AdmissionInput {
  api: string
  aspect: string
  method: string
  caller: CallerRecord
  services: ReadonlyMap<string, ServiceRecord>
  /** false until the first plan: any name may still come */
  planned: boolean
  stopping: boolean
}

const refuse = (error: Error): Extract<Decision, { kind: 'refuse' }> => ({ kind: 'refuse', error })

export function decide(input: AdmissionInput): Decision {
  const { api, aspect, method, caller, services } = input
  if (caller.stopped) return refuse(coded('caller_stopped', { caller: caller.api, api }))
  if (method.startsWith('_')) return refuse(coded('private_member', { api, method }))
  // Tools are called by their own names: only a module's methods can clash with the kernel's.
  if (aspect !== 'tool' && LIFECYCLE_NAMES.has(method)) return refuse(coded('lifecycle_member', { api, method }))
  const service = services.get(api)
  if (service === undefined) {
    return input.planned
      ? refuse(coded('service_not_found', { api, near: nearText(api, services.keys()) }))
      : { kind: 'queue' }
  }
  switch (service.state) {
    case 'live':
      return service.live === undefined ? { kind: 'queue' } : { kind: 'admit', generation: service.live }
    case 'switching':
      if (service.live !== undefined && mayPass(service, caller, services))
        return { kind: 'admit', generation: service.live }
      return queueUnlessRing(input)
    case 'waiting':
    case 'starting':
      return queueUnlessRing(input)
    case 'draining':
    case 'stopped':
      return refuse(input.stopping ? coded('kernel_stopping') : coded('service_stopped', { api }))
    case 'tripped':
    case 'quarantined':
    case 'failed': {
      // These have codes of their own, which callers can tell apart.
      if (service.state !== 'failed' && service.refusal !== undefined) return refuse(fromErrorData(service.refusal))
      const reason = (service.refusal ?? service.lastError)?.message ?? service.state
      return refuse(coded('service_failed', { api, reason }))
    }
    default: {
      const never: never = service.state
      return never
    }
  }
}

/**
 * Calls from an init() that would close a ring of services waiting for each other: in theirs, or because those that are
 * replaced together go live together.
 */
function queueUnlessRing({ api, caller, services }: AdmissionInput): Decision {
  if (caller.starting === undefined) return { kind: 'queue' }
  const candidateOf = (name: string): GenerationRecord | undefined => services.get(name)?.candidate
  const waitsFor = (name: string): Iterable<string> => candidateOf(name)?.caller.starting?.waitsFor ?? []
  const ring = findPath(api, caller.api, waitsFor)
  if (ring !== undefined) return refuse(coded('needs_ring', { ring: [caller.api, ...ring].join(' → ') }))
  const alsoTogether = (name: string): Iterable<string> => [...waitsFor(name), ...(candidateOf(name)?.group ?? [])]
  if (findPath(api, caller.api, alsoTogether) === undefined) return { kind: 'queue' }
  return { ...refuse(entangled(caller.api, api)), together: true }
}

/** `api` cannot start before `other` answers, and `other` does not answer before `api` has started. */
export const entangled = (api: string, other: string): Error =>
  coded('reload_deferred', { api, reason: `its init() needs ${other}, which is replaced together with it` })

/** Services a service has an open call to, or one that waits in a queue: its own calls cannot end before those. */
function* openCallees(service: ServiceRecord | undefined): Iterable<string> {
  if (service === undefined) return
  for (const generation of [service.live, ...service.draining]) {
    if (generation === undefined) continue
    for (const edge of generation.caller.edges) if (edge.open > 0) yield edge.callee
    yield* generation.caller.waiting.keys()
  }
}

/**
 * While a service waits for its open calls to end, a call those very calls depend on must not wait for it: its own
 * tasks pass, and so does whoever it has an open call to, directly or through others. The same holds for the services
 * that become quiet together with it.
 */
export function mayPass(
  service: ServiceRecord,
  caller: CallerRecord,
  services: ReadonlyMap<string, ServiceRecord>,
): boolean {
  for (const api of service.quietWith ?? [service.api]) if (dependsOn(api, caller.api, services)) return true
  return false
}

/** Whether `api` cannot come to rest before a call of `caller` has its answer: it calls it, directly or through others. */
export function dependsOn(api: string, caller: string, services: ReadonlyMap<string, ServiceRecord>): boolean {
  return api === caller || findPath(api, caller, (name) => openCallees(services.get(name))) !== undefined
}

/** While `work` is under way, `caller` counts as waiting for `api`: its calls cannot end before it. */
export async function waitingFor<T>(caller: CallerRecord, api: string, work: Promise<T>): Promise<T> {
  startWaiting(caller, api)
  try {
    return await work
  } finally {
    stopWaiting(caller, api)
  }
}

export function startWaiting({ waiting }: CallerRecord, api: string): void {
  waiting.set(api, (waiting.get(api) ?? 0) + 1)
}

export function stopWaiting({ waiting }: CallerRecord, api: string): void {
  const left = (waiting.get(api) ?? 1) - 1
  if (left > 0) waiting.set(api, left)
  else waiting.delete(api)
}

/** The names from `from` to `to` along `next`, both ends included; undefined when there is no way. */
export function findPath(from: string, to: string, next: (name: string) => Iterable<string>): string[] | undefined {
  const paths: string[][] = [[from]]
  const seen = new Set([from])
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
    const last = path.at(-1) ?? from
    if (last === to) return path
    for (const name of next(last)) {
      if (seen.has(name)) continue
      seen.add(name)
      paths.push([...path, name])
    }
  }
  return undefined
}

/** A version that may be called has no such method. */
export function whyNot({ api, aspect }: AspectRoute, method: string, generation: GenerationRecord): Error {
  const contract = generation.contract?.aspects.get(aspect)
  if (contract === undefined) return coded('aspect_not_found', { api, aspect })
  if (contract.values.has(method)) return coded('not_a_method', { api, method })
  return coded('method_not_found', { api, method, near: nearText(method, contract.methods.keys()) })
}
