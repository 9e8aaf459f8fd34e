/** One node of the graph: a service, or a folder of them. */
import type { ServiceStatus } from '../../live/index.ts'
import { msText, rateText, total, type Pulse, type Trend } from '../../live/rates.ts'
import { toneOfState } from '../../parts/badge.tsx'
import { Sparkline } from '../../parts/sparkline.tsx'
import { hrefOf } from '../../route.ts'
import type { ShownLink } from './choose.ts'

interface ServiceNodeProps {
  service: ServiceStatus
  trend: Trend | undefined
  links: readonly ShownLink[]
}

export function ServiceNode({ service, trend, links }: ServiceNodeProps) {
  const { api, generation, state, description } = service
  const calls = links.filter(({ from }) => from === api).map(({ to }) => to)
  const flag = flagOf(service)
  const tone = flag === undefined ? toneOfState(state) : flag.tone
  return (
    <a class={`now-node is-${tone}`} href={hrefOf('services', [api])} title={description ?? api}>
      <span class="now-node-head">
        <b>{api}</b>
        <span class="dim">{generation === null ? '' : `g${generation}`}</span>
      </span>
      <span class="now-node-foot">
        {flag === undefined ? (
          <span class="dim">{trend === undefined ? 'no calls' : `${rateText(trend.calls_per_s.at(-1))}/s`}</span>
        ) : (
          <span class={`now-flag is-${flag.tone}`}>{flag.text}</span>
        )}
        {trend?.p50_ms.some((value) => value !== null) === true && (
          <Sparkline values={trend.p50_ms} label={`median time of ${api}, ms`} width={36} height={18} />
        )}
        {flag === undefined && trend?.p50_ms.at(-1) !== undefined && trend.p50_ms.at(-1) !== null && (
          <span class="dim is-wide">{msText(trend.p50_ms.at(-1))}</span>
        )}
      </span>
      {calls.length > 0 && <span class="unseen">calls {calls.join(', ')}</span>}
    </a>
  )
}

interface Flag {
  text: string
  tone: 'warn' | 'bad' | 'busy'
}

/** What is said instead of the calls, in a word. Undefined: it serves what is on disk. */
function flagOf({ state, stale, queued, waiting_for }: ServiceStatus): Flag | undefined {
  if (state === 'waiting') return { tone: 'warn', text: waiting_for.length > 0 ? `waits for ${waiting_for[0]}` : state }
  if (state === 'failed' || state === 'tripped' || state === 'quarantined') return { tone: 'bad', text: state }
  if (state === 'starting' || state === 'switching' || state === 'draining') return { tone: 'busy', text: state }
  if (queued > 0) return { tone: 'warn', text: `${queued} calls wait` }
  return stale ? { tone: 'warn', text: 'stale' } : undefined
}

interface FolderNodeProps {
  folder: string
  services: readonly ServiceStatus[]
  pulse: Pulse | undefined
  open: (folder: string) => void
}

export function FolderNode({ folder, services, pulse, open }: FolderNodeProps) {
  const trends = services.flatMap(({ api }) => pulse?.services.get(api) ?? [])
  const rates = total(trends, ({ calls_per_s }) => calls_per_s)
  const flags = services.flatMap((service) => flagOf(service) ?? [])
  const worst = flags.find(({ tone }) => tone === 'bad') ?? flags[0]
  return (
    <button type="button" class={`now-node is-folder is-${worst?.tone ?? 'good'}`} onClick={() => open(folder)}>
      <span class="now-node-head">
        <b>{folder}/</b>
        <span class="dim">{services.length}</span>
      </span>
      <span class="now-node-foot">
        {worst === undefined ? (
          <span class="dim">{trends.length === 0 ? 'no calls' : `${rateText(rates.at(-1))}/s`}</span>
        ) : (
          <span class={`now-flag is-${worst.tone}`}>
            {flags.length} {flags.length === 1 ? 'wants' : 'want'} a look
          </span>
        )}
      </span>
      <span class="unseen">, a folder of services: open it</span>
    </button>
  )
}
