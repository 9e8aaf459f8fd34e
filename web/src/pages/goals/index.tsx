/** The meta-loop: how the system does against its goals, what it looks for, what it found and proposed, and when it looks. */
import { useAsk } from '../../api/use-ask.ts'
import type { ApiAnswer } from '../../api/client.ts'
import type { PageProps } from '../../pages.ts'
import { Badge } from '../../parts/badge.tsx'
import { AskedView } from '../../parts/states.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { setQuery } from '../../route.ts'
import { Builder } from './builder.tsx'
import { Cycles } from './cycles.tsx'
import { Findings } from './findings.tsx'
import { Goals } from './goals.tsx'
import { LoopActions } from './loop-actions.tsx'
import { Rules } from './rules.tsx'
import './goals.css'

export type MetaStatus = ApiAnswer<'GET /api/meta/status'>

const TABS = [
  { id: 'goals', title: 'Goals' },
  { id: 'rules', title: 'Rules' },
  { id: 'build', title: 'Build a rule' },
  { id: 'findings', title: 'Findings' },
  { id: 'cycles', title: 'Signals and cycles' },
] as const

/** What moves on with the loop. */
export const OF_LOOP = ['meta.*', 'proposal.*', 'service.configured'] as const
export const LOOP_MS = 10_000

export default function GoalsPage({ route: { query } }: PageProps) {
  const status = useAsk({ on: OF_LOOP, every_ms: LOOP_MS }, 'GET /api/meta/status')
  const tab = TABS.find(({ id }) => id === query['tab'])?.id ?? 'goals'
  return (
    <AskedView asked={status} label="The meta-loop">
      {(now) => (
        <>
          <StatusLine status={now} />
          <Tabs
            label="Parts of the meta-loop"
            tabs={TABS}
            active={tab}
            onPick={(id) => setQuery({ tab: id, rule: undefined })}
          >
            {tab === 'goals' && <Goals status={now} />}
            {tab === 'rules' && <Rules />}
            {tab === 'build' && <Builder key={query['rule'] ?? ''} name={query['rule']} />}
            {tab === 'findings' && <Findings />}
            {tab === 'cycles' && <Cycles />}
          </Tabs>
        </>
      )}
    </AskedView>
  )
}

/** As a prompt has it, without its frame. */
const lineOf = (line: string): string => line.replace(/^\[Meta-loop: (.*)\]$/, '$1')

function StatusLine({ status }: { status: MetaStatus }) {
  return (
    <div class="goals-loop">
      <p>
        <Badge tone={status.running ? 'busy' : 'off'}>{status.running ? 'a cycle runs' : 'between cycles'}</Badge>{' '}
        {lineOf(status.line)}
      </p>
      <LoopActions status={status} />
    </div>
  )
}
