/** Signals that wait for the next cycle, one to send, and the evolution log: each attempt at a cycle and what came of it. */
import { useState } from 'preact/hooks'
import { payloadOf } from '../../../../cli/payload.ts'
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { Action } from '../../parts/action.tsx'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Chart } from '../../parts/chart.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { LOOP_MS, OF_LOOP } from './index.tsx'

type Entry = ApiAnswer<'GET /api/meta-loop/evolution-log'>['entries'][number]
type Signal = ApiAnswer<'GET /api/meta/signals'>['signals'][number]
type Priority = Signal['priority']

const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high', 'urgent']
const TONES: Readonly<Record<string, Tone>> = { completed: 'good', failed: 'bad', aborted: 'warn', throttled: 'off' }

export function Cycles() {
  return (
    <div class="stack">
      <div class="columns">
        <Waiting />
        <Send />
      </div>
      <Log />
    </div>
  )
}

function Waiting() {
  const asked = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta/signals', { query: { limit: 100 } })
  return (
    <Card title="Signals that wait">
      <AskedView asked={asked} label="Signals">
        {({ signals }) =>
          signals.length === 0 ? (
            <Empty title="None waits">The next cycle reads what is sent until then.</Empty>
          ) : (
            <ul class="items">
              {signals.map(({ id, source, priority, payload, at, ttl_s }) => (
                <li key={id} class="goals-rule">
                  <div class="goals-head">
                    <strong>{source}</strong>
                    <Badge tone={priority === 'urgent' || priority === 'high' ? 'warn' : 'info'}>{priority}</Badge>
                    <Time at={at} />
                    <span class="dim">worth something for {ttl_s} s</span>
                  </div>
                  <code>{JSON.stringify(payload)}</code>
                </li>
              ))}
            </ul>
          )
        }
      </AskedView>
    </Card>
  )
}

function Send() {
  const [source, setSource] = useState('')
  const [text, setText] = useState('')
  const [priority, setPriority] = useState<Priority>('normal')
  const isWhole = source.trim() !== ''
  return (
    <Card title="Send a signal">
      <div class="stack">
        <TextField label="Source" hint="Who tells it" value={source} onInput={setSource} />
        <SelectField
          label="Priority"
          value={priority}
          choices={PRIORITIES}
          onPick={(one) => setPriority(one as Priority)}
        />
        <TextField label="What it says" value={text} onInput={setText} />
        <div class="row">
          <Action
            label="Send"
            command={commandOf('signal', { source: source.trim() || 'SOURCE', payload: text.trim(), priority })}
            disabled={!isWhole}
            {...(isWhole ? {} : { reason: 'It wants a source' })}
            preview={() =>
              Promise.resolve(<p>The next cycle reads it; nothing else changes. It is kept for an hour.</p>)
            }
            run={async () => {
              const { id } = await ask('POST /api/meta-loop/signal', {
                body: { source: source.trim(), priority, payload: payloadOf(text.trim()) },
              })
              setText('')
              return `queued as ${id}; the next cycle reads it`
            }}
          />
        </div>
      </div>
    </Card>
  )
}

function Log() {
  const asked = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta-loop/evolution-log', {
    query: { limit: 100 },
  })
  return (
    <Card title="Evolution log">
      <AskedView asked={asked} label="Cycles">
        {({ entries }) =>
          entries.length === 0 ? (
            <Empty title="No cycle yet">The first comes by the cadence, or when you run one.</Empty>
          ) : (
            <div class="stack">
              <Scores entries={entries} />
              <ol class="items">
                {entries.map((entry) => (
                  <EntryLine key={`${entry.cycle_num} ${entry.started_at}`} entry={entry} />
                ))}
              </ol>
            </div>
          )
        }
      </AskedView>
    </Card>
  )
}

/** The whole score of each cycle that had one. */
function Scores({ entries }: { entries: readonly Entry[] }) {
  const scored = entries.filter(({ meta_goal_scores }) => meta_goal_scores !== null).toReversed()
  if (scored.length < 2) return null
  return (
    <Chart
      label="Score of the goals over cycles"
      times={scored.map(({ finished_at }) => Date.parse(finished_at))}
      height={160}
      series={[
        { name: 'all goals', values: scored.map(({ meta_goal_scores }) => meta_goal_scores?.aggregate ?? null) },
      ]}
    />
  )
}

function EntryLine({ entry }: { entry: Entry }) {
  const { cycle_num, trigger, status, summary, finished_at, reason, changes_applied, changes_pending_review } = entry
  return (
    <li class="goals-rule">
      <div class="goals-head">
        <strong>{cycle_num === 0 ? 'not begun' : `cycle ${cycle_num}`}</strong>
        <Badge tone={TONES[status] ?? 'info'}>{status}</Badge>
        <span class="dim">{trigger}</span>
        <Time at={Date.parse(finished_at)} />
        {[...changes_applied, ...changes_pending_review].map((id) => (
          <a key={id} href={hrefOf('changes', [id])}>
            {id}
          </a>
        ))}
      </div>
      <p class="dim">{reason ?? summary}</p>
    </li>
  )
}
