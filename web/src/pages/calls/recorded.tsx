/** What is recorded of a service: how many calls of which kind, the last of them, and a replay on another version. */
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useAsk, useLoad } from '../../api/use-ask.ts'
import type { RecordedCall } from '../../../../modules/contracts/recordings.ts'
import { commandOf } from '../../commands.ts'
import { services } from '../../live/index.ts'
import { Action } from '../../parts/action.tsx'
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { JsonCode } from '../../parts/code.tsx'
import { AskedView, Empty, Loading } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { ReplayCard } from './replay.tsx'
import { ServiceField } from './service-field.tsx'
import { tookOf } from './waterfall.ts'

export type Recorded = ApiAnswer<'GET /api/services/{api}/recordings'>
type Kind = Recorded['kinds'][number]

const CALLS_SHOWN = 20

const nameOf = ({ aspect, method }: Pick<Kind, 'aspect' | 'method'>): string =>
  aspect === 'default' ? method : `${method} (${aspect})`

const OutcomeBadge = ({ outcome }: { outcome: string }) => (
  <Badge tone={outcome === 'ok' ? 'good' : 'bad'}>{outcome}</Badge>
)

const COLUMNS: readonly Column<Kind>[] = [
  { title: 'Method', cell: (kind) => <code>{nameOf(kind)}</code>, sort: ({ method }) => method, isHead: true },
  { title: 'Outcome', cell: ({ outcome }) => <OutcomeBadge outcome={outcome} />, sort: ({ outcome }) => outcome },
  { title: 'Arguments', cell: ({ size }) => `under ${size}`, isExtra: true },
  { title: 'Seen', cell: ({ seen }) => seen, sort: ({ seen }) => seen, isNumber: true },
  { title: 'Kept', cell: ({ kept }) => kept, sort: ({ kept }) => kept, isNumber: true },
]

export function RecordedCalls({ service }: { service: string | undefined }) {
  const all = services.value
  if (all === undefined) return <Loading label="Services" />
  const api = service ?? all[0]?.api
  if (api === undefined) return <Empty title="No service yet">What is not there cannot be called.</Empty>
  return (
    <div class="stack">
      <div class="row">
        <ServiceField service={api} />
      </div>
      <OfService key={api} api={api} />
    </div>
  )
}

function OfService({ api }: { api: string }) {
  const asked = useAsk({ every_ms: 5_000 }, 'GET /api/services/{api}/recordings', { params: { api } })
  return (
    <AskedView asked={asked} label="Recorded calls">
      {(recorded) =>
        recorded.total === 0 ? (
          <NothingRecorded recorded={recorded} />
        ) : (
          <div class="stack">
            <Kept recorded={recorded} again={asked.again} />
            <ReplayCard api={api} recorded={recorded} />
            <LastCalls api={api} />
          </div>
        )
      }
    </AskedView>
  )
}

/** Why there is nothing, by what the service's config says. */
function NothingRecorded({ recorded: { service, calls } }: { recorded: Recorded }) {
  return (
    <Empty title={`No call of ${service} is recorded`}>
      {calls === 'none' ? (
        <>
          Its config says <code>record: false</code>.
        </>
      ) : (
        <>
          Calls over HTTP, MCP and chats are recorded as they are made; with <code>record: {'{calls: all}'}</code> in
          its config, all are.
        </>
      )}
    </Empty>
  )
}

function Kept({ recorded, again }: { recorded: Recorded; again: () => void }) {
  const { service, total, bytes, answers, calls, kinds } = recorded
  const forget = (
    <Action
      label="Forget them"
      kind="quiet"
      command={commandOf('forget', { service })}
      preview={async () => (
        <p>
          {total} recorded calls of {service} are dropped, {answers} answers of others with them. The service itself is
          not touched; a replay has nothing to go by until new calls are made.
        </p>
      )}
      run={async () => {
        const { forgotten } = await ask('DELETE /api/services/{api}/recordings', { params: { api: service } })
        again()
        return `${service}: ${forgotten} recorded calls dropped`
      }}
    />
  )
  return (
    <Card title={`${total} calls kept`} actions={forget} flush>
      <p class="calls-note dim">
        Recorded: {calls === 'sampled' ? 'a sample' : (calls ?? 'not known')}. {Math.ceil(bytes / 1_024)} kB, with{' '}
        {answers} answers it got from others.
      </p>
      <Table label="Kinds of calls" columns={COLUMNS} rows={kinds} keyOf={(kind) => JSON.stringify(kind)} />
    </Card>
  )
}

/** Read once: being asked for over HTTP it would be a call of its own each time. */
function LastCalls({ api }: { api: string }) {
  const asked = useLoad({}, ['calls', api], async () => {
    const { result } = await ask('POST /api/services/{api}/call', {
      params: { api: 'recordings' },
      body: { method: 'calls', args: [api, { limit: CALLS_SHOWN }] },
    })
    return (result as { calls: RecordedCall[] }).calls.toReversed()
  })
  return (
    <Card title={`The last ${CALLS_SHOWN} calls`}>
      <AskedView asked={asked} label="Calls">
        {(calls) => (
          <ul class="stack">
            {calls.map((call) => (
              <li key={`${call.at} ${call.method}`}>
                <OneCall call={call} />
              </li>
            ))}
          </ul>
        )}
      </AskedView>
    </Card>
  )
}

function OneCall({ call }: { call: RecordedCall }) {
  const { method, caller, at, ms, outcome, args, result, redacted } = call
  return (
    <details>
      <summary>
        <code>{nameOf(call)}</code> <OutcomeBadge outcome={outcome} />{' '}
        <span class="dim">
          {tookOf(ms)}, by {caller}, <Time at={at} as="clock" />
          {redacted && ', something was taken out: not replayed'}
        </span>
      </summary>
      <div class="columns calls-recorded">
        <div class="stack">
          <h3>Arguments</h3>
          <JsonCode label={`Arguments of ${method}`} value={args} />
        </div>
        <div class="stack">
          <h3>{outcome === 'ok' ? 'Result' : 'Error'}</h3>
          <JsonCode label={`Result of ${method}`} value={result} />
        </div>
      </div>
    </details>
  )
}
