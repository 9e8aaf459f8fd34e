/** How often a generation was called and how many calls are open: its own counts and those of the handles to it. */
import type { Edge, GenerationRecord } from '../contracts/state.ts'
import type { Machine } from './machine.ts'

export function callsOf(generation: GenerationRecord): number {
  let calls = generation.calls
  for (const edge of generation.edges) calls += edge.calls
  return calls
}

export function openCalls(generation: GenerationRecord): number {
  let open = generation.inFlight
  for (const edge of generation.edges) open += edge.open
  return open
}

/** A call has ended: whoever waits for the last one is told when it was that. */
export function callEnded(generation: GenerationRecord): void {
  if (generation.onIdle !== undefined && openCalls(generation) === 0) generation.onIdle()
}

/** A call by this edge has ended, and somebody has to know. */
export function edgeIdle(edge: Edge): void {
  if (edge.replaced) retireEdge(edge)
  callEnded(edge.generation)
}

/** From now on the end of each call is told to `onIdle`. */
export function watchCalls(generation: GenerationRecord, onIdle: (() => void) | undefined): void {
  generation.onIdle = onIdle
  for (const edge of generation.edges) edge.watched = onIdle !== undefined || edge.replaced
}

/** The handle of this edge points elsewhere: its count goes to the generation as soon as nothing is open on it. */
export function retireEdge(edge: Edge): void {
  edge.replaced = true
  edge.watched = true
  if (edge.open > 0) return
  edge.generation.calls += edge.calls
  edge.calls = 0
  edge.generation.edges.delete(edge)
  edge.caller.edges.delete(edge)
}

/**
 * Resolves when no call is in flight, or after `ms`. Says which it was. Never, when another kernel takes over meanwhile:
 * that one waits then.
 */
export function drained(machine: Machine, generation: GenerationRecord, ms: number): Promise<boolean> {
  if (machine.gone) return new Promise(() => {})
  if (openCalls(generation) === 0) return Promise.resolve(true)
  const { clock } = machine
  return new Promise((resolve) => {
    const done = (clean: boolean): void => {
      clock.clear(timer)
      watchCalls(generation, undefined)
      resolve(clean)
    }
    const timer = clock.after(ms, () => done(false))
    // A switch and a stop may wait for the same version.
    const earlier = generation.onIdle
    watchCalls(generation, () => {
      earlier?.()
      done(true)
    })
  })
}
