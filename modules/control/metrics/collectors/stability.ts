/** How steadily the whole runs: its domains, its decisions, its queues, its versions, its process. */
import type { LedgerApi, LedgerEntry } from '../../../contracts/ledger.ts'
import type { KernelStatus } from '../../../contracts/kernel.ts'
import type { MetricValue } from '../../../contracts/meta-metrics.ts'
import { isLive } from '../domains.ts'
import { complianceOf, counterOf, KINDS, type Breach } from '../compliance.ts'
import { counted, meanOf, shareOf, sumOf, unknown, type Collector, type Look, type Values } from '../look.ts'
import { roleOf } from '../roles.ts'

const ENTRIES_MAX = 1_000

export const stability: Collector = { domain: 'stability', collect }

async function collect(look: Look): Promise<Values> {
  const { services, domains, seen, config } = look.scene
  const working = services.filter(({ prog }) => roleOf(prog) !== 'system')
  const allCalls = look.counts('calls')
  const calls = sumOf(working.map(({ api }) => allCalls.get(api) ?? 0))
  const [ok, refused] = [look.count('load ok'), look.count('load refused')]
  const answered = look.count('model answered')
  const live = services.filter(isLive).length
  const [status, compliance, people] = await Promise.all([look.status(), complianceNow(look), peopleOf(look)])
  return {
    success_rate: overDomains(domains.map(({ success_rate }) => success_rate)),
    recovery_s_p95: overDomains(domains.map(({ recovery_s_p95 }) => recovery_s_p95)),
    autonomy_rate: overDomains(domains.map(({ autonomy_rate }) => autonomy_rate)),
    human_intervention_rate: people,
    compliance,
    throughput_per_s: { value: calls === 0 ? null : calls / (config.window_ms / 1000), samples: calls },
    queue_depth: counted(sumOf(services.map(({ queued }) => queued))),
    in_flight: counted(sumOf(services.map(({ in_flight }) => in_flight))),
    service_load_success: shareOf(ok, ok + refused),
    timeout_rate: shareOf(sumOf(look.counts('late').values()), look.count('told')),
    model_reachable: shareOf(answered, answered + look.count('model silent')),
    service_count: counted(live),
    registry_health: shareOf(live, services.length),
    ...(status === undefined ? {} : { kernel_health: counted(healthOf(status)) }),
    event_loop_delay_s_p99: seen.process.delay(),
    heap_used_ratio: counted(seen.process.heapUsed()),
    suppressed_errors: counted(look.count('fault of nobody')),
    restarts: counted(sumOf(look.counts('restarts').values())),
  }
}

/** Each domain counts alike; samples are those of all. */
function overDomains(values: readonly MetricValue[]): MetricValue {
  const mean = meanOf(values.flatMap(({ value }) => value ?? []))
  return { value: mean.value, samples: sumOf(values.map(({ samples }) => samples)) }
}

function healthOf({ status }: KernelStatus): number {
  switch (status) {
    case 'ok':
      return 1
    case 'starting':
    case 'degraded':
      return 0.5
    case 'stopping':
      return 0
    default: {
      const never: never = status
      return never
    }
  }
}

/** Without a ledger nobody can say that all was in order. */
async function complianceNow(look: Look): Promise<MetricValue> {
  const ledger = await look.ask<LedgerApi, ReturnType<LedgerApi['status']>>('ledger', (one) => one.status())
  if (ledger === undefined) return unknown
  const told = Object.fromEntries(KINDS.map((kind) => [kind, look.count(counterOf(kind))])) as Record<Breach, number>
  // Found when this process began: nobody has told of it.
  const isBroken = ledger.checked !== null && !ledger.checked.valid && told.critical === 0
  const counts = { ...told, critical: told.critical + (isBroken ? 1 : 0) }
  return { value: complianceOf(counts), samples: sumOf(Object.values(counts)) }
}

async function peopleOf(look: Look): Promise<MetricValue> {
  const query = { since: look.since, limit: ENTRIES_MAX }
  const entries = await look.ask<LedgerApi, LedgerEntry[]>('ledger', (ledger) => ledger.read(query))
  if (entries === undefined) return unknown
  return shareOf(entries.filter(({ origin }) => origin === 'human').length, entries.length)
}
