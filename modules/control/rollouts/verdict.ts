/**
 * What a measurement says: the target has to be better by the minimum effect, and no guard (errors, times in the middle and
 * at the 95th percentile, calls a second, of every service that was touched) worse. Too little seen is inconclusive, never
 * success. So are times that are worse in the first window: code that has just been loaded is slow, its caches are empty. Pure.
 */
import type {
  EffectComparison,
  EffectMetric,
  ExpectedEffect,
  Measured,
  Verification,
} from '../../contracts/proposals.ts'
import { compare, isLatency, measured, type Tolerances } from './compare.ts'
import type { Sample } from './samples.ts'
import { evidenceAbove, shareAtMost } from './statistics.ts'

const GUARDS: readonly EffectMetric[] = ['error_share', 'latency_p50_ms', 'latency_p95_ms', 'calls_per_s']
/** Of a service that was not there before, and of what nobody has seen fail: errors above this are too many. */
const ERRORS_BORNE = 0.05
/** Never taken as less, however long nothing failed before. */
const ERRORS_LEAST = 0.001
/** Wrong once in a hundred runs. */
const EVIDENCE = 100

export interface Watched {
  service: string
  /** services it changed; others than `service` only say when they are worse */
  touches: readonly string[]
  /** had no version before */
  isNew: (api: string) => boolean
  before: Readonly<Record<string, Sample>>
  after: Readonly<Record<string, Sample>>
  expected: ExpectedEffect | undefined
  tolerances: Tolerances
  /** which window this is */
  round: number
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`

/** So many errors, looked at after every look, that nobody has to wait for the end. Says what is wrong. */
export function burst({ touches, service, before, after }: Watched): string | undefined {
  for (const api of new Set([service, ...touches])) {
    const [old, now] = [before[api], after[api]]
    if (now === undefined || now.errors === 0) continue
    const borne = old === undefined || old.calls === 0 ? ERRORS_BORNE : shareAtMost(old.errors, old.calls)
    const p0 = Math.min(0.9, Math.max(ERRORS_LEAST, borne))
    if (now.errors / now.calls <= p0 || evidenceAbove(p0, now.errors, now.calls) < EVIDENCE) continue
    const was = old === undefined ? '' : `; ${old.errors} of ${old.calls} did before`
    return `${now.errors} of ${now.calls} calls of ${api} failed${was}`
  }
  return undefined
}

type Judged = Pick<Verification, 'verdict' | 'message' | 'target' | 'guards'>

export function judge(watched: Watched): Judged {
  const { service, touches, isNew, after, before, expected, tolerances, round } = watched
  const of = (api: string, metric: EffectMetric, settings = tolerances): EffectComparison =>
    isNew(api) ? firstOf(api, metric, after[api]) : compare(api, metric, [before[api], after[api] ?? NOTHING], settings)
  const guards = [...new Set([service, ...touches])].flatMap((api) => GUARDS.map((metric) => of(api, metric)))
  const min_effect = expected?.min_effect ?? tolerances.min_effect
  const target =
    expected === undefined ? null : directed(of(service, expected.metric, { ...tolerances, min_effect }), expected)
  const say = (verdict: Judged['verdict'], message: string): Judged => ({ verdict, message, target, guards })
  const worse = (target === null ? guards : [...guards, target]).filter(({ outcome }) => outcome === 'worse')
  const surely = worse.find(({ metric }) => round > 1 || !isLatency(metric))
  if (surely !== undefined) return say('regressed', `worse: ${inWords(surely)}`)
  const [slower] = worse
  if (slower !== undefined) return say('inconclusive', `slower, as what is new may be: ${inWords(slower)}`)
  const calls = after[service]?.calls ?? 0
  if (calls < tolerances.samples_min)
    return say('inconclusive', `${calls} calls of ${service} are too few; it takes ${tolerances.samples_min}`)
  const unknown = guards.find((one) => one.service === service && one.outcome === 'unknown' && !isNew(service))
  if (unknown !== undefined && tolerances.samples_min > 0)
    return say('inconclusive', `too little is known to compare: ${inWords(unknown)}`)
  if (target === null) return say('confirmed', 'nothing is worse')
  return target.outcome === 'better'
    ? say('confirmed', `better: ${inWords(target)}; nothing is worse`)
    : say('inconclusive', `not better: ${inWords(target)}; it takes ${percent(min_effect)}`)
}

const NOTHING: Sample = { seconds: 0, calls: 0, errors: 0, times: [], rates: [], waiting: 0 }

function firstOf(service: string, metric: EffectMetric, after = NOTHING): EffectComparison {
  const now = measured(after, metric)
  const isBad = metric === 'error_share' && evidenceAbove(ERRORS_BORNE, after.errors, after.calls) >= EVIDENCE
  const outcome = isBad ? 'worse' : metric === 'error_share' && now.value !== null ? 'same' : 'unknown'
  return { service, metric, before: { value: null, samples: 0 }, after: now, change: null, outcome }
}

/** More errors may be what was wanted; nobody asks for slower. */
function directed(found: EffectComparison, { metric, direction }: ExpectedEffect): EffectComparison {
  const natural = metric === 'calls_per_s' ? 'higher' : 'lower'
  if (direction === natural) return found
  const turned = { better: 'worse', worse: 'better', same: 'same', unknown: 'unknown' } as const
  return { ...found, outcome: turned[found.outcome] }
}

export function inWords({ service, metric, before, after, change }: EffectComparison): string {
  const said = ({ value }: Measured): string =>
    value === null ? 'unknown' : metric === 'error_share' ? percent(value) : String(Math.round(value * 100) / 100)
  const by = change === null ? '' : ` (${change < 0 ? '−' : '+'}${percent(Math.abs(change))})`
  return `${metric} of ${service} ${said(before)} → ${said(after)}${by}, ${before.samples} and ${after.samples} samples`
}
