/**
 * Does it start, prove itself, work and end? Built in an isolate of its own, with its background work running, and told to
 * stop while it does. Where the version that serves cannot be tried so, this one is not either, and people are told.
 */
import type { Trial, TrialEnd } from '../../../contracts/trial.ts'
import { describeError, toErrorData } from '../../../lib/errors.ts'
import type { Bench, Which } from '../bench.ts'
import { inTime } from '../bench.ts'
import { failed, passed, skipped, type ServiceCheck, type SubjectInput, type Verdict } from '../check.ts'

/** So long its background work is watched before it is told to end. */
const WORK_MS = 250
const SELF_TEST_MS = 5_000

interface Life {
  faults: string[]
  end: TrialEnd
}

export const loadCheck: ServiceCheck = {
  name: 'load',
  of: 'service',
  async run(input) {
    const { bench, candidate } = input
    const untried = await bench.untried()
    if (untried !== null) {
      if (candidate.codeOnly) return skipped(`the version that serves cannot be tried in a sandbox: ${untried}`)
      return skipped(`it is not tried in a sandbox: ${untried}`)
    }
    try {
      const is = await lifeOf(input, 'candidate')
      // How the version that serves lives is asked for where this one has trouble.
      return judge(NO_TROUBLE, is).outcome === 'passed' ? passed(WELL) : judge(await lifeOf(input, 'incumbent'), is)
    } catch (thrown) {
      const error = toErrorData(thrown)
      return failed(`it does not start: ${describeError(error)}`, { code: error.code })
    }
  },
}

const WELL = 'it starts in a sandbox, works and ends'
const NO_TROUBLE: Life = { faults: [], end: { tasks_ended: true, shutdown_ms: 0, error: null } }

async function lifeOf({ kernel, bench }: SubjectInput, which: Which): Promise<Life> {
  const trial = await bench.trial(which, { tasks: true }, () => null)
  try {
    await inTime(kernel, SELF_TEST_MS, trial.selfTest(), 'selfTest')
    await kernel.sleep(WORK_MS)
    await trial.usage()
  } catch (thrown) {
    await bench.end(trial)
    throw thrown
  }
  return ended(bench, trial)
}

async function ended(bench: Bench, trial: Trial): Promise<Life> {
  const end = await bench.end(trial)
  return { faults: trial.faults.map(({ message }) => message), end }
}

function judge(was: Life, is: Life): Verdict {
  const [fault] = is.faults.filter((one) => !was.faults.includes(one))
  if (fault !== undefined) return failed(`its background work fails: ${fault}`, { faults: is.faults.slice(0, 5) })
  if (!is.end.tasks_ended && was.end.tasks_ended)
    return failed('its background work does not end when its signal aborts: pass the signal on, and return')
  if (is.end.error !== null && was.end.error === null)
    return failed(`its shutdown() fails: ${is.end.error.message}`, { shutdown_ms: Math.round(is.end.shutdown_ms) })
  if (is.end.shutdown_ms > was.end.shutdown_ms + 1_000)
    return failed(
      `its shutdown() takes ${Math.round(is.end.shutdown_ms)} ms, and took ${Math.round(was.end.shutdown_ms)}`,
    )
  return passed(WELL)
}
