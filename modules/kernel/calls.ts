/**
 * The slow path of a call: everything a forwarder does not decide by itself. First calls, unknown names, waiting,
 * calls with options, streams, refusals. `admission.ts` decides, this carries it out. Every call ends: with its
 * result, or with a coded error.
 */
import type { Patience, PendingCall } from '../contracts/calls.ts'
import type { CallOptions, HandleStats } from '../contracts/module.ts'
import type { BegunCall } from '../contracts/observe.ts'
import type {
  AspectRoute,
  CallerRecord,
  Edge,
  GenerationRecord,
  HandleRecord,
  ServiceRecord,
} from '../contracts/state.ts'
import { decide, whyNot, type Decision } from './admission.ts'
import { withOptions } from './call-options.ts'
import { CallQueue, rejected } from './call-queue.ts'
import { aspectOf, readAspect } from '../lib/module-contract.ts'
import { edgeIdle, retireEdge } from './counts.ts'
import { aspectRouteOf, closeRoute, createHandle, ModuleHandle, openRoute, SAMPLING, type SlowPath } from './handle.ts'
import type { Machine } from './machine.ts'
import { fetchAspect } from './module-host.ts'
import { untilRetired } from './streams.ts'
import { isAllWanted, runTold, tellEnd, toldOf } from './tell.ts'

export class Calls implements SlowPath {
  readonly queue: CallQueue
  private readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
    this.queue = new CallQueue({ machine, attempt: (call) => this.attempt(call) })
  }

  invoke(
    route: AspectRoute,
    method: string,
    handle: HandleRecord | undefined,
    args: unknown[],
    onAdmit?: PendingCall['onAdmit'],
    patience?: Patience,
    told?: BegunCall,
  ): Promise<unknown> {
    // A forwarder taken off its handle may be called with any `this`.
    const known = handle instanceof ModuleHandle ? handle : undefined
    return this.attempt({ route, method, handle: known, args, onAdmit, patience, told })
  }

  private attempt(call: PendingCall): Promise<unknown> {
    const { api } = call.route
    const { _caller: caller } = call.handle ?? call.route.loose
    const service = this.machine.services.get(api)
    const decision = this.decide(api, call.route.aspect, call.method, caller)
    switch (decision.kind) {
      case 'admit':
        return this.admit(call, decision.generation)
      case 'queue':
        return this.queue.add(api, caller, service, call)
      case 'refuse':
        if (service !== undefined) service.refusedCalls++
        else caller.starting?.missing.add(api)
        if (decision.together === true) caller.starting?.together?.add(api)
        return rejected(decision.error)
      default: {
        const never: never = decision
        return never
      }
    }
  }

  private decide(api: string, aspect: string, method: string, caller: CallerRecord): Decision {
    const { services, planned, stopping } = this.machine
    return decide({ api, aspect, method, caller, services, planned, stopping })
  }

  private admit(call: PendingCall, generation: GenerationRecord): Promise<unknown> {
    const { route, method } = call
    const fetched = fetchAspect(route, generation)
    if (fetched !== undefined) return fetched.then(() => this.attempt(call))
    this.machine.options.pulse?.entered(generation.owner)
    this.openAspect(route, generation)
    const cell = route.cells.get(method)
    const forward = (route.prototype as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]
    if (cell === undefined || cell.kind === 'gone' || forward === undefined) {
      return rejected(whyNot(route, method, generation))
    }
    const target = call.handle ?? route.loose
    const edge = this.edgeOf(target, route.api, generation)
    // A call with options and one that is due for a sample are timed, the others are not.
    const timed = edge.admission === SAMPLING || call.onAdmit !== undefined
    call.onAdmit?.(generation)
    edge.admission = generation.admission
    // A closed cell is one of a service that switches: this call may pass all the same.
    const { admission } = cell
    cell.admission = generation.admission
    const since = timed ? this.machine.options.clock.monotonic() : 0
    const told = timed ? toldOf(this.machine.options, call, generation) : undefined
    const result =
      told?.context === undefined
        ? forward.apply(target, call.args)
        : runTold(told, () => forward.apply(target, call.args))
    if (admission.generation === undefined) cell.admission = admission
    if (!timed || cell.kind !== 'call') return result
    this.sample(generation, result, since)
    if (told === undefined) return result
    if (call.onAdmit === undefined)
      tellEnd(this.machine.options, told, { route, method, caller: edge.caller, args: call.args, kind: 'call' }, result)
    if (isAllWanted(this.machine.options.switchboard, this.machine.services, edge)) edge.admission = SAMPLING
    return result
  }

  private edgeOf(handle: HandleRecord, callee: string, generation: GenerationRecord): Edge {
    const known = handle._edge
    if (known?.generation === generation && !known.replaced) return known
    if (known !== undefined) {
      handle._used += known.calls
      retireEdge(known)
    }
    handle._edge = this.createEdge(handle._caller, callee, generation)
    return handle._edge
  }

  /** Aspects other than `default` and `tool` are read from the instance when somebody first asks for them. */
  private openAspect(route: AspectRoute, generation: GenerationRecord): void {
    const { contract, instance, admission } = generation
    if (contract === undefined || instance === undefined || contract.aspects.has(route.aspect)) return
    const found = aspectOf(instance, route.aspect)
    if (found === undefined) return
    const aspect = readAspect(found)
    contract.aspects.set(route.aspect, aspect)
    openRoute(route, aspect, admission, this)
  }

  private createEdge(caller: CallerRecord, callee: string, generation: GenerationRecord): Edge {
    const edge: Edge = {
      admission: generation.admission,
      calls: 0,
      open: 0,
      caller,
      callee,
      generation,
      seenCalls: 0,
      lastUsedAt: this.machine.options.clock.now(),
      replaced: false,
      watched: generation.onIdle !== undefined,
      ok: () => {
        edge.open--
        if (edge.watched) edgeIdle(edge)
      },
      failed: (thrown) => {
        edge.ok()
        this.countError(generation, thrown)
      },
    }
    caller.edges.add(edge)
    generation.edges.add(edge)
    if (isAllWanted(this.machine.options.switchboard, this.machine.services, edge)) edge.admission = SAMPLING
    return edge
  }

  private countError(generation: GenerationRecord, thrown: unknown): void {
    generation.errors++
    this.machine.faults.noteError(this.machine.services.get(generation.api), thrown, generation)
  }

  threw(edge: Edge, thrown: unknown): Promise<never> {
    this.countError(edge.generation, thrown)
    return rejected(thrown)
  }

  track(edge: Edge, result: PromiseLike<unknown>): Promise<unknown> {
    const promise = Promise.resolve(result)
    edge.open++
    promise.then(edge.ok, edge.failed)
    return promise
  }

  private sample(generation: GenerationRecord, result: Promise<unknown>, since: number): void {
    const record = (): void => {
      generation.latencies[generation.latencyNext] = this.machine.options.clock.monotonic() - since
      generation.latencyNext = (generation.latencyNext + 1) % this.machine.limits.latencies_kept
    }
    result.then(record, record)
  }

  /** Now and then: notes which handles were used, and marks the next call of each to be timed. */
  tick(): void {
    const now = this.machine.options.clock.now()
    for (const { live } of this.machine.services.values()) {
      if (live === undefined) continue
      for (const edge of live.edges) {
        if (edge.calls === edge.seenCalls) continue
        edge.seenCalls = edge.calls
        edge.lastUsedAt = now
        if (edge.admission === live.admission) edge.admission = SAMPLING
      }
    }
  }

  /** Resolves when the service is live; rejects when it will not be. For calls that are not made through a handle. */
  async untilLive(service: ServiceRecord): Promise<void> {
    const { _caller: caller } = this.routeTo(service.api, 'default').loose
    const decision = this.decide(service.api, 'default', '', caller)
    if (decision.kind === 'refuse') throw decision.error
    if (decision.kind === 'queue') await this.queue.add(service.api, caller, service, undefined)
  }

  /** A stream is admitted when it is first read, and counts as in flight until it ends or its reader leaves. */
  async *stream(
    route: AspectRoute,
    method: string,
    handle: HandleRecord | undefined,
    args: unknown[],
  ): AsyncGenerator<unknown> {
    const { _caller: caller } = handle instanceof ModuleHandle ? handle : route.loose
    const decision = this.decide(route.api, route.aspect, method, caller)
    if (decision.kind === 'refuse') throw decision.error
    if (decision.kind === 'queue') {
      await this.queue.add(route.api, caller, this.machine.services.get(route.api), undefined)
      yield* this.stream(route, method, handle, args)
      return
    }
    const { generation } = decision
    const cell = route.cells.get(method)
    if (cell?.kind !== 'stream') throw whyNot(route, method, generation)
    const edge = this.createEdge(caller, route.api, generation)
    edge.calls++
    edge.open++
    retireEdge(edge)
    let outcome: () => void = edge.ok
    try {
      yield* untilRetired(cell.fn.apply(cell.self, args) as AsyncGenerator, generation, method)
    } catch (thrown) {
      outcome = () => edge.failed(thrown)
      throw thrown
    } finally {
      outcome()
    }
  }

  asAspect(handle: HandleRecord, route: AspectRoute, aspect: string): object {
    return this.handleFor(handle._caller, route.api, aspect)
  }

  /** One handle a caller, service and aspect, as long as the caller lives. */
  handleFor(caller: CallerRecord, api: string, aspect: string): HandleRecord {
    const key = `${api} ${aspect}`
    const known = caller.handles.get(key)
    if (known !== undefined) return known
    const handle = createHandle(this.routeTo(api, aspect), caller)
    if (!caller.stopped) caller.handles.set(key, handle)
    return handle
  }

  /** Its forwarders are made when somebody first asks for it. */
  private routeTo(api: string, aspect: string): AspectRoute {
    const { services, options } = this.machine
    const route = aspectRouteOf(options.switchboard, api, aspect)
    const service = services.get(api)
    const contract = service?.live?.contract?.aspects.get(aspect)
    if (route.cells.size > 0 || service?.live === undefined || contract === undefined) return route
    openRoute(route, contract, service.live.admission, this)
    if (service.state !== 'live') closeRoute(route)
    return route
  }

  withOptions(handle: HandleRecord, route: AspectRoute, options: CallOptions): object {
    const { switchboard, clock } = this.machine.options
    return withOptions(handle, route, options, switchboard, clock)
  }

  stats(handle: HandleRecord, route: AspectRoute): HandleStats {
    const live = this.machine.services.get(route.api)?.live
    const edge = handle._edge
    const usedSince = edge !== undefined && edge.calls !== edge.seenCalls
    return {
      api: route.api,
      aspect: route.aspect,
      access_count: handle._used + (edge?.calls ?? 0),
      last_access: usedSince ? this.machine.options.clock.now() : (edge?.lastUsedAt ?? null),
      in_flight: edge?.open ?? 0,
      errors: live?.errors ?? 0,
      latency_ms: latencyOf(live),
    }
  }
}

export function latencyOf(generation: GenerationRecord | undefined): { p50: number; p99: number } | null {
  const sorted = [...(generation?.latencies ?? [])].sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}
