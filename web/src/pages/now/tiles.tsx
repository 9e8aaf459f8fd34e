/** The whole in four numbers. */
import type { ComponentChildren } from 'preact'
import type { ServiceStatus } from '../../live/index.ts'
import { rateText, total, type Pulse } from '../../live/rates.ts'
import { Sparkline } from '../../parts/sparkline.tsx'

export function Tiles({ services, pulse }: { services: readonly ServiceStatus[]; pulse: Pulse | undefined }) {
  const trends = [...(pulse?.services.values() ?? [])]
  const calls = total(trends, ({ calls_per_s }) => calls_per_s)
  const errors = total(trends, ({ errors_per_s }) => errors_per_s)
  const sum = (read: (one: ServiceStatus) => number): number => services.reduce((all, one) => all + read(one), 0)
  const live = services.filter(({ state }) => state === 'live').length
  const queued = sum((one) => one.queued)
  const under_way = sum((one) => one.in_flight)
  return (
    <dl class="now-tiles">
      <Tile title="Calls a second" value={rateText(calls.at(-1))} note={`${sum((one) => one.calls)} in all`}>
        <Sparkline values={calls} label="calls a second" />
      </Tile>
      <Tile title="Errors a second" value={rateText(errors.at(-1))} note={`${sum((one) => one.errors)} in all`}>
        <Sparkline values={errors} label="errors a second" />
      </Tile>
      <Tile title="Calls under way" value={String(under_way)} note={queued === 0 ? 'none waits' : `${queued} wait`} />
      <Tile
        title="Services live"
        value={`${live} of ${services.length}`}
        note={`${sum((one) => one.reloads)} reloads, ${sum((one) => one.restarts)} restarts`}
      />
    </dl>
  )
}

interface TileProps {
  title: string
  value: string
  note: string
  children?: ComponentChildren
}

function Tile({ title, value, note, children }: TileProps) {
  return (
    <div class="card now-tile">
      <dt>{title}</dt>
      <dd class="now-tile-value">
        <span>{value}</span>
        {children}
      </dd>
      <dd class="dim">{note}</dd>
    </div>
  )
}
