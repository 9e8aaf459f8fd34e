/**
 * Does it answer alike where nobody has called yet? Arguments are made from recorded ones: edges, and the values both
 * sources name; and recorded calls in which others answer otherwise than they did. Before them the counterexamples of earlier changes of this service are made again: what was wrong once is
 * not tried a second time, whether it is still among the recorded calls or not.
 */
import type { Call } from '../bench.ts'
import { passed, skipped, type ServiceCheck } from '../check.ts'
import { compareCalls } from '../compare.ts'
import { filled } from '../filled.ts'
import { madeAnswers } from '../made-answers.ts'
import { interleave, madeCalls, namedIn } from '../made-calls.ts'
import type { TimedCall } from '../probe.ts'

export const madeCallsCheck: ServiceCheck = {
  name: 'made_calls',
  of: 'service',
  async run(input) {
    const { bench, config, subject } = input
    if ((await bench.untried()) !== null) return skipped('the version that serves cannot be tried in a sandbox')
    const rows = await bench.rows()
    const changed = Object.entries(subject.after).filter(([path, text]) => subject.before[path] !== text)
    const own = Object.values(subject.before).filter((text) => text.length < 100_000)
    const named = namedIn([...changed.map(([, text]) => text), ...own])
    const half = Math.ceil(config.made_calls_max / 2)
    const calls = [
      ...input.known,
      ...interleave<Call>([madeCalls(rows, named, half), madeAnswers(await bench.asking(), named, half)]),
    ]
    // The checks that follow go on from there: begun meanwhile, on processes of its own. What it runs into is theirs to tell.
    if (rows.length > 0) filled(input).catch(() => undefined)
    if (calls.length === 0) return passed('no calls are recorded from which others could be made')
    return compareCalls(input, timed(calls, rows.at(-1)?.at ?? 0), true)
  },
}

/** Close to each other, with a pause now and then: some of what is kept for a time is still there, and some is over. */
const timed = (calls: readonly Call[], from: number): TimedCall[] =>
  calls.map((call, index) => ({ ...call, at: from + index * EACH_MS + Math.floor(index / PAUSE_EVERY) * PAUSE_MS }))

const EACH_MS = 7
const PAUSE_EVERY = 40
const PAUSE_MS = 61_000
