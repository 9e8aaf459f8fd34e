/**
 * Does the state go both ways? The version that serves is used, with its background work, until it holds much, and hands
 * over to the candidate and to another incumbent; both go on side by side. Then the candidate hands back to a version that
 * serves, as a rollback would, and that has to go on as the one which never left.
 */
import { reasonOf } from '../../../lib/errors.ts'
import type { Call } from '../bench.ts'
import { failed, passed, skipped, type ServiceCheck, type SubjectInput, type Verdict } from '../check.ts'
import { isMeant, noiseOf } from '../compare.ts'
import { fillOf, filled } from '../filled.ts'
import { interleave, madeCalls, namedIn } from '../made-calls.ts'
import { argsText, differenceOf } from '../outcome.ts'
import { runBoth, type Probe, type TimedCall } from '../probe.ts'

/** So many calls of each kind look at the state afterwards. */
const LOOK = 300
const EACH_MS = 3

export const handOverCheck: ServiceCheck = {
  name: 'hand_over',
  of: 'service',
  async run(input) {
    const { bench } = input
    if ((await bench.untried()) !== null) return skipped('the version that serves cannot be tried in a sandbox')
    const { live, next } = await bench.three()
    const had = live.trial.contract.lifecycle.includes('handOver')
    if (!had && !next.trial.contract.lifecycle.includes('handOver')) return passed('it hands nothing over')
    return had ? bothWays(input) : back(next)
  },
}

/** State that is new: it has to be takable at least by itself. */
async function back(next: Probe): Promise<Verdict> {
  try {
    await next.takeOver(await next.handOver(), next.trial.contract.state_version)
    return passed('it hands state over, which the version that serves does not')
  } catch (thrown) {
    return failed(`its own state cannot be taken over: ${reasonOf(thrown)}`)
  }
}

async function bothWays(input: SubjectInput): Promise<Verdict> {
  const { bench } = input
  const { was } = await filled(input)
  const { again, next } = await bench.three()
  const look = await callsOf(input)
  const state = await was.trial.handOver()
  const version = was.trial.contract.state_version
  await again.takeOver(state, version)
  const refused = await taken(next, state, version)
  if (refused !== undefined) return failed(`it does not take the state of the version that serves: ${refused}`)
  const forth = await sideBySide(input, again, next, look)
  if (forth !== undefined) return failed(`after it took over the state: ${forth}`)
  return goBack(input, look)
}

async function goBack(input: SubjectInput, look: readonly TimedCall[]): Promise<Verdict> {
  const { live, again, next } = await input.bench.three()
  try {
    const refused = await taken(live, await next.handOver(), next.trial.contract.state_version)
    if (refused !== undefined)
      return failed(`its state is not taken by the version that serves, so there would be no way back: ${refused}`)
    const difference = await sideBySide(input, again, live, look)
    if (difference !== undefined) return failed(`after its state was taken back: ${difference}`)
    return passed('its state goes both ways')
  } catch (thrown) {
    return failed(`its state cannot be handed over: ${reasonOf(thrown)}`)
  }
}

async function callsOf({ bench, candidate, subject }: SubjectInput): Promise<TimedCall[]> {
  const rows = await bench.rows()
  const from = rows.at(-1)?.at ?? 0
  // Where it answers otherwise on purpose, that says nothing of the state.
  const asBefore = rows.filter((call) => !isMeant(call, [], candidate.changes))
  const made = madeCalls(rows, namedIn(Object.values(subject.before)), LOOK)
  // In turns: where time is up, some of each were made.
  const look = interleave<Call>([asBefore, fillOf(rows).slice(-LOOK), made])
  return look.map((call, index) => ({ ...call, at: from + index * EACH_MS }))
}

const taken = (probe: Probe, state: unknown, version: string): Promise<string | undefined> =>
  probe.takeOver(state, version).then(
    () => undefined,
    (thrown: unknown) => reasonOf(thrown),
  )

/** The first call that the second answers otherwise. */
async function sideBySide(
  { bench, candidate, config }: SubjectInput,
  first: Probe,
  second: Probe,
  calls: readonly TimedCall[],
): Promise<string | undefined> {
  const [was, is] = await runBoth(first, second, calls, { cpu_ms: config.hand_over_cpu_ms })
  for (const [index, outcome] of was.outcomes.entries()) {
    const [call, now] = [calls[index], is.outcomes[index]]
    if (call === undefined || now === undefined) break
    const difference = differenceOf(outcome, now, noiseOf(bench.noise, call), true)
    if (difference !== undefined && !isMeant(call, [outcome, now], candidate.changes))
      return `${call.method}${argsText(call.args)}: ${difference}`
  }
  if (is.died !== undefined && was.died === undefined) return `it ended the sandbox: ${is.died.code} ${is.died.message}`
  return undefined
}
