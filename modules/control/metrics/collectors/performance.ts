/** How well and how fast services that work answer: the kernel's counts, calls it tells of, tool calls as models write them. */
import { counted, shareOf, sumOf, type Collector, type Look, type Values } from '../look.ts'
import { isEntrance, roleOf } from '../roles.ts'
import { percentile } from '../seen/recent.ts'

export const performance: Collector = { domain: 'performance', collect }

function collect(look: Look): Values {
  const { services, seen } = look.scene
  const working = services.filter(({ prog }) => roleOf(prog) !== 'system')
  const [allCalls, allErrors] = [look.counts('calls'), look.counts('errors')]
  const calls = sumOf(working.map(({ api }) => allCalls.get(api) ?? 0))
  const errors = sumOf(working.map(({ api }) => allErrors.get(api) ?? 0))
  const times = working.flatMap(({ api }) => seen.timesOf(api, look.since))
  const quality = shareOf(look.count('quality points'), look.count('quality seen'))
  const between = collaboration(look)
  return {
    avg_quality_score: points(quality),
    avg_success_rate: shareOf(calls - errors, calls),
    avg_collaboration_score: points(between),
    agent_count: counted(working.filter(({ api }) => (allCalls.get(api) ?? 0) > 0).length),
    latency_s_p50: { value: percentile(times, 0.5), samples: times.length },
    latency_s_p95: { value: percentile(times, 0.95), samples: times.length },
  }
}

const points = ({ value, samples }: { value: number | null; samples: number }): Values[string] => ({
  value: value === null ? null : value * 10,
  samples,
})

/** Calls one service makes to another; not those that come in from outside. */
function collaboration(look: Look): Values[string] {
  const callers = new Map(look.scene.services.map(({ api, prog }) => [api, prog]))
  const isBetween = (pair: string): boolean => {
    const [caller = '', callee = ''] = pair.split('>')
    const [from, to] = [callers.get(caller), callers.get(callee)]
    return from !== undefined && to !== undefined && !isEntrance(from) && roleOf(to) !== 'system'
  }
  const total = (kind: string): number =>
    sumOf([...look.counts(kind)].flatMap(([pair, count]) => (isBetween(pair) ? count : [])))
  const calls = total('call')
  return shareOf(calls - total('bad'), calls)
}
