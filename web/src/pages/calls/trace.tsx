/** One trace: what failed first, then each call as a row of a waterfall, with its version and what came of it. */
import { useState } from 'preact/hooks'
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { Badge } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { AskedView } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { barOf, callOf, rootErrors, tookOf, type Span, type Trace } from './waterfall.ts'

/** A trace grows while what it is about goes on. */
const LOOK_MS = 2_000

export function TraceView({ id }: { id: string }) {
  const asked = useAsk({ every_ms: LOOK_MS }, 'GET /api/traces/{id}', { params: { id } })
  return (
    <div class="stack">
      <p class="row">
        <a href={hrefOf('calls')}>← All traces</a>
        <span class="grow" />
        <CommandLine command={commandOf('trace', { id: id.slice(0, 12) })} />
      </p>
      <AskedView asked={asked} label="Trace">
        {(trace) => <Whole trace={trace} />}
      </AskedView>
    </div>
  )
}

function Whole({ trace }: { trace: Trace }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const toggle = (span: string): void => {
    const next = new Set(open)
    if (!next.delete(span)) next.add(span)
    setOpen(next)
  }
  return (
    <>
      <dl class="facts">
        <dt>Entry</dt>
        <dd>
          <code>{trace.entry}</code>
        </dd>
        <dt>Began</dt>
        <dd>
          <Time at={trace.at} as="clock" />, took {tookOf(trace.ms)}
        </dd>
        <dt>Calls</dt>
        <dd>
          {trace.spans}
          {trace.dropped > 0 && `, ${trace.dropped} more were left out: it grew too large`}
        </dd>
      </dl>
      <Failed tree={trace.tree} />
      <Card title="Waterfall" flush>
        <div class="table-box">
          <table class="table calls-waterfall" aria-label="Calls of the trace">
            <thead>
              <tr>
                <th scope="col">Call</th>
                <th scope="col">Outcome</th>
                <th scope="col" class="is-number">
                  Took
                </th>
                <th scope="col" class="calls-time">
                  0 – {tookOf(trace.ms)}
                </th>
              </tr>
            </thead>
            <tbody>
              {trace.tree.map((span) => (
                <Row
                  key={span.span}
                  span={span}
                  trace={trace}
                  isOpen={open.has(span.span)}
                  toggle={() => toggle(span.span)}
                />
              ))}
            </tbody>
          </table>
        </div>
      </Card>
    </>
  )
}

/** Where each error began; those that only passed it on stand in the waterfall. */
function Failed({ tree }: { tree: readonly Span[] }) {
  const failed = rootErrors(tree)
  if (failed.length === 0) return null
  return (
    <Card title={failed.length === 1 ? 'What failed' : `What failed: ${failed.length} calls`}>
      <ul class="stack">
        {failed.map((span) => (
          <li key={span.span}>
            <code>{callOf(span)}</code> <Badge tone="bad">{span.error?.code}</Badge>
            <p>{span.error?.message}</p>
          </li>
        ))}
      </ul>
    </Card>
  )
}

interface RowProps {
  span: Span
  trace: Trace
  isOpen: boolean
  toggle: () => void
}

function Row({ span, trace, isOpen, toggle }: RowProps) {
  const { left, width } = barOf(span, trace)
  const { outcome, error, generation, depth } = span
  return (
    <>
      <tr class={outcome === 'error' ? 'is-bad' : undefined}>
        <th scope="row">
          <div class="calls-call" style={{ paddingLeft: `${Math.min(depth, 12) * 16}px` }}>
            <Button kind="quiet" expanded={isOpen} label={`More of ${callOf(span)}`} onClick={toggle}>
              {isOpen ? '▾' : '▸'}
            </Button>
            <span class="unseen">level {depth + 1}: </span>
            <code>{callOf(span)}</code>
            <span class="dim">{generation === null ? '' : `g${generation}`}</span>
          </div>
        </th>
        <td>
          <Badge tone={outcome === 'ok' ? 'good' : 'bad'}>{error?.code ?? 'ok'}</Badge>
        </td>
        <td class="is-number">{tookOf(span.ms)}</td>
        <td class="calls-time" aria-label={`begins after ${tookOf(Math.max(0, span.at - trace.at))}`}>
          <div class="calls-lane">
            <div
              class={outcome === 'ok' ? 'calls-bar' : 'calls-bar is-bad'}
              style={{ left: `${left}%`, width: `${width}%` }}
            />
          </div>
        </td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={4} class="calls-more">
            <Facts span={span} />
          </td>
        </tr>
      )}
    </>
  )
}

function Facts({ span }: { span: Span }) {
  const { caller, callee, kind, source_hash, config_hash, model, error, at } = span
  return (
    <dl class="facts">
      <dt>Called by</dt>
      <dd>{caller}</dd>
      <dt>Service</dt>
      <dd>
        <a href={hrefOf('services', [callee])}>{callee}</a>
        {span.generation === null ? ', nobody took the call' : `, g${span.generation}`}
      </dd>
      <dt>Began</dt>
      <dd>
        <Time at={at} as="clock" />
        {kind === 'stream' && ', as a stream'}
      </dd>
      <dt>Version</dt>
      <dd>
        <code>
          source {source_hash ?? '–'}, config {config_hash ?? '–'}
        </code>
      </dd>
      {model !== null && (
        <>
          <dt>Model</dt>
          <dd>{modelText(model)}</dd>
        </>
      )}
      {error !== null && (
        <>
          <dt>Error</dt>
          <dd>
            <code>{error.code}</code> {error.message}
          </dd>
        </>
      )}
    </dl>
  )
}

function modelText({ name, finish, input_tokens, output_tokens, cost_usd }: NonNullable<Span['model']>): string {
  const tokens = input_tokens === null ? '' : `, ${input_tokens} + ${output_tokens ?? 0} tokens`
  return `${name}, ended with ${finish}${tokens}${cost_usd === null ? '' : `, $${cost_usd.toFixed(4)}`}`
}
