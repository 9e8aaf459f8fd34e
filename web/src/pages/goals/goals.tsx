/** Gauges of the six goals with their thresholds, gaps of the strategic goals over time, and how the loop itself does. */
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useAsk, useLoad } from '../../api/use-ask.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Sparkline } from '../../parts/sparkline.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { ageOf, Time } from '../../parts/time.tsx'
import { Gauge } from './gauge.tsx'
import { LOOP_MS, OF_LOOP, type MetaStatus } from './index.tsx'
import { percent, shown } from './numbers.ts'

type Thresholds = Record<string, { weight: number; threshold: number }>
type Gap = MetaStatus['gaps'][number]

const GOALS = {
  G1_truthful: 'Truthful',
  G2_economical: 'Economical',
  G3_reliable: 'Reliable',
  G4_capable: 'Capable',
  G5_diligent: 'Diligent',
  G6_self_know: 'Knows itself',
} as const

export function Goals({ status }: { status: MetaStatus }) {
  return (
    <div class="stack">
      <Gauges status={status} />
      <StrategicGoals gaps={status.gaps} />
      <LoopHealth domains={status.domains} />
    </div>
  )
}

function Gauges({ status: { scores, scores_error, bot_id } }: { status: MetaStatus }) {
  const config = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta/config')
  const goals = (config.value?.config['goals'] ?? {}) as unknown as Thresholds
  const all = scores?.aggregate
  return (
    <Card
      title={bot_id === 'default' ? 'Goals' : `Goals of ${bot_id}`}
      actions={<Badge tone="info">{all === null || all === undefined ? 'no data' : `${percent(all)} in all`}</Badge>}
    >
      {scores === null ? (
        <Empty title="There are no scores">{scores_error ?? 'Nothing could be measured yet.'}</Empty>
      ) : (
        <div class="goals-gauges">
          {Object.entries(GOALS).map(([id, name]) => (
            <Gauge
              key={id}
              name={`${id.slice(0, 2)} ${name}`}
              score={scores.goals[id as keyof typeof GOALS]}
              threshold={goals[id]?.threshold}
              weight={goals[id]?.weight}
            />
          ))}
        </div>
      )}
    </Card>
  )
}

interface GoalRow extends Gap {
  history: readonly (number | null)[]
}

const COLUMNS: readonly Column<GoalRow>[] = [
  { title: 'Goal', cell: ({ goal }) => goal.replaceAll('_', ' '), sort: ({ goal }) => goal, isHead: true },
  { title: 'Metric', cell: ({ metric }) => <code>{metric}</code>, isExtra: true },
  { title: 'Now', cell: ({ current }) => shown(current), isNumber: true },
  { title: 'Target', cell: ({ target }) => shown(target), isNumber: true },
  {
    title: 'Gap',
    cell: ({ gap }) => <GapBadge gap={gap} />,
    sort: ({ gap }) => gap ?? -Infinity,
    isNumber: true,
  },
  {
    title: 'Last snapshots',
    cell: ({ metric, history }) => <Sparkline values={history} label={metric} />,
    isExtra: true,
  },
]

/** Above 0 is worse, whichever way is better. */
function GapBadge({ gap }: { gap: number | null }) {
  if (gap === null) return <Badge tone="off">no data</Badge>
  return gap > 0 ? <Badge tone="warn">{shown(gap)} off</Badge> : <Badge tone="good">reached</Badge>
}

function StrategicGoals({ gaps }: { gaps: readonly Gap[] }) {
  const paths = gaps.map(({ metric }) => metric)
  const histories = useLoad({ on: ['meta.cycle_ended'] }, paths, async () => {
    const told = await Promise.all(
      paths.map((path) => ask('GET /api/meta/metrics/{path}', { params: { path }, query: { limit: 50 } })),
    )
    return Object.fromEntries(told.map(({ points }, at) => [paths[at], points.map(({ value }) => value)]))
  })
  const rows = gaps.map((gap): GoalRow => ({ ...gap, history: histories.value?.[gap.metric] ?? [] }))
  return (
    <Card title="Strategic goals" flush>
      <Table
        label="Strategic goals"
        columns={COLUMNS}
        rows={rows}
        keyOf={({ goal }) => goal}
        toneOf={({ gap }) => (gap !== null && gap > 0 ? 'warn' : undefined)}
        empty={
          <Empty title="No snapshot yet">
            A cycle takes one, and so does the watch every few minutes. Goals stand under strategic_goals: of the
            config.
          </Empty>
        }
      />
    </Card>
  )
}

function LoopHealth({ domains }: { domains: MetaStatus['domains'] }) {
  const asked = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta/health')
  return (
    <Card title="The loop itself">
      <AskedView asked={asked} label="Health of the loop">
        {({ health, alerts }) => (
          <div class="stack">
            <Numbers health={health} domains={domains} />
            {alerts.length > 0 && (
              <ul class="items">
                {alerts.map(({ key, message, at, over_at }) => (
                  <li key={`${key} ${at}`} class="row">
                    <Badge tone={over_at === null ? 'warn' : 'off'}>{over_at === null ? 'alert' : 'over'}</Badge>
                    <span>{message}</span>
                    <Time at={at} />
                  </li>
                ))}
              </ul>
            )}
          </div>
        )}
      </AskedView>
    </Card>
  )
}

interface NumbersProps {
  health: ApiAnswer<'GET /api/meta/health'>['health']
  domains: MetaStatus['domains']
}

function Numbers({ health, domains }: NumbersProps) {
  const share = (value: number | null): string => (value === null ? 'nothing of the kind yet' : percent(value))
  return (
    <dl class="facts">
      <dt>Cycles</dt>
      <dd>
        {health.cycles}
        {health.cycle_latency_ms !== null && `, ${ageOf(health.cycle_latency_ms)} each`}
      </dd>
      <dt>Changes kept</dt>
      <dd>{share(health.directive_success_rate)}</dd>
      <dt>Changes taken back</dt>
      <dd>{share(health.rollback_rate)}</dd>
      <dt>Rules that held</dt>
      <dd>{share(health.policy_match_rate)}</dd>
      <dt>Domains below 85 %</dt>
      <dd>{domains.under.length === 0 ? 'none' : domains.under.join(', ')}</dd>
    </dl>
  )
}
