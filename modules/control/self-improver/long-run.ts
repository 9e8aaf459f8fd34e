/**
 * Many calls of one method on a new instance of each version, both going the very same way, some with values that were
 * never there before, while the clock goes on by seconds, then days, then years. Each answer is compared by a number that
 * stands for it; processor time and memory are compared by stretches, made in turns. A bomb after thousands of calls, a
 * drift, what grows or becomes slower is met so. Used by `endurance`.
 */
import type { Call, Working } from './bench.ts'
import { failed, type SubjectInput, type Verdict } from './check.ts'
import { BUSY_CODES, counterexample, isMeant, keyOf, noiseOf } from './compare.ts'
import { differenceOf } from './outcome.ts'
import type { LongRun, Probe } from './probe.ts'
import { dearer, growing, isEnough, type Stretch } from './stretches.ts'

const FIRST = 20
/** Calls of one stretch. */
const STRETCH_MAX = 1_000
const STRETCH_CPU_MS = 12
const EACH_MS = 7
/** Stretches from one collection to the next, at most. */
const COLLECT_EVERY = 4
/** Differences of a stretch that are looked at, and stretches. What differs in each and means nothing is a field more. */
const LOOKED_AT = 20
const LOOKS_MAX = 3
/** A version that makes so small a share of the calls in the time of a stretch waits. */
const SHARE_MIN = 0.5

/** What was run, to be run again. */
interface Course {
  calls: readonly Call[]
  runs: LongRun[]
  stretches: Stretch[]
  /** memory is measured after what nobody keeps was collected, exact and slow: from this stretch on, each so many; null: never */
  collects: { from: number; every: number } | null
}

/** `calls`: of one method. */
export async function longRun(
  input: SubjectInput,
  pair: Working,
  calls: readonly Call[],
  cpuMs: number,
): Promise<{ found: Verdict | undefined; spent_cpu_ms: number }> {
  const course: Course = { calls, runs: [], stretches: [], collects: null }
  const found = await stretchesOf(input, pair, course, cpuMs)
  const spent_cpu_ms = course.stretches.reduce((sum, one) => sum + one.was_cpu_ms, 0)
  const costly = found ?? costs(input, course)
  if (found !== undefined || costly === undefined) return { found, spent_cpu_ms }
  // Once may be chance, or the machine: what costs more does so a second time, and time also on other processes.
  const again = (other: Working, otherwise?: Verdict): Promise<Verdict | undefined> =>
    costsAgain(input, other, { calls, cpuMs: 2 * cpuMs, otherwise, collects: collectsOf(course.stretches.length) })
  const second = await again(pair)
  const last = isOfTime(second) ? await input.bench.anew((other) => again(other, second)) : second
  return { found: last, spent_cpu_ms }
}

/** As for `growing`: none in the first third of a run that is about as long, one at least in each other. */
export function collectsOf(stretches: number): NonNullable<Course['collects']> {
  const quarter = Math.floor(stretches / 4)
  return { from: quarter, every: Math.max(1, Math.min(COLLECT_EVERY, quarter)) }
}

async function costsAgain(
  input: SubjectInput,
  pair: Working,
  {
    calls,
    cpuMs,
    otherwise,
    collects,
  }: Pick<Course, 'calls' | 'collects'> & { cpuMs: number; otherwise: Verdict | undefined },
): Promise<Verdict | undefined> {
  const course: Course = { calls, runs: [], stretches: [], collects }
  const found = (await stretchesOf(input, pair, course, cpuMs)) ?? costs(input, course)
  return found ?? (isEnough(course.stretches) ? undefined : otherwise)
}

/** A finding of processor time, which no two processes take alike. */
const isOfTime = (found: Verdict | undefined): boolean =>
  typeof found?.details === 'object' && found.details !== null && 'is_cpu_ms' in found.details

/** What a call takes of the processor where much is kept: on the instances that were used all the time. `otherwise`: where nobody can tell. */
export async function paceOf(
  { config }: SubjectInput,
  pair: Working,
  calls: readonly Call[],
  otherwise?: Verdict,
): Promise<Verdict | undefined> {
  let found: Verdict | undefined
  for (let time = 0; time < PACE_TIMES; time++) {
    const course: Course = { calls, runs: [], stretches: [], collects: null }
    let [from, count] = [0, Math.min(calls.length, FIRST)]
    for (let turn = 0; turn < PACE_STRETCHES; turn++) {
      const first = turn === 0 ? { calls, isMain: true } : {}
      const run: LongRun = { ...first, from, count, at: START, each_ms: EACH_MS, isNoisy: true }
      const { stretch, was, is } = await inTurns(pair, run, turn, null)
      if (was.died !== undefined || is.died !== undefined || stretch.calls === 0) return otherwise
      course.stretches.push(stretch)
      from += count
      const each = stretch.was_cpu_ms / stretch.calls
      count = Math.min(STRETCH_MAX, Math.max(5, Math.round(PACE_CPU_MS / Math.max(each, 0.001))))
    }
    const dear = dearer(course.stretches, config)
    if (dear === undefined) return undefined
    found = failed(`${nameOf(calls)}: ${dear.message}`, dear.details)
  }
  return found
}

const PACE_TIMES = 2
const PACE_STRETCHES = 9
const PACE_CPU_MS = 6

async function stretchesOf(
  input: SubjectInput,
  pair: Working,
  course: Course,
  cpuMs: number,
): Promise<Verdict | undefined> {
  const { config, bench } = input
  const [one] = course.calls
  if (one === undefined) return undefined
  const { places, outcome } = noiseOf(bench.noise, one)
  let [from, count, spent, looked] = [0, FIRST, 0, 0]
  while (from < config.endurance_calls_max && spent < cpuMs) {
    const first = from === 0 ? { calls: course.calls } : {}
    const at = ahead(course.runs.length)
    const isNoisy = outcome || looked >= LOOKS_MAX
    const run: LongRun = { ...first, from, count, at, each_ms: EACH_MS, isNoisy, places: [...places] }
    const { stretch, was, is } = await inTurns(pair, run, course.runs.length, course.collects)
    if (was.died !== undefined || (is.died !== undefined && BUSY_CODES.has(is.died.code))) return undefined
    if (is.died !== undefined)
      return failed(`after ${from} calls of ${one.method} it ended the sandbox: ${is.died.code} ${is.died.message}`)
    const made = Math.min(was.digests.length, is.digests.length)
    course.runs.push({ ...run, count: made })
    const all = was.digests.flatMap((digest, index) => (index < made && digest !== is.digests[index] ? [index] : []))
    const different = await undeclared(input, pair, course, all)
    if (different.length > 0) looked++
    const found = await differing(input, pair, course, was.digests, different)
    if (found !== undefined) return found
    if (made < was.digests.length * SHARE_MIN)
      return failed(
        `it becomes slower the longer it runs: after ${from} calls of ${one.method} it makes ${made} in the time of ${was.digests.length}`,
      )
    course.stretches.push(stretch)
    spent += stretch.was_cpu_ms
    from += made
    const each = stretch.was_cpu_ms / Math.max(1, made)
    count = Math.min(STRETCH_MAX, Math.max(FIRST, Math.round(STRETCH_CPU_MS / Math.max(each, 0.001))), count * 4)
  }
  return undefined
}

/** Seconds at first, so that each second of a minute comes; then hours, days, years. */
function ahead(stretch: number): number {
  return START + stretch * 7_000 + Math.max(0, stretch - 9) ** 3 * 3_600_000
}
const START = Date.UTC(2026, 0, 1)

type Made = Awaited<ReturnType<Probe['long']>>

async function inTurns(
  { was, is, first }: Working,
  run: LongRun,
  turn: number,
  collects: Course['collects'],
): Promise<{ stretch: Stretch; was: Made; is: Made }> {
  const usage = async ({ trial }: Probe): Promise<{ cpu_ms: number; heap_bytes: number }> =>
    (await trial.usage()) ?? { cpu_ms: 0, heap_bytes: 0 }
  const measured = async (probe: Probe): Promise<{ made: Made; cpu_ms: number; heap_bytes: number }> => {
    const before = await usage(probe)
    const made = await probe.long(run)
    const after = await usage(probe)
    return { made, cpu_ms: after.cpu_ms - before.cpu_ms, heap_bytes: after.heap_bytes }
  }
  const kept = async (probe: Probe): Promise<number> => {
    if (collects === null || turn < collects.from || turn % collects.every !== 0) return Infinity
    await probe.collect()
    return (await usage(probe)).heap_bytes
  }
  const isInOrder = (turn % 2 === 0) === (first === 'was')
  const order = isInOrder ? [was, is] : [is, was]
  const both = [await measured(order[0] as Probe), await measured(order[1] as Probe)]
  const [live, next] = (isInOrder ? both : both.toReversed()) as [(typeof both)[0], (typeof both)[0]]
  const heaps = collects === null ? [live.heap_bytes, next.heap_bytes] : await Promise.all([kept(was), kept(is)])
  const [was_heap_bytes = Infinity, is_heap_bytes = Infinity] = heaps
  const stretch: Stretch = {
    calls: Math.min(live.made.digests.length, next.made.digests.length),
    was_cpu_ms: live.cpu_ms,
    is_cpu_ms: next.cpu_ms,
    was_heap_bytes,
    is_heap_bytes,
  }
  return { stretch, was: live.made, is: next.made }
}

/** Without those that it means to answer otherwise: to look at each would take the whole way once more every time. */
async function undeclared(
  { candidate }: SubjectInput,
  { was }: Working,
  { runs, calls }: Course,
  different: readonly number[],
): Promise<readonly number[]> {
  const [seed] = calls
  if (different.length === 0 || candidate.changes.length === 0 || seed === undefined) return different
  const from = runs.at(-1)?.from ?? 0
  const args = await was.argsOf(different.map((index) => from + index))
  return different.filter((_, place) => {
    const found = args?.[place]
    return found === undefined || !isMeant({ ...seed, args: found }, [], candidate.changes)
  })
}

/** Both go the whole way once more, and tell: what the incumbent answers otherwise then is chance. */
async function differing(
  input: SubjectInput,
  pair: Working,
  course: Course,
  digests: readonly number[],
  different: readonly number[],
): Promise<Verdict | undefined> {
  const [seed] = course.calls
  if (different.length === 0 || seed === undefined) return undefined
  const { bench, candidate } = input
  const [second] = await Promise.all([goAgain(pair.was, course), goAgain(pair.is, course)])
  for (const index of different.filter((one) => digests[one] === second[one]).slice(0, LOOKED_AT)) {
    const [was, is] = await Promise.all([pair.was.told(index), pair.is.told(index)])
    if (was === undefined || is === undefined) continue
    const call: Call = { ...seed, args: was.args }
    const difference = differenceOf(was.outcome, is.outcome, noiseOf(bench.noise, call), true)
    if (difference === undefined || isMeant(call, [was.outcome, is.outcome], candidate.changes)) continue
    const number = (course.runs.at(-1)?.from ?? 0) + index + 1
    return counterexample(call, `as call ${number} of a long run: ${difference}`)
  }
  return undefined
}

async function goAgain(probe: Probe, { runs, calls }: Course): Promise<number[]> {
  let digests: number[] = []
  for (const [index, run] of runs.entries()) {
    const isLast = index === runs.length - 1
    ;({ digests } = await probe.long({ ...run, ...(index === 0 ? { calls } : {}), isTold: isLast }))
  }
  return digests
}

/** Where it means to answer some of them otherwise, what these cost says nothing; what all of them keep does. */
function costs({ config, candidate }: SubjectInput, { stretches, calls, collects }: Course): Verdict | undefined {
  const isAlike = !calls.some((call) => isMeant(call, [], candidate.changes))
  const found = growing(stretches, config, collects !== null) ?? (isAlike ? dearer(stretches, config) : undefined)
  return found === undefined ? undefined : failed(`${nameOf(calls)}: ${found.message}`, found.details)
}

function nameOf([one]: readonly Call[]): string {
  return one === undefined ? '' : keyOf(one).replace(/^default /, '')
}
