/** The evolution log: a line for each cycle, whatever became of it; and every entry of one. */
import { useAsk } from '../../api/use-ask.ts'
import type { ApiAnswer } from '../../api/client.ts'
import { commandOf } from '../../commands.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { ageOf, Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { EntryTable, toneOf } from './table.tsx'

type Line = ApiAnswer<'GET /api/ledger/cycles'>['cycles'][number]

const COLUMNS: readonly Column<Line>[] = [
  { title: 'Cycle', cell: ({ cycle }) => cycle, isHead: true },
  { title: 'Outcome', cell: ({ outcome }) => <Badge tone={toneOf(outcome)}>{outcome}</Badge> },
  { title: 'Entries', cell: ({ entries }) => entries, sort: ({ entries }) => entries, isNumber: true },
  { title: 'Began', cell: ({ started_at }) => <Time at={started_at} as="clock" />, isExtra: true },
  {
    title: 'Took',
    cell: ({ started_at, ended_at }) => ageOf(ended_at - started_at),
    sort: ({ started_at, ended_at }) => ended_at - started_at,
    isNumber: true,
    isExtra: true,
  },
  { title: 'By', cell: ({ actor, origin }) => `${actor} (${origin})`, isExtra: true },
  {
    title: 'Steps',
    cell: ({ actions }) => (
      <span class="cut ledger-steps dim" title={actions.join(' → ')}>
        {actions.join(' → ')}
      </span>
    ),
    isExtra: true,
  },
]

export function Cycles() {
  const asked = useAsk({ on: ['proposal.*', 'approval.*', 'meta.*'], every_ms: 10_000 }, 'GET /api/ledger/cycles', {
    query: { limit: 500 },
  })
  return (
    <Card title="Evolution log" actions={<CommandLine command={commandOf('evolution')} />} flush>
      <AskedView asked={asked} label="The evolution log">
        {({ cycles }) => (
          <Table
            label="Evolution log"
            columns={COLUMNS}
            rows={cycles}
            keyOf={({ cycle }) => cycle}
            hrefOf={({ cycle }) => hrefOf('ledger', [cycle])}
            empty={
              <Empty title="No cycle yet">
                Each proposed change and each run of the meta-loop is a cycle: all its entries belong together.
              </Empty>
            }
          />
        )}
      </AskedView>
    </Card>
  )
}

const CHANGE = /^c[1-9]\d*$/

export function CycleReplay({ cycle }: { cycle: string }) {
  const asked = useAsk({ on: ['proposal.*', 'approval.*'] }, 'GET /api/ledger/cycles/{cycle}', { params: { cycle } })
  return (
    <>
      <p class="row">
        <a href={hrefOf('ledger', [], { tab: 'cycles' })}>← The evolution log</a>
        {CHANGE.test(cycle) && <a href={hrefOf('changes', [cycle])}>The change {cycle}</a>}
      </p>
      <Card title={`Cycle ${cycle}`} actions={<CommandLine command={commandOf('replay_cycle', { cycle })} />} flush>
        <AskedView asked={asked} label={`Cycle ${cycle}`}>
          {({ entries }) => <EntryTable label={`Entries of ${cycle}`} entries={entries} />}
        </AskedView>
      </Card>
    </>
  )
}
