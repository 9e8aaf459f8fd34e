/** The system now: its services, live. */
import { services } from '../../live/index.ts'
import type { ServiceStatus } from '../../live/index.ts'
import { StateBadge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Empty, Loading } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'

const COLUMNS: readonly Column<ServiceStatus>[] = [
  { title: 'Service', cell: ({ api }) => api, sort: ({ api }) => api, isHead: true },
  { title: 'State', cell: ({ state }) => <StateBadge state={state} />, sort: ({ state }) => state },
  { title: 'Generation', cell: ({ generation }) => (generation === null ? '–' : `g${generation}`), isNumber: true },
  { title: 'Calls', cell: ({ calls }) => calls, sort: ({ calls }) => calls, isNumber: true },
  { title: 'Errors', cell: ({ errors }) => errors, sort: ({ errors }) => errors, isNumber: true },
]

export default function Now() {
  const all = services.value
  if (all === undefined) return <Loading label="Services" />
  if (all.length === 0) return <Empty title="No service yet">Drop a YAML file into configs/ and it appears here.</Empty>
  return (
    <Card title="Services">
      <Table label="Services" columns={COLUMNS} rows={all} keyOf={({ api }) => api} />
    </Card>
  )
}
