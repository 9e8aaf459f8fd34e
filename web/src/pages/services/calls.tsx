/** How often a service is called and how long that takes, and the last traces in which it has a part. */
import type { ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { pulseFailure, usePulse } from '../../live/traffic.ts'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Chart } from '../../parts/chart.tsx'
import { CheckField } from '../../parts/field.tsx'
import { AskedView, Empty, Failure, Loading } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf, route, setQuery } from '../../route.ts'
import { msText, type Trend } from '../../live/rates.ts'
import type { Detail } from './one.tsx'

type Trace = ApiAnswer<'GET /api/traces'>['traces'][number]

const TRACES = 20

export function Calls({ detail: { api } }: { detail: Detail }) {
  const pulse = usePulse()
  const trend = pulse?.services.get(api)
  return (
    <>
      {pulse === undefined ? (
        pulseFailure.value === undefined ? (
          <Loading label="Calls a second" />
        ) : (
          <Failure error={pulseFailure.value} />
        )
      ) : trend !== undefined ? (
        <Charts trend={trend} times={pulse.times} />
      ) : (
        <Empty title="It was not called yet">
          Call one of its methods, and how often and how long is drawn here as it happens.
        </Empty>
      )}
      <Traces api={api} />
    </>
  )
}

function Charts({ trend, times }: { trend: Trend; times: readonly number[] }) {
  const at = times.slice(-trend.calls_per_s.length)
  return (
    <div class="columns">
      <Card title="Calls a second">
        <Chart
          label="Calls and errors a second"
          times={at}
          series={[
            { name: 'calls', values: trend.calls_per_s, color: 1 },
            { name: 'errors', values: trend.errors_per_s, color: 5 },
          ]}
        />
      </Card>
      <Card title="Time of a call">
        <Chart
          label="Median time of a call"
          times={at}
          series={[{ name: 'median', values: trend.p50_ms, color: 2 }]}
          unit="ms"
        />
      </Card>
    </div>
  )
}

function Traces({ api }: { api: string }) {
  const isFailed = route.value.query['errors'] === 'true'
  const asked = useAsk({ every_ms: 5_000 }, 'GET /api/traces', {
    query: { service: api, limit: String(TRACES), ...(isFailed ? { errors: 'true' } : {}) },
  })
  const failed = (
    <CheckField
      label="Only those that failed"
      checked={isFailed}
      onPick={(wanted) => setQuery({ errors: wanted ? 'true' : undefined })}
    />
  )
  return (
    <Card title="Last requests it had a part in" flush actions={failed}>
      {asked.state === 'failed' && asked.error.code === 'service_not_found' ? (
        <Empty title="Nobody keeps traces">
          The service <code>traces</code> records requests; this system has none.
        </Empty>
      ) : (
        <AskedView asked={asked} label="Traces">
          {({ traces }) => (
            <Table<Trace>
              label="Traces"
              rows={traces}
              keyOf={({ trace }) => trace}
              hrefOf={({ trace }) => hrefOf('calls', [trace])}
              toneOf={({ errors }) => (errors > 0 ? 'bad' : undefined)}
              columns={[
                { title: 'Request', cell: ({ entry }) => entry, isHead: true },
                { title: 'When', cell: ({ at }) => <Time at={at} />, sort: ({ at }) => at },
                { title: 'Took', cell: ({ ms }) => msText(ms), sort: ({ ms }) => ms, isNumber: true },
                {
                  title: 'Calls',
                  cell: ({ spans }) => spans,
                  sort: ({ spans }) => spans,
                  isNumber: true,
                  isExtra: true,
                },
                {
                  title: 'Errors',
                  cell: ({ errors }) => (errors === 0 ? 0 : <Badge tone="bad">{errors} failed</Badge>),
                  sort: ({ errors }) => errors,
                  isNumber: true,
                },
              ]}
              empty={
                <Empty title={isFailed ? 'None failed' : 'No request yet'}>
                  Requests over HTTP, MCP and chats are kept.
                </Empty>
              }
            />
          )}
        </AskedView>
      )}
    </Card>
  )
}
