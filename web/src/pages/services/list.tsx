/** All services: how each stands, how often it is called, how long that takes. Filtered by text and by state. */
import { useMemo } from 'preact/hooks'
import { failure, services, type ServiceStatus } from '../../live/index.ts'
import { msText, rateOf, rateText, type Pulse } from '../../live/rates.ts'
import { usePulse } from '../../live/traffic.ts'
import { Badge, StateBadge } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import { Sparkline } from '../../parts/sparkline.tsx'
import { Empty, Failure, Loading } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { hrefOf, setQuery } from '../../route.ts'
import { filtered } from './filter.ts'

const STATES = [
  { value: 'all', text: 'Every state' },
  { value: 'attention', text: 'Wants a look' },
  { value: 'stale', text: 'stale' },
  'live',
  'waiting',
  'starting',
  'switching',
  'draining',
  'stopped',
  'failed',
  'tripped',
  'quarantined',
]

export function List({ query }: { query: Readonly<Record<string, string>> }) {
  const pulse = usePulse()
  const all = services.value
  const { q: text = '', state = 'all' } = query
  const rows = useMemo(() => filtered(all ?? [], text, state), [all, text, state])
  const columns = useMemo(() => columnsOf(pulse), [pulse])
  if (all === undefined)
    return failure.value === undefined ? <Loading label="Services" /> : <Failure error={failure.value} />
  if (all.length === 0) return <Empty title="No service yet">Drop a YAML file into configs/ and it appears here.</Empty>
  return (
    <Card
      title={rows.length === all.length ? `${all.length} services` : `${rows.length} of ${all.length} services`}
      flush
      actions={
        <>
          <TextField
            bare
            type="search"
            label="Find a service"
            placeholder="Find a service"
            value={text}
            onInput={(typed) => setQuery({ q: typed === '' ? undefined : typed })}
          />
          <SelectField
            bare
            label="State"
            value={state}
            choices={STATES}
            onPick={(picked) => setQuery({ state: picked === 'all' ? undefined : picked })}
          />
        </>
      }
    >
      <Table
        label="Services"
        columns={columns}
        rows={rows}
        keyOf={({ api }) => api}
        hrefOf={({ api }) => hrefOf('services', [api])}
        toneOf={toneOf}
        empty={
          <Empty title="None of them fits">
            <Button onClick={() => setQuery({ q: undefined, state: undefined })}>Show all</Button>
          </Empty>
        }
      />
    </Card>
  )
}

function toneOf({ state, stale }: ServiceStatus): 'warn' | 'bad' | undefined {
  if (state === 'failed' || state === 'tripped' || state === 'quarantined') return 'bad'
  return stale || state === 'waiting' ? 'warn' : undefined
}

function columnsOf(pulse: Pulse | undefined): Column<ServiceStatus>[] {
  const trend = ({ api }: ServiceStatus) => pulse?.services.get(api)
  const rate = ({ api }: ServiceStatus): number | null => rateOf(pulse, api)
  const p50 = (one: ServiceStatus): number | null => trend(one)?.p50_ms.findLast((value) => value !== null) ?? null
  return [
    { title: 'Service', cell: ({ api }) => api, sort: ({ api }) => api, isHead: true },
    { title: 'State', cell: StateCell, sort: ({ state }) => state },
    {
      title: 'Version',
      cell: ({ generation }) => (generation === null ? '–' : `g${generation}`),
      sort: ({ generation }) => generation ?? 0,
      isNumber: true,
      isExtra: true,
    },
    { title: 'Calls/s', cell: (one) => rateText(rate(one)), sort: (one) => rate(one) ?? -1, isNumber: true },
    {
      title: 'Median',
      cell: (one) => msText(p50(one)),
      sort: (one) => p50(one) ?? -1,
      isNumber: true,
      isExtra: true,
    },
    {
      title: 'Median, last minute',
      cell: (one) => <Sparkline values={trend(one)?.p50_ms ?? []} label={`median time of ${one.api}, ms`} />,
      isExtra: true,
    },
    { title: 'Calls', cell: ({ calls }) => calls, sort: ({ calls }) => calls, isNumber: true, isExtra: true },
    { title: 'Errors', cell: ({ errors }) => errors, sort: ({ errors }) => errors, isNumber: true, isExtra: true },
    {
      title: 'Open',
      cell: ({ in_flight }) => in_flight,
      sort: ({ in_flight }) => in_flight,
      isNumber: true,
      isExtra: true,
    },
  ]
}

function StateCell({ state, stale, queued, waiting_for, sandboxed, last_good }: ServiceStatus) {
  return (
    <span class="services-badges">
      <StateBadge state={state} />
      {last_good !== null ? <Badge tone="warn">last good</Badge> : stale && <Badge tone="warn">stale</Badge>}
      {queued > 0 && <Badge tone="warn">{queued} wait</Badge>}
      {waiting_for.length > 0 && <span class="dim is-wide">for {waiting_for.join(', ')}</span>}
      {sandboxed && (
        <span class="is-wide">
          <Badge tone="info">sandboxed</Badge>
        </span>
      )}
    </span>
  )
}
