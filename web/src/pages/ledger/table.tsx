/** Entries as rows; the sequence leads to the whole entry. */
import type { ComponentChildren } from 'preact'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf, route } from '../../route.ts'
import './ledger.css'
import type { Entry } from './words.ts'

const GOOD = new Set(['ok', 'approved', 'confirmed', 'AUTO_APPROVE'])
const BAD = new Set(['failed', 'refused', 'NEVER', 'regressed', 'broken'])
const WAITS = new Set(['pending', 'waiting', 'HUMAN_REVIEW'])

export const toneOf = (outcome: string): Tone =>
  GOOD.has(outcome) ? 'good' : BAD.has(outcome) ? 'bad' : WAITS.has(outcome) ? 'warn' : 'off'

const COLUMNS: readonly Column<Entry>[] = [
  { title: 'Entry', cell: ({ sequence }) => sequence, isHead: true },
  { title: 'When', cell: ({ time }) => <Time at={time} as="clock" />, isExtra: true },
  { title: 'Who', cell: ({ actor, origin }) => <Who actor={actor} origin={origin} />, isExtra: true },
  { title: 'What', cell: ({ action }) => action },
  { title: 'Outcome', cell: ({ outcome }) => <Badge tone={toneOf(outcome)}>{outcome}</Badge> },
  { title: 'To', cell: ({ resource }) => <span class="cut">{resource}</span>, isExtra: true },
  { title: 'Cycle', cell: ({ cycle }) => <Cycle cycle={cycle} />, isExtra: true },
  {
    title: 'Why',
    cell: ({ reason = '' }) => (
      <span class="cut dim" title={reason}>
        {reason}
      </span>
    ),
    isExtra: true,
  },
]

export interface EntryTableProps {
  label: string
  entries: readonly Entry[]
  empty?: ComponentChildren
}

export function EntryTable({ label, entries, empty }: EntryTableProps) {
  const { page, parts, query } = route.value
  return (
    <div class="ledger-table">
      <Table
        label={label}
        columns={COLUMNS}
        rows={entries}
        keyOf={({ sequence }) => String(sequence)}
        hrefOf={({ sequence }) => hrefOf(page, parts, { ...query, entry: String(sequence) })}
        empty={empty}
      />
    </div>
  )
}

const Who = ({ actor, origin }: { actor: string; origin: string }) => (
  <span class="cut">
    {actor} <span class="dim">{origin}</span>
  </span>
)

const Cycle = ({ cycle }: { cycle: string | undefined }) =>
  cycle === undefined ? <span class="dim">–</span> : <a href={hrefOf('ledger', [cycle])}>{cycle}</a>
