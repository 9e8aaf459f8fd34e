/** A replay: the recorded calls of a service on another version, beside the one that serves, and what differs. */
import { useState } from 'preact/hooks'
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { services } from '../../live/index.ts'
import { Action } from '../../parts/action.tsx'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Code } from '../../parts/code.tsx'
import { TextField } from '../../parts/field.tsx'
import type { Recorded } from './recorded.tsx'
import { tookOf } from './waterfall.ts'

type Report = ApiAnswer<'POST /api/services/{api}/replay'>
type Difference = Report['differences'][number]

const VERDICTS: Record<Report['verdict'], { tone: Tone; text: string }> = {
  equal: { tone: 'good', text: 'equal' },
  different: { tone: 'bad', text: 'different' },
  nothing_recorded: { tone: 'off', text: 'nothing recorded' },
}

const KINDS: Record<Difference['kind'], string> = {
  result: 'answers otherwise',
  fails: 'fails now',
  succeeds: 'answers now, and failed before',
  error: 'fails with another error',
  unstable: 'the version that serves does not give the recorded answer either',
  unanswered: 'asks another service for what was not recorded',
}

export function ReplayCard({ api, recorded }: { api: string; recorded: Recorded }) {
  const [against, setAgainst] = useState('')
  const [report, setReport] = useState<Report | undefined>(undefined)
  const kept = useAsk({}, 'GET /api/history', { query: { service: api, limit: 50 } })
  const version = against.trim()
  const replay = (
    <Action
      label="Replay"
      kind="primary"
      command={commandOf('replay', { service: api, version })}
      preview={async () => <Touched api={api} version={version} recorded={recorded} />}
      run={async () => {
        const told = await ask('POST /api/services/{api}/replay', {
          params: { api },
          body: version === '' ? {} : { against: version },
        })
        setReport(told)
        return { tone: VERDICTS[told.verdict].tone === 'bad' ? 'warn' : 'good', text: `${api}: ${sumOf(told)}` }
      }}
    />
  )
  return (
    <Card title="Replay">
      <div class="stack">
        <TextField
          label="Against"
          value={against}
          onInput={setAgainst}
          placeholder="the source as it stands on disk"
          choices={hashesIn(kept.value)}
          hint="A hash of a version that is kept, or the path of another source, as modules/next.ts. Nothing: the disk."
        />
        <div class="row">{replay}</div>
        {report !== undefined && <ReportView report={report} />}
      </div>
    </Card>
  )
}

/** Versions that went live lately, newest first, each once. */
function hashesIn(history: ApiAnswer<'GET /api/history'> | undefined): string[] {
  const hashes = (history?.changes ?? []).toReversed().map(({ data }) => data['source_hash'])
  return [...new Set(hashes.filter((hash): hash is string => typeof hash === 'string'))]
}

function Touched({ api, version, recorded }: { api: string; version: string; recorded: Recorded }) {
  const live = services.value?.find((one) => one.api === api)
  return (
    <>
      <p>
        {recorded.total} recorded calls are made on two versions that are built beside the one that serves. What serves
        is not touched; their timers do not run, and what they ask of others is answered from what is recorded.
      </p>
      <dl class="facts">
        <dt>Serves now</dt>
        <dd>
          {live?.generation === null || live === undefined ? 'nothing' : `g${live.generation}`}{' '}
          <code>{live?.source_hash ?? ''}</code>
        </dd>
        <dt>Candidate</dt>
        <dd>
          <code>{version === '' ? (live?.disk_hash ?? 'the disk') : version}</code>
          {version === '' && live !== undefined && !live.stale && ', as it stands on disk'}
        </dd>
      </dl>
    </>
  )
}

const sumOf = ({ verdict, equal, calls, differences }: Report): string =>
  verdict === 'nothing_recorded'
    ? 'nothing is recorded that could be replayed'
    : `${verdict}, ${equal} of ${calls} calls answered as recorded, ${differences.length} kinds of difference`

function ReportView({ report }: { report: Report }) {
  const { verdict, live, candidate, differences, skipped, ms } = report
  const { tone, text } = VERDICTS[verdict]
  return (
    <section class="stack" aria-label="What the replay found" aria-live="polite">
      <p>
        <Badge tone={tone}>{text}</Badge> {sumOf(report)}
      </p>
      <dl class="facts">
        <dt>Live</dt>
        <dd>
          <code>{live.source_hash}</code>
          {timesOf(ms.live)}
        </dd>
        <dt>Candidate</dt>
        <dd>
          <code>{candidate.source_hash}</code>
          {timesOf(ms.candidate)}
        </dd>
        {(skipped.redacted > 0 || skipped.over_time > 0) && (
          <>
            <dt>Not made</dt>
            <dd>
              {skipped.redacted} hold secrets that were taken out, {skipped.over_time} came too late
            </dd>
          </>
        )}
      </dl>
      {differences.map((one) => (
        <DifferenceView key={`${one.kind} ${one.aspect} ${one.method}`} difference={one} />
      ))}
    </section>
  )
}

const timesOf = (times: Report['ms']['live']): string =>
  times === null ? '' : `, p50 ${tookOf(times.p50)}, p99 ${tookOf(times.p99)}`

function DifferenceView({ difference: { kind, method, count, example } }: { difference: Difference }) {
  return (
    <section class="stack">
      <h3>
        <code>{method}</code> <Badge tone={kind === 'unstable' ? 'warn' : 'bad'}>{kind}</Badge>
      </h3>
      <p class="dim">
        {count} calls: {KINDS[kind]}. The first of them:
      </p>
      <Code plain label={`Arguments of ${method}`} text={example.args} />
      <div class="columns">
        {(['recorded', 'live', 'candidate'] as const).map((side) => (
          <div key={side} class="stack">
            <span class="dim">{side}</span>
            <Code plain label={`${method}, ${side}`} text={example[side]} />
          </div>
        ))}
      </div>
    </section>
  )
}
