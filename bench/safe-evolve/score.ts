/** The figures of a run, from its trials alone. S1 and S2 first; the others say what it cost. */
import type { MutationClass, TrialResult } from './contract.ts'
import { isBad } from './corpus.ts'
import { median, percentile, round } from '../support.ts'

/** A bad change survives when it serves at the end, or nothing serves any more. */
export const survived = (trial: TrialResult): boolean => trial.candidate || !trial.serving

/** A good one is refused when it does not serve at the end. A neutral one may be put back because it does not help. */
export function refused(trial: TrialResult): boolean {
  if (!trial.serving) return true
  return !trial.candidate && !(trial.class === 'N' && trial.verdict === 'restored')
}

const badCalls = ({ failed, wrong, late }: TrialResult): number => failed + wrong + late
const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${round((part / whole) * 100, 1)} %`)
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const spread = (values: readonly number[], digits = 0): string =>
  values.length === 0 ? '-' : `${round(median(values), digits)}, ${round(percentile(values, 0.95), digits)}`

export interface Figures {
  bad: number
  surviving: number
  good: number
  refused: number
}

export function figures(trials: readonly TrialResult[]): Figures {
  const taken = trials.filter((trial) => trial.verdict !== 'n/a')
  const bad = taken.filter(isBad)
  const good = taken.filter((trial) => !isBad(trial))
  return {
    bad: bad.length,
    surviving: bad.filter(survived).length,
    good: good.length,
    refused: good.filter(refused).length,
  }
}

type Line = [string, string]

/** The trials of a run by what was to come of them. */
interface Sorted {
  taken: TrialResult[]
  bad: TrialResult[]
  good: TrialResult[]
  /** good ones that serve at the end */
  kept: TrialResult[]
}

function verdicts(trials: readonly TrialResult[], { bad, good }: Sorted): Line[] {
  const { surviving, refused: lost } = figures(trials)
  return [
    ['bad changes', `${bad.length}`],
    ['S1 surviving', `${surviving} = ${percent(surviving, bad.length)}`],
    ['of them: nothing serves at the end', `${bad.filter((trial) => !trial.serving).length}`],
    ['good and neutral changes', `${good.length}`],
    ['S2 refused', `${lost} = ${percent(lost, good.length)}`],
  ]
}

/** Wrong answers and errors first: how many are late says as much of the machine as of the peer. */
function callers({ taken, bad, good }: Sorted): Line[] {
  const hard = ({ failed, wrong }: TrialResult): number => failed + wrong
  const late = (trials: readonly TrialResult[]): string =>
    percent(sum(trials.map((trial) => trial.late)), sum(trials.map(({ calls }) => calls)))
  return [
    ['S3 failed and wrong calls a bad change: median, p95', spread(bad.map(hard))],
    ['S3 most', `${Math.max(0, ...bad.map(hard))}`],
    ['S3 of all calls', percent(sum(bad.map(hard)), sum(bad.map(({ calls }) => calls)))],
    ['failed and wrong calls a good change: median, p95', spread(good.map(hard))],
    ['calls later than 250 ms, of bad changes', late(bad)],
    ['calls later than 250 ms, of good changes', late(good)],
    [
      'calls later than 250 ms before anything was proposed',
      percent(sum(taken.map((trial) => trial.late_before)), sum(taken.map((trial) => trial.calls_before))),
    ],
  ]
}

function times({ taken, bad, kept }: Sorted): Line[] {
  const seconds = (name: string, ms: readonly number[]): Line => [
    `${name}, s: median, p95`,
    spread(
      ms.map((one) => one / 1_000),
      1,
    ),
  ]
  const hurt = bad.filter((trial) => badCalls(trial) > 0)
  const served = kept.flatMap(({ live_ms }) => (typeof live_ms === 'number' ? [live_ms] : []))
  return [
    seconds(
      'S4 bad change → verdict',
      bad.map(({ verdict_ms }) => verdict_ms),
    ),
    seconds(
      'S4 first → last bad call',
      hurt.map(({ bad_ms }) => bad_ms),
    ),
    seconds('S7 good change → serves', served),
    seconds(
      'S7 good change → verdict',
      kept.map(({ verdict_ms }) => verdict_ms),
    ),
    seconds(
      'S8 processor a change',
      taken.map(({ cpu_s }) => cpu_s * 1_000),
    ),
    ['S11 longest answer of another service, ms: median, p95', spread(taken.map(({ stall_ms }) => stall_ms))],
  ]
}

function traces({ taken, bad, good }: Sorted): Line[] {
  const audited = taken.filter((trial) => trial.ledger !== null)
  const holds = audited.filter(({ ledger }) => ledger).length
  return [
    ['S5 trials that left something', `${bad.filter((trial) => trial.residue.length > 0).length}`],
    ['S6 state lost at a good change', `${good.filter((trial) => trial.state_lost).length}`],
    ['S10 trials whose ledger holds', audited.length === 0 ? 'none kept' : `${holds} of ${audited.length}`],
  ]
}

/** Name of each figure → its text, for one peer. */
export function lines(trials: readonly TrialResult[]): Line[] {
  const taken = trials.filter((trial) => trial.verdict !== 'n/a')
  const [bad, good] = [taken.filter(isBad), taken.filter((trial) => !isBad(trial))]
  const sorted = { taken, bad, good, kept: good.filter((trial) => trial.candidate) }
  const { surviving, refused: lost } = figures(trials)
  const perChange = sum(bad.map(badCalls)) / bad.length
  const whole = (1 - surviving / bad.length) * (1 - lost / good.length) * Math.exp(-perChange / 10)
  return [
    ...verdicts(trials, sorted),
    ...callers(sorted),
    ...times(sorted),
    ...traces(sorted),
    ['SafeEvolve', round(whole, 3)],
  ]
}

/** How many of a class ended as they should. */
export function byClass(trials: readonly TrialResult[], kind: MutationClass): string {
  const those = trials.filter((trial) => trial.class === kind && trial.verdict !== 'n/a')
  const well = those.filter((trial) => (isBad(trial) ? !survived(trial) : !refused(trial)))
  return those.length === 0 ? '-' : `${well.length} of ${those.length}`
}

/** S9: which check refused the bad ones of a class, most often first. */
export function refusedBy(trials: readonly TrialResult[], kind: MutationClass): string {
  const counts = new Map<string, number>()
  for (const trial of trials)
    if (trial.class === kind && trial.by !== null) counts.set(trial.by, (counts.get(trial.by) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  return sorted.map(([by, count]) => `${by} ${count}`).join(', ') || '-'
}
