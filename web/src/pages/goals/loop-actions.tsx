/** What a person may ask of the loop: a cycle now, and to come more often while nobody is there. */
import { ask, type ApiAnswer } from '../../api/client.ts'
import { onEvent } from '../../api/stream.ts'
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { frozen } from '../../live/index.ts'
import { Action } from '../../parts/action.tsx'
import { Time } from '../../parts/time.tsx'
import type { ToastText } from '../../parts/toast.tsx'
import { hrefOf } from '../../route.ts'
import { LOOP_MS, OF_LOOP, type MetaStatus } from './index.tsx'

/** Longer ones are told by the page when they end. */
const WAIT_MS = 20_000

interface Cadence {
  mode: string
  max_cycles_per_hour: number
  max_cycles_per_day: number
  min_interval_between_cycles_seconds: number
}

const EVERY: Record<MetaStatus['cadence_mode'], string> = {
  balanced: 'every 4 h',
  aggressive: 'every 30 min',
  conservative: 'every 8 h',
  frozen: 'only when asked',
}

export function LoopActions({ status }: { status: MetaStatus }) {
  const asked = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta/config')
  const cadence = cadenceOf(asked.value)
  const isAway = cadence !== undefined && status.cadence_mode === 'aggressive' && cadence.mode !== 'aggressive'
  return (
    <div class="row">
      <Action
        label="Run a cycle"
        command={commandOf('cycle')}
        kind="primary"
        disabled={status.running}
        {...(status.running ? { reason: 'One cycle runs at a time' } : {})}
        preview={() => cyclePreview(status)}
        run={() => runCycle('manual')}
      />
      <Action
        label="Emergency"
        command={commandOf('cycle_at_once')}
        disabled={status.running}
        preview={() => cyclePreview(status)}
        run={() => runCycle('emergency')}
      />
      <Action
        label={isAway ? 'I am back' : 'I am away'}
        command={isAway ? commandOf('back') : commandOf('away')}
        preview={() => Promise.resolve(<AwayPreview isAway={isAway} mode={cadence?.mode ?? status.cadence_mode} />)}
        run={() => setAway(!isAway)}
      />
    </div>
  )
}

const cadenceOf = (config: ApiAnswer<'GET /api/meta/config'> | undefined): Cadence | undefined =>
  config?.config['cadence'] as unknown as Cadence | undefined

async function cyclePreview({ last_cycle, cadence_mode, pending_approvals }: MetaStatus) {
  const [config, { signals }] = await Promise.all([ask('GET /api/meta/config'), ask('GET /api/meta/signals')])
  const cadence = cadenceOf(config)
  return (
    <dl class="facts">
      <dt>Does</dt>
      <dd>measures, scores, looks by the rules, and proposes; the policy and people decide on each change</dd>
      <dt>Last cycle</dt>
      <dd>
        {last_cycle === null ? (
          'none yet'
        ) : (
          <>
            {last_cycle.number}, {last_cycle.status}, <Time at={last_cycle.ended_at} />
          </>
        )}
      </dd>
      <dt>Comes by itself</dt>
      <dd>
        {cadence_mode}: {EVERY[cadence_mode]}
      </dd>
      <dt>At most</dt>
      <dd>
        {cadence === undefined
          ? 'unknown'
          : `${cadence.max_cycles_per_hour} an hour, ${cadence.max_cycles_per_day} a day, ${cadence.min_interval_between_cycles_seconds} s between two; an emergency passes the interval and the hour`}
      </dd>
      <dt>Signals it reads</dt>
      <dd>{signals.length}</dd>
      <dt>Waits for a person</dt>
      <dd>{pending_approvals}</dd>
      <dt>Frozen</dt>
      <dd>{frozen.value === 'none' ? 'no' : `${frozen.value}: it looks, and proposes nothing`}</dd>
    </dl>
  )
}

/** Resolves when the cycle has ended, with what became of it. */
async function runCycle(trigger: 'manual' | 'emergency'): Promise<ToastText> {
  const ended = nextCycle()
  const { status, message } = await ask('POST /api/meta-loop/trigger', { body: { trigger } })
  if (status !== 'started') {
    ended.stop()
    throw { code: status, message, hint: 'Limits stand under cadence: of the config of the loop.' }
  }
  const summary = await ended.told
  return { tone: 'good', text: summary ?? message, href: hrefOf('goals', [], { tab: 'cycles' }) }
}

function nextCycle(): { told: Promise<string | undefined>; stop: () => void } {
  let stop = (): void => undefined
  const told = new Promise<string | undefined>((resolve) => {
    const end = onEvent('meta.cycle_ended', ({ data }) => done(String(data['summary'])))
    const timer = setTimeout(() => done(undefined), WAIT_MS)
    const done = (text: string | undefined): void => {
      end()
      clearTimeout(timer)
      resolve(text)
    }
    stop = () => done(undefined)
  })
  return { told, stop: () => stop() }
}

function AwayPreview({ isAway, mode }: { isAway: boolean; mode: string }) {
  return (
    <p>
      {isAway
        ? `Cycles come as the config says again (${mode}), and you are told what happened.`
        : 'Cycles come every 30 min until you are back; then you are told what happened. Nothing else is allowed than before.'}
    </p>
  )
}

async function setAway(active: boolean): Promise<ToastText> {
  const query = { activate: active ? ('true' as const) : ('false' as const) }
  const { mode, briefing } = await ask('POST /api/meta-loop/nirmana', { query })
  if (briefing === undefined || briefing === null) return { tone: 'good', text: `cadence: ${mode}` }
  return { tone: 'good', text: briefing.summary, detail: briefing.recent_activity.join('; ') }
}
