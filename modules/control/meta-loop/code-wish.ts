/**
 * Which finding is worth another text of a module, and of which service: the one the finding names, or the one that is
 * slowest, or fails most, by what was measured. At most one a cycle: a model is asked, and that costs. Pure.
 */
import type { CriticOutput, Finding } from '../../contracts/meta-loop.ts'
import type { MetricSnapshot, ServiceHealth } from '../../contracts/meta-metrics.ts'
import type { ExpectedEffect } from '../../contracts/proposals.ts'

export interface CodeWish {
  finding: Finding
  service: string
  goal: string
  expected: ExpectedEffect
}

/** Of a metric's path. */
const OF_TIME = /latency|duration|wall_clock|recovery/

/** `passes`: whether neither this finding nor this service has led to one lately. */
export function codeWish(
  critic: CriticOutput,
  { domains }: Pick<MetricSnapshot, 'domains'>,
  passes: (finding: Finding, service: string) => boolean,
): CodeWish | undefined {
  if (critic.action === 'ALERT') return undefined
  const services = domains.flatMap((domain) => domain.services)
  for (const finding of critic.findings) {
    if (finding.severity === 'info' || !finding.altitudes.includes('code')) continue
    const isOfTime = OF_TIME.test(metricsIn(finding))
    const service = named(finding, services) ?? worst(services, isOfTime)
    if (service !== undefined && passes(finding, service.api)) return wishFor(finding, service, isOfTime)
  }
  return undefined
}

function wishFor(finding: Finding, { api, calls, errors, p95_s }: ServiceHealth, isOfTime: boolean): CodeWish {
  const time = p95_s === null ? 'unknown' : `${Math.round(p95_s * 1_000)} ms`
  return {
    finding,
    service: api,
    goal: `${finding.description}. Measured of ${api}: ${calls} calls, ${errors} errors, 95 % within ${time}. Make it ${
      isOfTime ? 'faster' : 'fail less'
    }; what it answers must not change.`,
    expected: finding.expected ?? { metric: isOfTime ? 'latency_p95_ms' : 'error_share', direction: 'lower' },
  }
}

const metricsIn = ({ context }: Finding): string =>
  `${String(context['metric'] ?? '')} ${Object.keys(context).join(' ')}`

const named = ({ context }: Finding, services: readonly ServiceHealth[]): ServiceHealth | undefined =>
  services.find(({ api }) => api === context['service'])

/** Of those that do the work; one with nothing to be better at is none. */
function worst(services: readonly ServiceHealth[], isOfTime: boolean): ServiceHealth | undefined {
  const of = ({ p95_s, errors }: ServiceHealth): number => (isOfTime ? (p95_s ?? 0) : errors)
  const bad = services.filter((service) => service.role !== 'system' && of(service) > 0)
  return bad.sort((a, b) => of(b) - of(a))[0]
}
