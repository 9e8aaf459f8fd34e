/**
 * Does it last? Each method many thousand times on an instance of its own, then all of them while the background works,
 * its clock runs ahead of years and nobody is looking: answers stay as those of the version that serves, none becomes
 * slower, memory stays level, what the background makes of it is the same, nothing is thrown late, and it ends when it is told to.
 */
import type { RecordedCall } from '../../../contracts/recordings.ts'
import type { Working } from '../bench.ts'
import { failed, passed, skipped, type ServiceCheck, type SubjectInput, type Verdict } from '../check.ts'
import { byMethod, counterexample, isMeant, noiseOf } from '../compare.ts'
import { fill, filled } from '../filled.ts'
import { longRun, paceOf } from '../long-run.ts'
import { interleave, madeCalls, namedIn } from '../made-calls.ts'
import { differenceOf } from '../outcome.ts'
import type { TimedCall } from '../probe.ts'
import { median } from '../timings.ts'

/** Different calls of one method in the long run. */
const POOL_MAX = 600
/** So long before each of these calls the background works. */
const WORKING = { settle_ms: 12 }
const LOOKS_OF_METHOD = 8
const ROUNDS = 2
const LAPS = 6
/** Other ones in each lap, so that every recorded call is made in some of them. */
const CALLS_OF_LAP = 150
const LAP_MS = 25
const YEAR_MS = 367 * 86_400_000

export const enduranceCheck: ServiceCheck = {
  name: 'endurance',
  of: 'service',
  async run(input) {
    const { bench } = input
    if ((await bench.untried()) !== null) return skipped('the version that serves cannot be tried in a sandbox')
    const rows = await bench.rows()
    if (rows.length === 0) return skipped('no calls of it are recorded')
    const pair = await filled(input)
    const found =
      (await worksAlike(input, pair, rows)) ?? (await eachMethod(input, pair, rows)) ?? (await years(input, pair, rows))
    if (found !== undefined) return found
    const usage = await pair.is.trial.usage()
    const heap = usage === null ? '' : `, with ${Math.round(usage.heap_bytes / 1_024)} KB of heap in the end`
    return (await endsWorse(input, pair)) ?? passed(`it lasts${heap}`)
  },
}

async function eachMethod(
  input: SubjectInput,
  pair: Working,
  rows: readonly RecordedCall[],
): Promise<Verdict | undefined> {
  const { subject, config } = input
  // The quick ones first: what they leave of the time is for the others.
  const quick = (calls: readonly RecordedCall[]): number => median(calls.map(({ ms }) => ms))
  const methods = byMethod(rows).sort((a, b) => quick(a) - quick(b))
  let left = config.endurance_cpu_ms
  const named = namedIn([...Object.values(subject.after), ...Object.values(subject.before)].filter(isShort))
  for (const [index, same] of methods.entries()) {
    const pace = await lastPace(input, pair, [same])
    const surely = pace && (await paceAnew(input, methods.slice(0, index + 1), pace))
    if (surely !== undefined) return surely
    const calls = [...same, ...madeCalls(same, named, POOL_MAX)].map(({ aspect, method, args }) => ({
      aspect,
      method,
      args,
    }))
    const { found, spent_cpu_ms } = await longRun(input, pair, calls, left / (methods.length - index))
    left -= spent_cpu_ms
    if (found !== undefined) return found
  }
  return undefined
}

/** Of the last of these methods, after the others. */
async function lastPace(
  input: SubjectInput,
  pair: Working,
  methods: readonly (readonly RecordedCall[])[],
  otherwise?: Verdict,
): Promise<Verdict | undefined> {
  let found: Verdict | undefined
  for (const same of methods) {
    // What it means to answer otherwise may cost something else: an error costs more than an answer.
    const alike = same.filter((call) => !isMeant(call, [], input.candidate.changes))
    found = alike.length === 0 ? undefined : await paceOf(input, pair, alike, otherwise)
  }
  return found
}

/** What costs more does so on other processes too, which have come the same way. */
const paceAnew = (
  input: SubjectInput,
  methods: readonly (readonly RecordedCall[])[],
  found: Verdict,
): Promise<Verdict | undefined> =>
  input.bench.anew(async (pair) => {
    await fill(input, pair)
    return lastPace(input, pair, methods, found)
  })

const isShort = (text: string): boolean => text.length < 100_000

/** What was asked of the background is done when it is looked at: any difference is met each time. */
async function worksAlike(
  { bench, candidate }: SubjectInput,
  { was, is }: Working,
  rows: readonly TimedCall[],
): Promise<Verdict | undefined> {
  if (!was.trial.contract.lifecycle.includes('run')) return undefined
  const looks = byMethod(rows).flatMap((same) => same.slice(0, LOOKS_OF_METHOD))
  const often = new Map<number, number>()
  for (let round = 1; round <= ROUNDS; round++) {
    const [before, now] = await Promise.all([was.run(looks, WORKING), is.run(looks, WORKING)])
    for (const [index, a] of before.outcomes.entries()) {
      const [call, b] = [looks[index], now.outcomes[index]]
      if (call === undefined || b === undefined) break
      const difference = differenceOf(a, b, noiseOf(bench.noise, call), false)
      if (difference === undefined || isMeant(call, [a, b], candidate.changes)) continue
      often.set(index, (often.get(index) ?? 0) + 1)
      if (often.get(index) === ROUNDS) return counterexample(call, `while its background works: ${difference}`)
    }
    // What was not met once is not met each time.
    if (often.size === 0) return undefined
  }
  return undefined
}

/** The clock of all that runs in there goes on by years; what answered always goes on to answer. */
async function years(
  { kernel, candidate, config }: SubjectInput,
  { was, is }: Working,
  rows: readonly TimedCall[],
): Promise<Verdict | undefined> {
  const mixed = interleave(byMethod(rows))
  for (let lap = 0; lap < LAPS; lap++) {
    const from = (lap * CALLS_OF_LAP) % mixed.length
    const some = [...mixed.slice(from), ...mixed.slice(0, from)].slice(0, CALLS_OF_LAP)
    const inTime = some.toSorted((a, b) => a.at - b.at)
    const later = inTime.map((call) => ({ ...call, at: call.at + lap * lap * YEAR_MS }))
    const limit = { cpu_ms: config.hand_over_cpu_ms / LAPS }
    const [before, now] = await Promise.all([was.run(later, limit), is.run(later, limit)])
    for (const [index, { outcome, error }] of now.outcomes.entries()) {
      const [call, old] = [later[index], before.outcomes[index]]
      if (call === undefined || old?.outcome !== 'ok' || outcome === 'ok') continue
      if (outcome === 'deadline_exceeded' || isMeant(call, [], candidate.changes)) continue
      return counterexample(call, `in the long run it fails: ${error?.name} ${error?.message}`)
    }
    if (now.died !== undefined && before.died === undefined)
      return failed(`in the long run it ended the sandbox: ${now.died.code} ${now.died.message}`)
    await kernel.sleep(LAP_MS)
  }
  return undefined
}

async function endsWorse({ bench }: SubjectInput, { was, is }: Working): Promise<Verdict | undefined> {
  const known = new Set(was.trial.faults.map(({ message }) => message))
  const fault = is.trial.faults.find(({ message }) => !known.has(message))
  if (fault !== undefined) return failed(`in the long run an error is thrown that nobody awaits: ${fault.message}`)
  const [before, end] = await Promise.all([bench.end(was.trial), bench.end(is.trial)])
  if (!end.tasks_ended && before.tasks_ended) return failed('after the long run its background work does not end')
  if (end.error !== null && before.error === null)
    return failed(`after the long run its shutdown() fails: ${end.error.message}`)
  return undefined
}
