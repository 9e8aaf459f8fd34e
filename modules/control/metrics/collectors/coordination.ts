/** How much leading costs: answers and calls beyond those needed, errors that grow along a chain, repeats, stragglers. */
import type { MetricValue } from '../../../contracts/meta-metrics.ts'
import { counted, meanOf, shareOf, sumOf, unknown, type Collector, type Look, type Values } from '../look.ts'
import { gapsOf, type Request } from '../seen/requests.ts'

export const coordination: Collector = { domain: 'coordination', collect }

function collect(look: Look): Values {
  const { seen } = look.scene
  const requests = seen.requests.since(look.since)
  const asked = requests.filter(({ answers }) => answers > 0)
  const answers = sumOf(asked.map((one) => one.answers))
  const needed = sumOf(asked.map(neededOf))
  const good = shareOf(asked.filter(({ ok }) => ok).length, asked.length)
  const samples = asked.length
  const gaps = requests.flatMap(gapsOf)
  const hashes = seen.repeats.since(look.since)
  return {
    coordination_efficiency: { value: good.value === null ? null : good.value / (answers / needed), samples },
    coordination_overhead_pct: { value: samples === 0 ? null : ((answers - needed) / needed) * 100, samples },
    error_amplification: amplification(requests),
    message_density: { value: samples === 0 ? null : sumOf(asked.map(({ calls }) => calls)) / answers, samples },
    redundancy_rate: shareOf(hashes.length - new Set(hashes).size, hashes.length),
    straggler_gap_ratio: meanOf(gaps),
    sample_count: counted(requests.length),
  }
}

/** One answer for each tool call that worked, and one at the end. */
const neededOf = ({ tools, failedTools }: Request): number => tools - failedTools + 1

function amplification(requests: readonly Request[]): MetricValue {
  const rate = (some: readonly Request[]): number | null =>
    shareOf(sumOf(some.map(({ failedTools }) => failedTools)), sumOf(some.map(({ tools }) => tools))).value
  const chains = requests.filter(({ tools }) => tools > 1)
  const single = requests.filter(({ tools }) => tools === 1)
  const [many, one] = [rate(chains), rate(single)]
  if (many === null || one === null || one === 0) return unknown
  return { value: many / one, samples: chains.length + single.length }
}
