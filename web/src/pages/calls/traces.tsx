/** The newest traces, by service and by what failed; followed while the page is looked at, until it is paused. */
import { useState } from 'preact/hooks'
import type { ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { CheckField } from '../../parts/field.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf, setQuery } from '../../route.ts'
import { ServiceField } from './service-field.tsx'
import { tookOf } from './waterfall.ts'

type Summary = ApiAnswer<'GET /api/traces'>['traces'][number]

const LIMIT = 200
const LOOK_MS = 2_000

const COLUMNS: readonly Column<Summary>[] = [
  { title: 'Entry', cell: ({ entry }) => <EntryName entry={entry} />, sort: ({ entry }) => entry, isHead: true },
  {
    title: 'Outcome',
    cell: ({ errors }) =>
      errors === 0 ? <Badge tone="good">ok</Badge> : <Badge tone="bad">{`${errors} failed`}</Badge>,
    sort: ({ errors }) => -errors,
  },
  { title: 'Took', cell: ({ ms }) => tookOf(ms), sort: ({ ms }) => ms, isNumber: true },
  { title: 'Calls', cell: ({ spans }) => spans, sort: ({ spans }) => spans, isNumber: true, isExtra: true },
  {
    title: 'Began',
    cell: ({ at }) => <Time at={at} as="clock" />,
    sort: ({ at }) => at,
    isNumber: true,
    isExtra: true,
  },
]

/** `http → ticker.tick`; on a phone without who calls. */
function EntryName({ entry }: { entry: string }) {
  const at = entry.indexOf('→ ') + 1
  return (
    <code>
      <span class="is-wide">{entry.slice(0, at)} </span>
      {entry.slice(at).trim()}
    </code>
  )
}

export function Traces({ query }: { query: Readonly<Record<string, string>> }) {
  const [isLive, setLive] = useState(true)
  const { service } = query
  const onlyErrors = query['errors'] === 'true'
  const asked = useAsk(isLive ? { every_ms: LOOK_MS } : {}, 'GET /api/traces', {
    query: {
      limit: String(LIMIT),
      ...(service === undefined ? {} : { service }),
      ...(onlyErrors ? { errors: 'true' as const } : {}),
    },
  })
  const filters = (
    <>
      <ServiceField service={service} none="All services" />
      <CheckField
        label="Only failed"
        checked={onlyErrors}
        onPick={(checked) => setQuery({ errors: checked ? 'true' : undefined })}
      />
      <CheckField label="Follow" checked={isLive} onPick={setLive} />
    </>
  )
  return (
    <Card title="Traces" actions={filters} flush>
      <AskedView asked={asked} label="Traces">
        {({ traces, total }) => (
          <>
            <Table
              label="Traces"
              columns={COLUMNS}
              rows={traces}
              keyOf={({ trace }) => trace}
              hrefOf={({ trace }) => hrefOf('calls', [trace])}
              toneOf={({ errors }) => (errors > 0 ? 'bad' : undefined)}
              empty={<NoTrace isFiltered={service !== undefined || onlyErrors} total={total} />}
            />
            {total > traces.length && traces.length >= LIMIT && (
              <p class="calls-note dim">
                The newest {traces.length} of {total}.
              </p>
            )}
          </>
        )}
      </AskedView>
    </Card>
  )
}

function NoTrace({ isFiltered, total }: { isFiltered: boolean; total: number }) {
  if (isFiltered) return <Empty title="No trace fits these filters">{`${total} traces are kept.`}</Empty>
  return (
    <Empty title="No trace yet">
      A call over HTTP, MCP or a chat begins one: <CommandLine command={commandOf('call_example')} />
    </Empty>
  )
}
