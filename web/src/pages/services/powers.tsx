/** What a service may do, what it has done of it, and what it tried and was refused. */
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Empty } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import type { Detail } from './one.tsx'
import { powersOf, type Power } from './power-rows.ts'

type Sandbox = NonNullable<Detail['sandbox']>

export function Powers({ detail: { sandbox, state } }: { detail: Detail }) {
  if (sandbox === null)
    return (
      <Empty title={state === 'live' ? 'It has every power' : 'Its powers are not known'}>
        It runs in the process of the system and not in a sandbox. With <code>sandbox: true</code> and{' '}
        <code>grants:</code> in its config it has those powers alone, and what it uses is counted here.
      </Empty>
    )
  return (
    <>
      <Card title="Powers: granted, used, refused" flush>
        <Table<Power>
          label="Powers"
          rows={powersOf(sandbox)}
          keyOf={({ power, verdict }) => `${verdict} ${power}`}
          toneOf={({ verdict }) => (verdict === 'refused' ? 'bad' : verdict === 'unused' ? 'warn' : undefined)}
          columns={[
            { title: 'Power', cell: ({ power }) => <code>{power}</code>, sort: ({ power }) => power, isHead: true },
            { title: 'Verdict', cell: Verdict, sort: ({ verdict }) => verdict },
            { title: 'Times', cell: ({ count }) => count ?? '–', sort: ({ count }) => count ?? -1, isNumber: true },
            {
              title: 'Last',
              cell: ({ last_at }) => <Time at={last_at} />,
              sort: (one) => one.last_at ?? 0,
              isExtra: true,
            },
          ]}
          empty={<Empty title="It may do nothing, and has tried nothing">Its config grants it no power.</Empty>}
        />
      </Card>
      <Limits sandbox={sandbox} />
    </>
  )
}

const TONES = { used: 'good', granted: 'off', unused: 'warn', refused: 'bad' } as const
const TEXTS = { used: 'used', granted: 'granted', unused: 'granted, never used', refused: 'refused' } as const

const Verdict = ({ verdict }: Power) => <Badge tone={TONES[verdict]}>{TEXTS[verdict]}</Badge>

function Limits({ sandbox: { isolation, group, pid, limits, kills } }: { sandbox: Sandbox }) {
  const broken = Object.entries(kills)
  return (
    <Card title="Its sandbox">
      <dl class="facts">
        <dt>Place</dt>
        <dd>
          {isolation === 'group'
            ? `process of the group ${group}`
            : isolation === 'own'
              ? 'a process of its own'
              : 'inline'}
          {pid !== null && `, ${pid}`}
        </dd>
        <dt>Memory</dt>
        <dd>{limits.memory_mb} MB</dd>
        <dt>Processor</dt>
        <dd>
          {limits.cpu_ms} ms of an entry, {Math.round(limits.cpu_share * 100)} % of a core
        </dd>
        <dt>Time of a call</dt>
        <dd>{limits.wall_ms} ms</dd>
        <dt>Limits broken</dt>
        <dd>{broken.length === 0 ? 'never' : broken.map(([code, count]) => `${code} (${count})`).join(', ')}</dd>
      </dl>
    </Card>
  )
}
