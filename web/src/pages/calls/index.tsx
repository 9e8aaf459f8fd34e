/** Calls: the traces that are kept, one of them as a waterfall, and the calls that are recorded for a replay. */
import type { PageProps } from '../../pages.ts'
import { Tabs } from '../../parts/tabs.tsx'
import { setQuery } from '../../route.ts'
import './calls.css'
import { RecordedCalls } from './recorded.tsx'
import { TraceView } from './trace.tsx'
import { Traces } from './traces.tsx'

const TABS = [
  { id: 'traces', title: 'Traces' },
  { id: 'recorded', title: 'Recorded and replay' },
]

export default function Calls({ route: { parts, query } }: PageProps) {
  const [trace] = parts
  if (trace !== undefined) return <TraceView id={trace} />
  const active = query['tab'] === 'recorded' ? 'recorded' : 'traces'
  return (
    <Tabs
      label="Calls"
      tabs={TABS}
      active={active}
      onPick={(tab) => setQuery({ tab: tab === 'traces' ? undefined : tab })}
    >
      {active === 'recorded' ? <RecordedCalls service={query['service']} /> : <Traces query={query} />}
    </Tabs>
  )
}
