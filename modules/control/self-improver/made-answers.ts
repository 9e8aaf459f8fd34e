/**
 * Recorded calls in which another service answers otherwise than it did: one value of one answer changed at a time, as
 * the arguments of made-up calls are. What a service makes of others' answers is met so, where its own arguments do not
 * lead there. Pure and repeatable.
 */
import type { Call } from './bench.ts'
import { interleave, variantsOf, type Named } from './made-calls.ts'

/** A call that was made, and what it asked of others: question as JSON → answer. */
export interface AskingCall extends Call {
  asked: ReadonlyMap<string, unknown>
}

/** Calls of one method whose answers are changed. */
const SEEDS_MAX = 6

export function madeAnswers(
  calls: readonly AskingCall[],
  named: Named,
  limit: number,
): (Call & { given: Record<string, unknown> })[] {
  const seeds = new Map<string, AskingCall[]>()
  for (const call of calls) {
    // What is asked, and of how many, tells calls apart that go other ways.
    const way = `${call.aspect} ${call.method} ${[...call.asked].map(([key, value]) => `${key.split(',', 3).join()} ${shapeOf(value)}`).join()}`
    const known = seeds.get(way) ?? []
    seeds.set(way, known)
    if (known.length < SEEDS_MAX) known.push(call)
  }
  const lists = [...seeds.values()].map((same) => interleave(same.map((call) => changesOf(call, named))))
  return interleave(lists).slice(0, limit)
}

const shapeOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value).sort().join() : typeof value

function changesOf(
  { asked, aspect, method, args }: AskingCall,
  named: Named,
): (Call & { given: Record<string, unknown> })[] {
  return interleave(
    [...asked].map(([key, value]) =>
      variantsOf(value, named).map((other) => ({ aspect, method, args, given: { [key]: other } })),
    ),
  )
}
