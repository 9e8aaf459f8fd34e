/**
 * Makes calls on three versions side by side: the incumbent twice, so that what depends on time, chance or state is known
 * and blamed on nobody, and the candidate. The first call that only the candidate answers otherwise is the counterexample.
 * What it changed in its arguments and in shared objects is compared as well. Used by `replay` and `made_calls`.
 */
import type { Json } from '../../contracts/seams.ts'
import type { Call } from './bench.ts'
import { failed, passed, type SubjectInput, type Verdict } from './check.ts'
import { regionOf } from './declared.ts'
import { argsText, differenceOf, effectText, learn, noNoise, type Noise, type Outcome } from './outcome.ts'
import type { Probe, Ran, TimedCall } from './probe.ts'
import { slowerIn, Timings } from './timings.ts'

const CHUNK = 100
/** Of calls that the version that serves does not bear either. */
const RENEWED_MAX = 3
/** Examples of what is answered otherwise on purpose. */
const SHOWN_MAX = 3
/** What is slower is so each time. */
const CONFIRMED_MIN = 3
const CONFIRM_CALLS = 20
/** What ends a sandbox on a machine that is merely busy: it is no fault of the code in it. */
export const BUSY_CODES = new Set(['sandbox_host_died', 'sandbox_wall'])

/** What was seen so far. */
interface Seen {
  done: number
  /** what it answers otherwise on purpose */
  meant: string[]
  timings: Timings
}

export async function compareCalls(input: SubjectInput, calls: readonly TimedCall[], made: boolean): Promise<Verdict> {
  const { bench, kernel, config } = input
  const until = kernel.clock.monotonic() + config.replay_ms
  const seen: Seen = { done: 0, meant: [], timings: new Timings() }
  const cpuMs = made ? config.made_calls_cpu_ms : config.replay_cpu_ms
  const begun = await usedBy((await bench.three()).live)
  let [renewed, died] = [0, 0]
  for (let from = 0; from < calls.length; from += CHUNK) {
    if (kernel.clock.monotonic() > until || renewed > RENEWED_MAX) break
    const chunk = calls.slice(from, from + CHUNK)
    const three = await bench.three()
    // The calls come in turns from all methods: a part of them says something of each.
    if ((await usedBy(three.live)) - begun > cpuMs) break
    const [live, again, next] = await Promise.all([
      three.live.run(chunk),
      three.again.run(chunk),
      three.next.run(chunk),
    ])
    const found = firstDifference(input, chunk, [live, again, next], made, seen)
    if (found !== undefined) return found
    const isAlone = live.died === undefined && again.died === undefined
    if (next.died !== undefined && isAlone && !BUSY_CODES.has(next.died.code)) {
      const deadly = await deadlyIn(input, chunk, next, ++died)
      if (deadly !== undefined) return deadly
      from -= CHUNK
    }
    if (!isAlone || next.died !== undefined) {
      renewed++
      await bench.renew()
    }
  }
  const wrong = (await sideEffects(input)) ?? (made ? undefined : await slower(input, calls, seen.timings))
  if (wrong !== undefined) return wrong
  if (seen.done === 0) return failed(`none of ${calls.length} calls could be compared in ${config.replay_ms} ms`)
  return passed(summary(calls.length, seen, bench.noise, made), seen.timings.summary())
}

const usedBy = async ({ trial }: Probe): Promise<number> => (await trial.usage())?.cpu_ms ?? 0

function firstDifference(
  { bench, candidate }: SubjectInput,
  calls: readonly Call[],
  [live, again, next]: readonly [Ran, Ran, Ran],
  made: boolean,
  seen: Seen,
): Verdict | undefined {
  const both = Math.min(live.outcomes.length, again.outcomes.length)
  for (let index = 0; index < both; index++)
    learnOf(bench.noise, calls[index], live.outcomes[index], again.outcomes[index])
  for (let index = 0; index < Math.min(both, next.outcomes.length); index++) {
    const [call, a, b, c] = [calls[index], live.outcomes[index], again.outcomes[index], next.outcomes[index]]
    if (call === undefined || a === undefined || b === undefined || c === undefined) break
    if (isLate(a) || isLate(b)) continue
    seen.done++
    if (!made) bench.noteAsked(call, a.effects)
    const difference = differenceOf(a, c, noiseOf(bench.noise, call), made)
    if (difference === undefined) {
      seen.timings.add(keyOf(call), a.ms, b.ms, c.ms)
      continue
    }
    // What the change says of itself is for a person to judge; that it does not answer at all is not.
    if (isLate(c) || !isMeant(call, [a, c], candidate.changes)) return counterexample(call, difference)
    seen.meant.push(`${shownCall(call)}: ${difference}`)
  }
  return undefined
}

const isLate = ({ outcome }: Outcome): boolean => outcome === 'deadline_exceeded'

/** Also a call whose answer follows from what was made up for others: where it lies says nothing then. */
export const isMeant = (call: Call, outcomes: readonly Outcome[], changes: Parameters<typeof regionOf>[1]): boolean =>
  regionOf(call, changes) !== undefined ||
  (outcomes.some(({ alike }) => alike) && changes.some(({ method }) => method === call.method))

export const keyOf = ({ aspect, method }: Call): string => `${aspect} ${method}`

export function byMethod<C extends Call>(calls: readonly C[]): C[][] {
  const methods = new Map<string, C[]>()
  for (const call of calls) methods.set(keyOf(call), [...(methods.get(keyOf(call)) ?? []), call])
  return [...methods.values()]
}

export function noiseOf(noise: Map<string, Noise>, call: Call): Noise {
  const known = noise.get(keyOf(call)) ?? noNoise()
  noise.set(keyOf(call), known)
  return known
}

function learnOf(
  noise: Map<string, Noise>,
  call: Call | undefined,
  a: Outcome | undefined,
  b: Outcome | undefined,
): void {
  if (call !== undefined && a !== undefined && b !== undefined) learn(noiseOf(noise, call), a, b)
}

/** What none of them does to a candidate that has just begun is blamed on them when it happens again. */
const DIED_MAX = 2

/** Which of these calls ends the sandbox of a candidate that has just begun. */
async function deadlyIn(
  { bench }: SubjectInput,
  calls: readonly TimedCall[],
  { died }: Ran,
  times: number,
): Promise<Verdict | undefined> {
  const why = `it ended the sandbox: ${died?.code} ${died?.message}`
  const fresh = await bench.probe('candidate')
  try {
    for (const call of calls) if ((await fresh.run([call])).died !== undefined) return counterexample(call, why)
  } finally {
    await bench.end(fresh.trial)
  }
  if (times < DIED_MAX) return undefined
  return failed(`${why}, in calls as ${calls.slice(0, SHOWN_MAX).map(shownCall).join('; ')}`)
}

async function sideEffects({ bench }: SubjectInput): Promise<Verdict | undefined> {
  const { live, next } = await bench.three()
  const known = new Set(live.trial.faults.map(({ message }) => message))
  const fault = next.trial.faults.find(({ message }) => !known.has(message))
  if (fault !== undefined) return failed(`an error nobody awaits: ${fault.message}`)
  const [was, is] = await Promise.all([live.report(), next.report()])
  const mutated = is.mutated.filter((one) => !was.mutated.includes(one))
  if (mutated.length > 0)
    return failed(`${mutated.join(', ')} changes its arguments, which belong to the caller: copy them first`)
  const polluted = is.polluted.filter((one) => !was.polluted.includes(one))
  return polluted.length === 0 ? undefined : failed(`it changes what all code shares: ${polluted.join(', ')}`)
}

/** Once may be the machine: what seems slower is measured again, one version after the other. */
async function slower(
  { bench, config }: SubjectInput,
  calls: readonly TimedCall[],
  first: Timings,
): Promise<Verdict | undefined> {
  let found = slowerIn(first, config)
  for (let round = 0; round < CONFIRMED_MIN && found !== undefined; round++) {
    const key = found.key
    const same = calls.filter((call) => keyOf(call) === key).slice(-CONFIRM_CALLS)
    const { live, again, next } = await bench.three()
    const [a, b, c] = [await live.run(same), await again.run(same), await next.run(same)]
    const timings = new Timings()
    for (const [index, one] of c.outcomes.entries())
      timings.add(key, a.outcomes[index]?.ms ?? 0, b.outcomes[index]?.ms ?? 0, one.ms)
    found = slowerIn(timings, config)
  }
  return found === undefined ? undefined : failed(found.message, found.details)
}

function summary(calls: number, { done, meant }: Seen, noise: ReadonlyMap<string, Noise>, made: boolean): string {
  const alike = done - meant.length
  const all = done < calls ? `${alike} of ${calls}` : String(alike)
  const otherwise =
    meant.length === 0
      ? ''
      : `; ${meant.length} otherwise, where the change says so, as ${meant.slice(0, SHOWN_MAX).join('; ')}`
  const noisy = [...noise].filter(([, one]) => one.outcome || one.places.size > 0).map(([key]) => key)
  const beside =
    noisy.length === 0 ? '' : `; not the same twice by themselves, and compared without that: ${noisy.join(', ')}`
  return `${all} ${made ? 'made-up' : 'recorded'} calls answered alike${otherwise}${beside}`
}

const shownCall = ({ aspect, method, args, given = {} }: Call & Pick<TimedCall, 'given'>): string => {
  const others = Object.entries(given).map(
    ([asked, value]) => `, where ${effectText(asked)} is ${JSON.stringify(value)}`,
  )
  return `${aspect === 'default' ? method : `${aspect}:${method}`}${argsText(args)}${others.join('')}`
}

export function counterexample(call: Call & Pick<TimedCall, 'given'>, difference: string): Verdict {
  const { aspect, method, args } = call
  // Without what others answered it would show nothing.
  if (call.given !== undefined) return failed(`counterexample: ${shownCall(call)}: ${difference}`, { difference })
  const kept = JSON.parse(JSON.stringify({ aspect, method, args: args.map((one) => one ?? null) })) as Json
  return failed(`counterexample: ${shownCall(call)}: ${difference}`, { counterexample: kept, difference })
}
