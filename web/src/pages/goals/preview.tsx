/** What a rule would have said of the snapshots there are: how often, and where on the line of each of its metrics. */
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useLoad } from '../../api/use-ask.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Chart, type ChartProps } from '../../parts/chart.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { SIGNS, shown, unitOf } from './numbers.ts'
import type { Metrics, Rule } from './rules.tsx'

type Told = ApiAnswer<'POST /api/meta/rules/preview'>

interface PreviewProps {
  rule: Rule['rule']
  /** its conditions can be judged */
  isWhole: boolean
  metrics: Metrics
}

/** A name that is not typed yet does not matter to what it says. */
const UNNAMED = 'unnamed'

export function Preview({ rule, isWhole, metrics }: PreviewProps) {
  const { conditions } = rule
  const judged = { ...rule, name: UNNAMED, altitudes: ['config' as const, 'structure' as const] }
  const asked = useLoad({ on: ['meta.cycle_ended', 'meta.watched'], when: isWhole }, [conditions], () =>
    ask('POST /api/meta/rules/preview', { body: { rule: judged } }),
  )
  return (
    <Card title="On the last snapshots" actions={isWhole && asked.value !== undefined && <Fires told={asked.value} />}>
      {isWhole ? (
        <AskedView asked={asked} label="The snapshots">
          {(told) => <Charts told={told} rule={rule} metrics={metrics} />}
        </AskedView>
      ) : (
        <Empty title="Each condition wants a threshold">Then it is tried on the last 100 snapshots as you type.</Empty>
      )}
    </Card>
  )
}

function Fires({ told: { fires, points } }: { told: Told }) {
  return (
    <Badge tone={fires > 0 ? 'warn' : 'good'}>
      would have fired in {fires} of {points.length}
    </Badge>
  )
}

function Charts({
  told: { points },
  rule: { conditions },
  metrics,
}: {
  told: Told
  rule: Rule['rule']
  metrics: Metrics
}) {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined)
    return <Empty title="There is no snapshot yet">A cycle takes one, and so does the watch every few minutes.</Empty>
  return (
    <div class="stack">
      <p class="dim">
        <Time at={first.at} as="clock" /> to <Time at={last.at} as="clock" />: {outcomes(points)}
      </p>
      {conditions.map(({ metric, comparator, threshold }, at) => {
        const unit = unitOf(metrics.metrics.find((one) => one.metric.path === metric)?.metric.unit ?? '')
        return (
          <section key={`${at} ${metric}`} class="stack">
            <h3>
              {metric} {SIGNS[comparator]} {shown(threshold)} {unit}
            </h3>
            <Chart
              label={`${metric} in the last snapshots`}
              times={points.map((point) => point.at)}
              unit={unit}
              height={160}
              series={seriesOf(points, at, threshold)}
            />
          </section>
        )
      })}
    </div>
  )
}

export function seriesOf(points: Told['points'], at: number, threshold: number): ChartProps['series'] {
  return [
    { name: 'value', values: points.map(({ values }) => values[at] ?? null), color: 1 },
    { name: 'threshold', values: points.map(() => threshold), color: 3, as: 'dashes' },
    {
      name: 'fires at',
      values: points.map(({ outcome, values }) => (outcome === 'fires' ? (values[at] ?? null) : null)),
      color: 5,
      as: 'points',
    },
  ]
}

const OUTCOMES: Record<Told['points'][number]['outcome'], string> = {
  fires: 'fires',
  does_not_hold: 'does not hold',
  no_data: 'no data',
  below_confidence: 'too few samples',
}

/** `fires 3, does not hold 90, no data 7`. */
export function outcomes(points: Told['points']): string {
  const kinds = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[]
  return kinds
    .map((kind) => ({ kind, count: points.filter(({ outcome }) => outcome === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${OUTCOMES[kind]} ${count}`)
    .join(', ')
}
