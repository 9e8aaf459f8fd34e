/** What the policy judges by now: its profile, what the config says instead of it, rules of one's own, and what may be tuned. */
import type { ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { frozen } from '../../live/index.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { Facts } from '../changes/facts.tsx'
import { TierBadge } from './verdict.tsx'

type Settings = ApiAnswer<'GET /api/policy'>
type Levels = Settings['profiles'][string]

const AUTONOMY: Readonly<Record<Settings['autonomy'], string>> = {
  locked: 'the system changes nothing itself',
  supervised: 'every change of the system waits for a person',
  semi: 'tuning goes through, the rest waits',
  full: 'tuning and configs go through, the rest waits',
}

export function InForce() {
  const asked = useAsk({ on: ['service.*', 'config.*'] }, 'GET /api/policy')
  return (
    <AskedView asked={asked} label="What is in force">
      {(settings) => (
        <>
          <div class="split">
            <Profiles settings={settings} />
            <Levels settings={settings} />
          </div>
          <div class="split">
            <Directions directions={settings.directions} />
            <Rules rules={settings.rules} />
          </div>
        </>
      )}
    </AskedView>
  )
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no')

function Levels({ settings }: { settings: Settings }) {
  const { profile, autonomy, production, notices, review_calls, altitudes } = settings
  return (
    <Card title="In force" actions={<CommandLine command={commandOf('policy')} />}>
      <Facts
        facts={[
          ['Profile', <strong>{profile}</strong>],
          [
            'Autonomy',
            <>
              <strong>{autonomy}</strong>: {AUTONOMY[autonomy]}
            </>,
          ],
          ['Frozen', frozen.value === 'none' ? 'no' : <Badge tone="warn">{frozen.value}</Badge>],
          ['Production', yesNo(production)],
          ['Notices', notices ? 'of what went through' : 'none'],
          ['Tool calls wait', review_calls ? 'unless they say they only read' : 'no, only what changes the system'],
          ['Changes', `${settings.changes_per_hour_max} an hour, ${settings.changes_per_day_max} a day, of one actor`],
          ['Altitudes', altitudes.join(', ')],
          ['Set in', <code>configs/control/policy.yml</code>],
        ]}
      />
    </Card>
  )
}

type ProfileRow = Levels & { name: string; isNow: boolean }

const PROFILE_COLUMNS: readonly Column<ProfileRow>[] = [
  {
    title: 'Profile',
    cell: ({ name, isNow }) => (
      <>
        {name} {isNow && <Badge tone="good">in force</Badge>}
      </>
    ),
    isHead: true,
  },
  { title: 'Autonomy', cell: ({ autonomy }) => autonomy },
  { title: 'Production', cell: ({ production }) => yesNo(production), isExtra: true },
  { title: 'Calls wait', cell: ({ review_calls }) => yesNo(review_calls), isExtra: true },
  {
    title: 'An hour, a day',
    cell: ({ changes_per_hour_max, changes_per_day_max }) => `${changes_per_hour_max}, ${changes_per_day_max}`,
    isNumber: true,
    isExtra: true,
  },
]

function Profiles({ settings: { profile, profiles } }: { settings: Settings }) {
  const rows = Object.entries(profiles).map(([name, levels]) => ({ ...levels, name, isNow: name === profile }))
  return (
    <Card title="Profiles" flush>
      <Table label="Profiles" columns={PROFILE_COLUMNS} rows={rows} keyOf={({ name }) => name} />
    </Card>
  )
}

type Rule = Settings['rules'][number]

const RULE_COLUMNS: readonly Column<Rule>[] = [
  { title: 'Rule', cell: ({ name }) => name, isHead: true },
  { title: 'Tier', cell: ({ tier }) => <TierBadge tier={tier} /> },
  { title: 'Fits', cell: (rule) => <code class="wrap">{fitsText(rule)}</code>, isExtra: true },
  { title: 'Says', cell: ({ message = '' }) => <span class="wrap">{message}</span>, isExtra: true },
]

const PARTS = ['actor', 'kind', 'path', 'key', 'tool'] as const
const fitsText = (rule: Rule): string => {
  const parts = PARTS.flatMap((part) => (rule[part] === undefined ? [] : [`${part} ${rule[part]}`]))
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

function Rules({ rules }: { rules: readonly Rule[] }) {
  return (
    <Card title="Rules of your own" flush>
      <Table
        label="Rules of your own"
        columns={RULE_COLUMNS}
        rows={rules}
        keyOf={({ name }) => name}
        empty={
          <Empty title="None">
            Under <code>rules:</code> in <code>configs/control/policy.yml</code>; they make it stricter, never milder.
          </Empty>
        }
      />
    </Card>
  )
}

type Direction = Settings['directions'][string] & { key: string }

const DIRECTION_COLUMNS: readonly Column<Direction>[] = [
  { title: 'Key', cell: ({ key }) => <span class="wrap">{key}</span>, sort: ({ key }) => key, isHead: true },
  { title: 'Stricter is', cell: ({ tighter }) => tighter },
  { title: 'Within', cell: (direction) => <span class="wrap">{withinText(direction)}</span>, isExtra: true },
]

const withinText = ({ min, max, values }: Direction): string => {
  if (values !== undefined) return values.join(', ')
  if (min === undefined && max === undefined) return 'no bounds'
  return [min === undefined ? '' : `from ${min}`, max === undefined ? '' : `to ${max}`].join(' ').trim()
}

function Directions({ directions }: { directions: Settings['directions'] }) {
  const rows = Object.entries(directions).map(([key, direction]) => ({ ...direction, key }))
  return (
    <Card title="What may be tuned" flush>
      <Table label="What may be tuned" columns={DIRECTION_COLUMNS} rows={rows} keyOf={({ key }) => key} />
    </Card>
  )
}
