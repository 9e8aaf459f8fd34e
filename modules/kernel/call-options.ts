/**
 * Calls that carry options: deadline, abort signal, trace id, detail. Made at entry points (HTTP, tools, chat), so
 * they may cost more: a small Proxy stands before the handle and races each call against its options.
 */
import type { CallsPort, Patience } from '../contracts/calls.ts'
import type { Switchboard } from '../contracts/kernel-port.ts'
import type { CallOptions, DetailedResult } from '../contracts/module.ts'
import type { BegunCall } from '../contracts/observe.ts'
import type { Clock, TimerToken } from '../contracts/seams.ts'
import type { AspectRoute, GenerationRecord, HandleRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { LIMITS } from './limits.ts'
import { beginTelling, tell, toldStream } from './tell.ts'
import { readPlace } from '../lib/trace.ts'

export function withOptions(
  handle: HandleRecord,
  route: AspectRoute,
  options: CallOptions,
  switchboard: Switchboard,
  clock: Clock,
): object {
  // Such a handle may be kept for longer than the kernel that made it lives: it asks for the one that is there.
  const calls = (): CallsPort => callsOf(switchboard)
  const parts = { switchboard, clock }
  return new Proxy(handle, {
    get(target, name) {
      if (name === 'with') return (more: CallOptions) => calls().withOptions(target, route, { ...options, ...more })
      if (name === 'as') {
        return (aspect: string) => {
          const other = calls().asAspect(target, route, aspect) as HandleRecord & { _route: AspectRoute }
          return calls().withOptions(other, other._route, options)
        }
      }
      const own = Reflect.get(target, name, target) as unknown
      if (typeof name === 'symbol' || typeof own !== 'function' || name === 'getStats' || name === 'toString')
        return own
      const kind = route.cells.get(name)?.kind
      // It may turn out to be a stream: what it gives until then can be read as one, which a race would take from it.
      if (kind === undefined && isBare(options)) return own
      if (kind === 'stream') return streamWith(target, route, name, own, options, parts)
      return (...args: unknown[]) => callWith(target, route, name, args, options, { ...parts, calls: calls() })
    },
  })
}

function callsOf({ calls }: Switchboard): CallsPort {
  if (calls === undefined) throw coded('kernel_stopping')
  return calls
}

const isBare = ({ deadlineMs, signal, detail }: CallOptions): boolean =>
  deadlineMs === undefined && signal === undefined && detail !== true

interface Parts {
  switchboard: Switchboard
  clock: Clock
}

/** Of the options a stream takes only its place in a trace. */
function streamWith(
  handle: HandleRecord,
  route: AspectRoute,
  method: string,
  own: unknown,
  options: CallOptions,
  { switchboard, clock }: Parts,
): (...args: unknown[]) => unknown {
  return (...args) => {
    const source = (own as (...args: unknown[]) => unknown).apply(handle, args) as AsyncGenerator<unknown>
    if (switchboard.observers.size === 0) return source
    return toldStream(
      switchboard,
      clock,
      { route, method, caller: handle._caller, args, kind: 'stream' },
      options,
      source,
    )
  }
}

/** Tells of the call, when somebody hears. */
function callWith(
  handle: HandleRecord,
  route: AspectRoute,
  method: string,
  args: unknown[],
  options: CallOptions,
  parts: Parts & { calls: CallsPort },
): Promise<unknown> {
  const { switchboard, clock } = parts
  const told = beginTelling(switchboard, clock, options.trace, options.span)
  if (told === undefined) return race(handle, route, method, args, options, parts, undefined)
  return toldRace(handle, route, method, args, options, parts, told)
}

/** As its caller sees it: with the wait, the deadline, and what refused it. */
async function toldRace(
  handle: HandleRecord,
  route: AspectRoute,
  method: string,
  args: unknown[],
  options: CallOptions,
  parts: Parts & { calls: CallsPort },
  told: BegunCall,
): Promise<unknown> {
  const { switchboard, clock } = parts
  const call = { route, method, caller: handle._caller, args, kind: 'call' } as const
  try {
    const result = await race(handle, route, method, args, options, parts, told)
    const bare = options.detail === true ? (result as DetailedResult).result : result
    tell(switchboard, clock, told, call, { outcome: 'ok', result: bare })
    return result
  } catch (thrown) {
    tell(switchboard, clock, told, call, { outcome: 'error', thrown })
    throw thrown
  }
}

async function race(
  handle: HandleRecord,
  route: AspectRoute,
  method: string,
  args: unknown[],
  options: CallOptions,
  { calls, clock }: Parts & { calls: CallsPort },
  told: BegunCall | undefined,
): Promise<unknown> {
  const { deadlineMs, signal } = options
  const names = { api: route.api, method }
  if (signal?.aborted === true) throw coded('call_aborted', names)
  let generation: GenerationRecord | undefined
  let timer: TimerToken | undefined
  const giveUp: { with: (error: Error) => void } = { with: () => undefined }
  const onAbort = (): void => giveUp.with(coded('call_aborted', names))
  const onRetired = (): void => giveUp.with(retiredError(names, generation))
  const patience: Patience = { end: () => undefined }
  const onAdmit = (admitted: GenerationRecord): void => {
    generation = admitted
    endingOf(admitted).add(onRetired)
  }
  const call = calls.invoke(route, method, handle, args, onAdmit, patience, told)
  // A call that has begun goes on when its caller gives up: nobody can stop code of another service from outside.
  const settled = new Promise<unknown>((resolve, reject) => {
    giveUp.with = reject
    call.then(resolve, reject)
    if (deadlineMs !== undefined) {
      timer = clock.after(deadlineMs, () => reject(coded('deadline_exceeded', { ...names, ms: deadlineMs })))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
  try {
    const result = await settled
    if (options.detail !== true) return result
    return {
      result,
      generation: generation?.number ?? 0,
      sourceHash: generation?.scan.key ?? null,
      configHash: generation?.desired.hash ?? null,
      traceId: options.trace && readPlace(options.trace).trace,
    } satisfies DetailedResult
  } finally {
    // One that still waits is never made.
    patience.end()
    if (timer !== undefined) clock.clear(timer)
    signal?.removeEventListener('abort', onAbort)
    if (generation !== undefined) endingOf(generation).delete(onRetired)
  }
}

/** Who waits for the end of a version, by its signal: one listener for all, since each call is one that comes and goes. */
const ending = new WeakMap<AbortSignal, Set<() => void>>()

function endingOf({ isolator }: GenerationRecord): Set<() => void> {
  const { signal } = isolator.endAbort
  const known = ending.get(signal)
  if (known !== undefined) return known
  const waiting = new Set<() => void>()
  ending.set(signal, waiting)
  signal.addEventListener('abort', () => waiting.forEach((end) => end()), { once: true })
  return waiting
}

/** A version ends when its calls have, or when its drain limit has passed: then who still waits is told. */
export function retiredError(names: { api: string; method: string }, generation: GenerationRecord | undefined): Error {
  const ms = generation?.desired.limits['drain_ms'] ?? generation?.drainMs ?? LIMITS.drain_ms
  return coded('generation_retired', { ...names, generation: generation?.number, ms })
}
