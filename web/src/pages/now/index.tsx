/** The system now: its services and who calls whom, what wants a look, and what happened lately. */
import { failure, services } from '../../live/index.ts'
import { pulseFailure, usePulse } from '../../live/traffic.ts'
import { Card } from '../../parts/card.tsx'
import { Empty, Failure, Loading } from '../../parts/states.tsx'
import { Attention } from './attention.tsx'
import { Graph } from './graph.tsx'
import { Happenings, useHappenings } from './happenings.tsx'
import { Tiles } from './tiles.tsx'
import './now.css'

const HAPPENINGS = 15

export default function Now() {
  const pulse = usePulse()
  const happened = useHappenings({ limit: HAPPENINGS })
  const all = services.value
  if (all === undefined)
    return failure.value === undefined ? <Loading label="Services" /> : <Failure error={failure.value} />
  if (all.length === 0) return <Empty title="No service yet">Drop a YAML file into configs/ and it appears here.</Empty>
  return (
    <div class="now">
      <Tiles services={all} pulse={pulse} />
      <div class="now-side stack">
        <Card title="Wants a look" flush actions={<a href="#/kernel">Doctor</a>}>
          <Attention services={all} />
        </Card>
      </div>
      <div class="now-main">
        <Card title="Who calls whom" actions={<a href="#/services">All services</a>}>
          {pulseFailure.value !== undefined && pulse === undefined && <Failure error={pulseFailure.value} />}
          <Graph pulse={pulse} />
        </Card>
      </div>
      <div class="now-last">
        <Card title="Lately" flush>
          <Happenings asked={happened} named />
        </Card>
      </div>
    </div>
  )
}
