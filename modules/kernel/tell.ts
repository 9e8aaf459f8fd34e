/**
 * Calls told to those who observe them: the one seam for traces, recorded calls and metrics. What is told are calls
 * that take the slow path anyway (samples, calls with options), and all calls of a pair that an observer wants; the hot
 * path knows nothing of it. Only versions that serve hear: at a switch the new one hears from the tick on.
 */
import type { Switchboard } from '../contracts/kernel-port.ts'
import type { BegunCall, CallContext, CallObserver, FinishedCall } from '../contracts/observe.ts'
import type { Clock } from '../contracts/seams.ts'
import type { AspectRoute, CallerRecord, Edge, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { newSpan, newTrace, readPlace } from '../lib/trace.ts'

export interface Observing {
  readonly owner: GenerationRecord
  readonly observer: CallObserver
}

export interface Call {
  route: AspectRoute
  method: string
  caller: CallerRecord
  args: readonly unknown[]
  kind: 'call' | 'stream'
}

const serves = ({ owner }: Observing): boolean => owner.state === 'live'

export function isAllWanted(
  switchboard: Switchboard,
  services: ReadonlyMap<string, ServiceRecord>,
  { caller, callee, generation }: Edge,
): boolean {
  if (switchboard.observers.size === 0) return false
  const pair = {
    caller: caller.api,
    callee,
    caller_record: services.get(caller.api)?.desired?.record,
    callee_record: generation.desired.record,
  }
  for (const one of switchboard.observers) {
    if (!serves(one)) continue
    const { owner, observer } = one
    try {
      if (observer.around?.() !== undefined || observer.wants?.(pair) === true) return true
    } catch (thrown) {
      owner.isolator.onError(thrown, 'wants()', 'subscriber')
    }
  }
  return false
}

/** Undefined when nobody hears. `place` and `span` are the caller's, where it named them. */
export function beginTelling(
  switchboard: Switchboard,
  clock: Clock,
  place: string | undefined,
  span: string | undefined,
): BegunCall | undefined {
  if (switchboard.observers.size === 0) return undefined
  let context: CallContext | undefined
  for (const one of switchboard.observers) if (serves(one)) context ??= one.observer.around?.()
  const above = place ?? context?.current() ?? (context === undefined ? undefined : newTrace())
  const { trace, parent } = above === undefined ? { trace: undefined, parent: undefined } : readPlace(above)
  const at = clock.now()
  return {
    trace,
    // Made for those who can be found by it: making ids is a good part of what telling costs.
    span: span ?? (trace === undefined ? '' : newSpan()),
    parent,
    context,
    at,
    since: clock.monotonic(),
    version: null,
    record: undefined,
  }
}

/** What the call does is done in its place of the trace, while full tracing is on. */
export function runTold<T>({ trace, span, context }: BegunCall, work: () => T): T {
  return context === undefined || trace === undefined ? work() : context.run(`${trace}/${span}`, work)
}

function answeredBy(told: BegunCall, { number: generation, scan, desired }: GenerationRecord): void {
  told.version = { generation, source_hash: scan.key, config_hash: desired.hash }
  told.record = desired.record
}

export function tell(
  switchboard: Switchboard,
  clock: Clock,
  { trace, span, parent, at, since, version, record }: BegunCall,
  { route, method, caller, args, kind }: Call,
  end: { outcome: 'ok'; result: unknown } | { outcome: 'error'; thrown: unknown },
): void {
  const call: FinishedCall = {
    trace,
    span,
    parent,
    caller: caller.api,
    caller_generation: caller.generation,
    callee: route.api,
    aspect: route.aspect,
    method,
    kind,
    version,
    at,
    ms: clock.monotonic() - since,
    outcome: end.outcome,
    args,
    result: end.outcome === 'ok' ? end.result : undefined,
    thrown: end.outcome === 'error' ? end.thrown : undefined,
    record,
  }
  for (const one of switchboard.observers) {
    if (!serves(one)) continue
    const { owner, observer } = one
    try {
      observer.ended(call)
    } catch (thrown) {
      owner.isolator.onError(thrown, 'ended()', 'subscriber')
    }
  }
}

interface Means {
  switchboard: Switchboard
  clock: Clock
}

/** Who gave options has begun already, and tells the call himself: with the deadline he set and the time it waited. */
export function toldOf(
  { switchboard, clock }: Means,
  { told }: { told?: BegunCall | undefined },
  generation: GenerationRecord,
): BegunCall | undefined {
  const begun = told ?? beginTelling(switchboard, clock, undefined, undefined)
  if (begun !== undefined) answeredBy(begun, generation)
  return begun
}

export function tellEnd({ switchboard, clock }: Means, told: BegunCall, call: Call, result: Promise<unknown>): void {
  result.then(
    (value) => tell(switchboard, clock, told, call, { outcome: 'ok', result: value }),
    (thrown: unknown) => tell(switchboard, clock, told, call, { outcome: 'error', thrown }),
  )
}

/** Tells a stream when it has ended or its reader has left. */
export async function* toldStream(
  switchboard: Switchboard,
  clock: Clock,
  call: Call,
  options: { trace?: string; span?: string },
  source: AsyncGenerator<unknown>,
): AsyncGenerator<unknown> {
  const told = beginTelling(switchboard, clock, options.trace, options.span)
  let end: Parameters<typeof tell>[4] = { outcome: 'ok', result: undefined }
  try {
    for await (const item of source) {
      if (told?.version === null) noteVersion(told, call.route, call.method)
      end = { outcome: 'ok', result: item }
      yield item
    }
  } catch (thrown) {
    end = { outcome: 'error', thrown }
    throw thrown
  } finally {
    if (told !== undefined) tell(switchboard, clock, told, call, end)
  }
}

function noteVersion(told: BegunCall, route: AspectRoute, method: string): void {
  const generation = route.cells.get(method)?.admission.generation
  if (generation !== undefined) answeredBy(told, generation)
}
