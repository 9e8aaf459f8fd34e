/**
 * What is seen of the calls of each service: those the kernel times anyway (with options, as from outside, and one a
 * second of each handle), and its exact counts, read at each look. Nothing is asked for that is not told by itself, so a
 * service that is measured runs as fast as one that is not, and both sides of a comparison are seen the same way. Plain
 * records, held over versions of this service.
 */
import type { ServiceStatus } from '../../contracts/kernel.ts'
import type { FinishedCall } from '../../contracts/observe.ts'
import { codeOf } from '../../lib/errors.ts'
import type { ProcessorTime } from '../../lib/processor-time.ts'

const TOLD_MAX = 4_000
const LOOKS_MAX = 1_200
/** of a sample that is kept */
const TIMES_MAX = 2_000

interface Series {
  /** of told calls: monotonic ms of their beginning and their end, and whether they ran out of time */
  begun: number[]
  ended: number[]
  late: boolean[]
  /** at each look: monotonic ms, and the kernel's counts */
  looks: { at: number; calls: number; errors: number; waiting: number; generation: number | null }[]
}

export interface Seen {
  services: Map<string, Series>
  /** at each look where it is known: monotonic ms, and what the process had of the processor */
  processor: (ProcessorTime & { at: number })[]
}

export const nothingSeen = (): Seen => ({ services: new Map(), processor: [] })

/** What happened in a stretch of time. Times are in the order they ended. */
export interface Sample {
  seconds: number
  calls: number
  errors: number
  /** milliseconds of the calls that were timed */
  times: number[]
  /** calls a second, look by look */
  rates: number[]
  /** calls under way, on the average of the looks */
  waiting: number
  /** how many times as long everything took because other work had the processor; none: not known */
  slowed?: number
}

const seriesOf = ({ services }: Seen, api: string): Series => {
  const known = services.get(api)
  if (known !== undefined) return known
  const series: Series = { begun: [], ended: [], late: [], looks: [] }
  services.set(api, series)
  return series
}

function trim(list: unknown[], max: number): void {
  if (list.length >= 2 * max) list.splice(0, list.length - max)
}

/** On the path of a call: quick. */
export function noteCall(seen: Seen, { callee, ms, outcome, thrown }: FinishedCall, now: number): void {
  const { begun, ended, late } = seriesOf(seen, callee)
  begun.push(now - ms)
  ended.push(now)
  late.push(outcome === 'error' && codeOf(thrown) === 'deadline_exceeded')
  trim(begun, TOLD_MAX)
  trim(ended, TOLD_MAX)
  trim(late, TOLD_MAX)
}

export function look(seen: Seen, services: readonly ServiceStatus[], at: number, processor?: ProcessorTime): void {
  const known = new Set<string>()
  if (processor !== undefined) seen.processor.push({ at, ...processor })
  trim(seen.processor, LOOKS_MAX)
  for (const { api, calls, errors, in_flight, queued, generation } of services) {
    known.add(api)
    const { looks } = seriesOf(seen, api)
    looks.push({ at, calls, errors, waiting: in_flight + queued, generation })
    trim(looks, LOOKS_MAX)
  }
  for (const api of seen.services.keys()) if (!known.has(api)) seen.services.delete(api)
}

/** Since when the version that serves was seen to serve; monotonic ms. */
export function servingSince(seen: Seen, api: string): number {
  const { looks } = seriesOf(seen, api)
  const last = looks.at(-1)?.generation
  const before = looks.findLast(({ generation }) => generation !== last)
  return before?.at ?? looks[0]?.at ?? Number.NEGATIVE_INFINITY
}

/** From a moment to another, both monotonic; calls that began before are not its own, nor times before `timedFrom`. */
export function sampleOf(seen: Seen, api: string, from: number, to: number, timedFrom = from): Sample {
  const { begun, ended, late, looks } = seriesOf(seen, api)
  const times: number[] = []
  let lates = 0
  for (let index = ended.length - 1; index >= 0; index--) {
    const [begin = 0, end = 0] = [begun[index], ended[index]]
    if (end < from) break
    if (end > to || begin < from) continue
    if (late[index] === true) lates++
    if (begin >= timedFrom && times.length < TIMES_MAX) times.push(end - begin)
  }
  const within = looks.filter(({ at }) => at >= from && at <= to)
  const rates: number[] = []
  let [calls, errors] = [0, 0]
  for (let index = 1; index < within.length; index++) {
    const [before, after] = [within[index - 1], within[index]]
    if (before === undefined || after === undefined || after.calls < before.calls) continue
    const seconds = (after.at - before.at) / 1_000
    calls += after.calls - before.calls
    errors += Math.max(0, after.errors - before.errors)
    if (seconds > 0) rates.push((after.calls - before.calls) / seconds)
  }
  const first = within[0]?.at ?? to
  const waiting = within.reduce((sum, one) => sum + one.waiting, 0) / Math.max(1, within.length)
  const seconds = Math.max(0, (within.at(-1)?.at ?? to) - first) / 1_000
  const slowed = slowedBetween(seen, from, to)
  return {
    seconds,
    calls,
    errors: Math.min(calls, errors + lates),
    times: times.reverse(),
    rates,
    waiting,
    ...(slowed === undefined ? {} : { slowed }),
  }
}

function slowedBetween({ processor }: Seen, from: number, to: number): number | undefined {
  const within = processor.filter(({ at }) => at >= from && at <= to)
  const [first, last] = [within[0], within.at(-1)]
  if (first === undefined || last === undefined || last.ran_ms <= first.ran_ms) return undefined
  return 1 + (last.waited_ms - first.waited_ms) / (last.ran_ms - first.ran_ms)
}
