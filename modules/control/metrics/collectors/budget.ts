/** What models cost, for how long the budget lasts, and where time goes: to work, to leading others, or to watching. */
import type { MetricValue } from '../../../contracts/meta-metrics.ts'
import { counted, shareOf, unknown, type Collector, type Look, type Values } from '../look.ts'
import { roleOf, type Role } from '../roles.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** so many answers are enough for a forecast */
const ANSWERS_ENOUGH = 20

export const budget: Collector = { domain: 'budget', collect }

function collect(look: Look): Values {
  const { productive, coordination, system } = timesOf(look)
  const all = productive + coordination + system
  const isEnough = all > 0 && all >= look.scene.config.busy_ms_min
  const samples = look.count('told')
  const share = (ms: number): MetricValue => ({ value: isEnough ? shareOf(ms, all).value : null, samples })
  const priced = look.count('model priced')
  const spend = priced === 0 ? null : look.count('model usd')
  const hours = look.scene.config.window_ms / HOUR_MS
  const ahead = forecast(look)
  return {
    total_spend: { value: spend, samples: priced },
    spend_per_hour: { value: spend === null ? null : spend / hours, samples: priced },
    tokens: counted(look.count('model tokens')),
    productive_ratio: share(productive),
    coordination_ratio: share(coordination),
    system_ratio: share(system),
    days_until_exhausted: ahead.days,
    forecast_confidence: ahead.confidence,
    orchestration_overhead: { value: isEnough && productive > 0 ? coordination / productive : null, samples },
  }
}

/** Time within a service: what calls to it took, less what it waited for others. */
function timesOf(look: Look): Record<Role, number> {
  const progs = new Map(look.scene.services.map(({ api, prog }) => [api, prog]))
  const own = new Map<string, number>()
  for (const [pair, ms] of look.counts('ms')) {
    const [caller = '', callee = ''] = pair.split('>')
    own.set(callee, (own.get(callee) ?? 0) + ms)
    own.set(caller, (own.get(caller) ?? 0) - ms)
  }
  const times: Record<Role, number> = { productive: 0, coordination: 0, system: 0 }
  for (const [api, ms] of own) {
    const prog = progs.get(api)
    if (prog !== undefined) times[roleOf(prog)] += Math.max(0, ms)
  }
  return times
}

function forecast({ scene: { seen, now, config } }: Look): { days: MetricValue; confidence: MetricValue } {
  const { usd, answers, priced } = seen.spend.since(now - DAY_MS)
  if (answers === 0) return { days: unknown, confidence: unknown }
  const confidence = (priced / answers) * Math.min(1, answers / ANSWERS_ENOUGH)
  const left = (config.budget_usd ?? 0) - seen.spend.since(now - config.budget_days * DAY_MS).usd
  const days = config.budget_usd === undefined || usd === 0 ? null : Math.floor(Math.max(0, left) / usd)
  return { days: { value: days, samples: priced }, confidence: { value: confidence, samples: answers } }
}
