/**
 * One version under trial, and many calls made on it: they run in its sandbox one after the other, each at a time of its
 * own, and come back as outcomes. What ends the sandbox ends the run and is told as its code. Never rejects.
 */
import type { Trial } from '../../contracts/trial.ts'
import { codeOf, reasonOf } from '../../lib/errors.ts'
import type { Call } from './bench.ts'
import { leavesOf, type Outcome } from './outcome.ts'
import {
  ARGS_METHOD,
  COLLECT_METHOD,
  GIVE_METHOD,
  LONG_METHOD,
  RENEW_METHOD,
  REPORT_METHOD,
  RUN_METHOD,
  TOLD_METHOD,
  type WorldReport,
} from './trial-world.ts'

/** Epoch milliseconds: what the clock of the version says while the call is made. */
export interface TimedCall extends Call {
  at: number
  /** what others answer in it, by the question as JSON; all else as always */
  given?: Readonly<Record<string, unknown>>
}

export interface Ran {
  /** of the first calls, as many as were made */
  outcomes: Outcome[]
  /** code and message of what ended the sandbox; undefined: it serves on */
  died: { code: string; message: string } | undefined
}

export interface LongRun {
  /** the calls of a new run; none: the one before goes on */
  calls?: readonly Call[]
  /** on the instance that serves in there, with all its state, instead of one of its own */
  isMain?: boolean
  from: number
  count: number
  at: number
  each_ms: number
  /** it does not end the same twice: only how calls end is compared */
  isNoisy: boolean
  /** in its answers that are not the same twice */
  places?: readonly string[]
  /** what each call came to can be asked for afterwards */
  isTold?: boolean
}

interface Told {
  outcome: string
  value: unknown
  name?: string
  message?: string
  ms: number
  effects: string[]
  unanswered: boolean
  alike: boolean
}

/** So many calls of one message. */
const CHUNK = 50

export class Probe {
  readonly trial: Trial
  readonly #callMs: number

  constructor(trial: Trial, callMs: number) {
    this.trial = trial
    this.#callMs = callMs
  }

  /** `settle_ms`: so long before each call its background works; `cpu_ms`: of its processor time, then the rest is left out. */
  async run(calls: readonly TimedCall[], { settle_ms = 0, cpu_ms = Infinity } = {}): Promise<Ran> {
    const outcomes: Outcome[] = []
    const used = async (): Promise<number> =>
      cpu_ms === Infinity ? 0 : ((await this.trial.usage().catch(() => null))?.cpu_ms ?? 0)
    const begun = await used()
    while (outcomes.length < calls.length && (await used()) - begun < cpu_ms) {
      const chunk = calls.slice(outcomes.length, outcomes.length + CHUNK)
      const plain = chunk.map(({ aspect, method, args, at, given }) => [aspect, method, [...args], at, given])
      try {
        const told = (await this.trial.call('default', RUN_METHOD, [plain, this.#callMs, settle_ms])) as Told[]
        outcomes.push(...told.map(outcomeOf))
      } catch (thrown) {
        return { outcomes, died: { code: codeOf(thrown) ?? 'callee_error', message: reasonOf(thrown) } }
      }
    }
    return { outcomes, died: undefined }
  }

  /** A number for each call that was made, or how it died. */
  async long(run: LongRun): Promise<{ digests: number[]; died: Ran['died'] }> {
    const calls = run.calls?.map(({ aspect, method, args }) => [aspect, method, [...args]])
    try {
      const asked = { ...run, calls, ms: this.#callMs }
      return { digests: (await this.trial.call('default', LONG_METHOD, [asked])) as number[], died: undefined }
    } catch (thrown) {
      return { digests: [], died: { code: codeOf(thrown) ?? 'callee_error', message: reasonOf(thrown) } }
    }
  }

  /** What a call of the last stretch of a long run came to, by its number in that; and with which arguments. */
  async told(index: number): Promise<{ outcome: Outcome; args: unknown[] } | undefined> {
    const found = (await this.trial.call('default', TOLD_METHOD, [index]).catch(() => undefined)) as
      | (Told & { args: unknown[] })
      | undefined
    return found === undefined ? undefined : { outcome: outcomeOf(found), args: found.args }
  }

  /** What calls of the long run that is under way are made with, by their numbers; undefined where that cannot be had. */
  async argsOf(numbers: readonly number[]): Promise<unknown[][] | undefined> {
    const found = await this.trial.call('default', ARGS_METHOD, [[...numbers]]).catch(() => undefined)
    return found as unknown[][] | undefined
  }

  /** A new instance of it, which takes the state over. Rejects as the method does. */
  async takeOver(state: unknown, version: string): Promise<void> {
    await this.trial.call('default', RENEW_METHOD, [{ value: state }, version])
  }

  /** Of the instance that took over last. Rejects as the method does. */
  handOver(): Promise<unknown> {
    return this.trial.call('default', GIVE_METHOD, [])
  }

  /** What nobody keeps is collected now: what is left is what it keeps. */
  async collect(): Promise<void> {
    await this.trial.call('default', COLLECT_METHOD, []).catch(() => undefined)
  }

  async report(): Promise<WorldReport> {
    return (await this.trial.call('default', REPORT_METHOD, [])) as WorldReport
  }
}

/** The same calls on two versions at once, until the first has used so much of the processor. */
export async function runBoth(
  first: Probe,
  second: Probe,
  calls: readonly TimedCall[],
  { cpu_ms }: { cpu_ms: number },
): Promise<[Ran, Ran]> {
  const used = async (): Promise<number> => (await first.trial.usage().catch(() => null))?.cpu_ms ?? 0
  const [one, other]: [Ran, Ran] = [
    { outcomes: [], died: undefined },
    { outcomes: [], died: undefined },
  ]
  const begun = await used()
  for (let from = 0; from < calls.length && (await used()) - begun < cpu_ms; from += CHUNK) {
    const chunk = calls.slice(from, from + CHUNK)
    const [a, b] = await Promise.all([first.run(chunk), second.run(chunk)])
    one.outcomes.push(...a.outcomes)
    other.outcomes.push(...b.outcomes)
    ;[one.died, other.died] = [a.died, b.died]
    if (a.died !== undefined || b.died !== undefined) break
  }
  return [one, other]
}

function outcomeOf({ outcome, value, name, message, ms, effects, unanswered, alike }: Told): Outcome {
  const error = outcome === 'ok' ? undefined : { name: name ?? 'Error', message: message ?? '' }
  return { outcome, error, leaves: leavesOf(value), ms, effects, unanswered, alike }
}
