/**
 * Calls that carry options: deadline, abort signal, trace id, detail. Made at entry points (HTTP, tools, chat), so
 * they may cost more: a small Proxy stands before the handle and races each call against its options.
 */
import type { CallsPort, Patience } from '../contracts/calls.ts'
import type { Switchboard } from '../contracts/kernel-port.ts'
import type { CallOptions, DetailedResult } from '../contracts/module.ts'
import type { Clock, TimerToken } from '../contracts/seams.ts'
import type { AspectRoute, GenerationRecord, HandleRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { LIMITS } from './limits.ts'

export function withOptions(
  handle: HandleRecord,
  route: AspectRoute,
  options: CallOptions,
  switchboard: Switchboard,
  clock: Clock,
): object {
  // Such a handle may be kept for longer than the kernel that made it lives: it asks for the one that is there.
  const calls = (): CallsPort => callsOf(switchboard)
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
      if (route.cells.get(name)?.kind === 'stream') return own
      return (...args: unknown[]) => callWith(target, route, name, args, options, calls(), clock)
    },
  })
}

function callsOf({ calls }: Switchboard): CallsPort {
  if (calls === undefined) throw coded('kernel_stopping')
  return calls
}

async function callWith(
  handle: HandleRecord,
  route: AspectRoute,
  method: string,
  args: unknown[],
  options: CallOptions,
  calls: CallsPort,
  clock: Clock,
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
    admitted.isolator.endAbort.signal.addEventListener('abort', onRetired, { once: true })
  }
  const call = calls.invoke(route, method, handle, args, onAdmit, patience)
  // A call that has begun goes on when its caller gives up: nobody can stop code of another service from outside.
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp.with = reject
    if (deadlineMs !== undefined) {
      timer = clock.after(deadlineMs, () => reject(coded('deadline_exceeded', { ...names, ms: deadlineMs })))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
  try {
    const result = await Promise.race([call, givenUp])
    if (options.detail !== true) return result
    return { result, generation: generation?.number ?? 0, traceId: options.trace } satisfies DetailedResult
  } finally {
    // One that still waits is never made.
    patience.end()
    if (timer !== undefined) clock.clear(timer)
    signal?.removeEventListener('abort', onAbort)
    generation?.isolator.endAbort.signal.removeEventListener('abort', onRetired)
  }
}

/** A version ends when its calls have, or when its drain limit has passed: then who still waits is told. */
export function retiredError(names: { api: string; method: string }, generation: GenerationRecord | undefined): Error {
  const ms = generation?.desired.limits['drain_ms'] ?? generation?.drainMs ?? LIMITS.drain_ms
  return coded('generation_retired', { ...names, generation: generation?.number, ms })
}
