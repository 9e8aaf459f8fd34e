/** How a service stands: what is wrong with it, what it is made from, whom it calls and who calls it. */
import { useAsk } from '../../api/use-ask.ts'
import { msText, rateOf, rateText, type Pulse } from '../../live/rates.ts'
import { usePulse } from '../../live/traffic.ts'
import { Card } from '../../parts/card.tsx'
import { AskedView, Failure } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { ageOf, Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { placeOf } from '../now/attention.ts'
import { neighborsOf, type Neighbor } from './neighbors.ts'
import type { Detail } from './one.tsx'
import { Differences } from './differences.tsx'

export function Overview({ detail }: { detail: Detail }) {
  const pulse = usePulse()
  const { last_error, stale } = detail
  return (
    <>
      {last_error !== null && (
        <div class="stack" data-part="last-error">
          <Failure error={last_error} />
          <p class="dim">
            Seen <Time at={detail.last_error_at} />
            {placeOf(last_error) !== undefined && (
              <>
                {', '}
                <a href={hrefOf('services', [detail.api], { tab: 'source', which: 'disk' })}>look at the file</a>
              </>
            )}
          </p>
        </div>
      )}
      {stale && <Ahead api={detail.api} generation={detail.generation} />}
      <div class="columns">
        <Card title="Now">
          <Facts detail={detail} pulse={pulse} />
        </Card>
        <Card title="Made from">
          <Hashes detail={detail} />
        </Card>
      </div>
      <Neighbors detail={detail} pulse={pulse} />
    </>
  )
}

/** The disk is ahead of what runs. */
function Ahead({ api, generation }: { api: string; generation: number | null }) {
  const asked = useAsk({ on: ['service.*', 'config.*'] }, 'GET /api/services/{api}/diff', { params: { api } })
  return (
    <Card title={generation === null ? 'On disk' : `On disk, against g${generation}, which serves`}>
      <AskedView asked={asked} label="The difference">
        {(diff) => <Differences diff={diff} />}
      </AskedView>
    </Card>
  )
}

function Facts({ detail, pulse }: { detail: Detail; pulse: Pulse | undefined }) {
  const { api, uptime_s, calls, errors, in_flight, queued, reloads, restarts, waiting_for, latency_ms } = detail
  return (
    <dl class="facts">
      <dt>Calls</dt>
      <dd>
        {calls}, {errors} failed; {rateText(rateOf(pulse, api))} a second
      </dd>
      <dt>Time of a call</dt>
      <dd>
        {latency_ms === null
          ? 'none was timed yet'
          : `median ${msText(latency_ms.p50)}, slowest in a hundred ${msText(latency_ms.p99)}`}
      </dd>
      <dt>Under way</dt>
      <dd>
        {in_flight} calls{queued > 0 && `, ${queued} wait for it to be live`}
      </dd>
      {detail.draining.length > 0 && (
        <>
          <dt>Drains</dt>
          <dd>{detail.draining.map((one) => `g${one.generation} with ${one.in_flight} calls`).join(', ')}</dd>
        </>
      )}
      {waiting_for.length > 0 && (
        <>
          <dt>Waits for</dt>
          <dd>{waiting_for.join(', ')}</dd>
        </>
      )}
      <dt>Serves for</dt>
      <dd>{ageOf(uptime_s * 1_000)}</dd>
      <dt>New versions</dt>
      <dd>
        {reloads} reloads, {restarts} restarts after a failure
      </dd>
      <dt>Background tasks</dt>
      <dd>{detail.tasks}</dd>
    </dl>
  )
}

function Hashes({ detail }: { detail: Detail }) {
  const { prog, config_file, source_file, source_hash, disk_hash, config_hash, disk_config_hash, last_good } = detail
  return (
    <dl class="facts">
      <dt>Module</dt>
      <dd>
        <code>{prog}</code>
      </dd>
      <dt>Source</dt>
      <dd>
        <code>{source_file ?? 'none'}</code>
      </dd>
      <dt>Config</dt>
      <dd>
        <code>{config_file}</code>
      </dd>
      <dt>Source hash</dt>
      <dd>
        <Hash live={source_hash} disk={disk_hash} />
      </dd>
      <dt>Config hash</dt>
      <dd>
        <Hash live={config_hash} disk={disk_config_hash} />
      </dd>
      {last_good !== null && (
        <>
          <dt>Last good</dt>
          <dd>
            kept <Time at={last_good} />
          </dd>
        </>
      )}
    </dl>
  )
}

function Hash({ live, disk }: { live: string | null; disk: string | null }) {
  if (live === disk) return <code>{live?.slice(0, 12) ?? 'none'}</code>
  return (
    <>
      <code>{live?.slice(0, 12) ?? 'none'}</code> runs, <code>{disk?.slice(0, 12) ?? 'none'}</code> on disk
    </>
  )
}

function Neighbors({ detail, pulse }: { detail: Detail; pulse: Pulse | undefined }) {
  const rows = neighborsOf(detail, pulse)
  return (
    <Card title="Whom it calls, and who calls it" flush>
      <Table<Neighbor>
        label="Whom it calls, and who calls it"
        rows={rows}
        keyOf={({ api, way }) => `${way} ${api}`}
        hrefOf={({ api }) => hrefOf('services', [api])}
        columns={[
          { title: 'How', cell: ({ way }) => way, sort: ({ way }) => way },
          { title: 'Service', cell: ({ api }) => api, sort: ({ api }) => api, isHead: true },
          { title: 'Calls', cell: ({ calls }) => calls ?? '–', sort: ({ calls }) => calls ?? -1, isNumber: true },
          {
            title: 'A second',
            cell: (one) => rateText(one.calls_per_s),
            sort: (one) => one.calls_per_s ?? -1,
            isNumber: true,
          },
        ]}
        empty={<p class="state">Nobody has called it since its version is live, and it has called nobody.</p>}
      />
    </Card>
  )
}
