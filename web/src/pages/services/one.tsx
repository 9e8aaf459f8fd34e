/** One service: what it is and how it stands, what can be done with it, and everything known of it in tabs. */
import { useAsk, type Asked } from '../../api/use-ask.ts'
import type { ApiAnswer } from '../../api/client.ts'
import { Badge, StateBadge } from '../../parts/badge.tsx'
import { AskedView } from '../../parts/states.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { setQuery } from '../../route.ts'
import { Actions } from './actions.tsx'
import { Calls } from './calls.tsx'
import { Contract } from './contract.tsx'
import { Overview } from './overview.tsx'
import { Owned } from './owned.tsx'
import { Powers } from './powers.tsx'
import { Source } from './source.tsx'
import { Versions } from './versions.tsx'

export type Detail = ApiAnswer<'GET /api/services/{api}'>

const EVERY_MS = 2_000

export function One({ api, tab }: { api: string; tab: string }) {
  const asked: Asked<Detail> = useAsk(
    { on: ['service.*', 'config.*', 'change.*'], every_ms: EVERY_MS },
    'GET /api/services/{api}',
    {
      params: { api },
    },
  )
  return (
    <div class="stack">
      <div class="row">
        <a href="#/services">All services</a>
        <span class="dim" aria-hidden="true">
          /
        </span>
        <h2 class="services-name">{api}</h2>
        {asked.value !== undefined && <Badges detail={asked.value} />}
      </div>
      <AskedView asked={asked} label={api}>
        {(detail) => <Shown detail={detail} tab={tab} />}
      </AskedView>
    </div>
  )
}

function Badges({ detail: { state, generation, stale, last_good, sandboxed, queued } }: { detail: Detail }) {
  return (
    <>
      <StateBadge state={state} />
      {generation !== null && <Badge tone="off">g{generation}</Badge>}
      {last_good !== null ? <Badge tone="warn">last good</Badge> : stale && <Badge tone="warn">stale</Badge>}
      {queued > 0 && <Badge tone="warn">{queued} calls wait</Badge>}
      {sandboxed && <Badge tone="info">sandboxed</Badge>}
    </>
  )
}

function Shown({ detail, tab }: { detail: Detail; tab: string }) {
  const { sandbox } = detail
  const tabs = [
    { id: 'overview', title: 'Overview' },
    { id: 'source', title: 'Source' },
    { id: 'versions', title: 'Versions' },
    { id: 'contract', title: 'Contract', count: detail.methods.length + detail.tools.length },
    { id: 'owned', title: 'What it owns', count: detail.owned.length },
    { id: 'powers', title: 'Powers', ...(sandbox === null ? {} : { count: sandbox.granted.length }) },
    { id: 'calls', title: 'Calls' },
  ]
  const active = tabs.some(({ id }) => id === tab) ? tab : 'overview'
  return (
    <>
      {detail.description !== null && <p class="dim">{detail.description}</p>}
      {detail.api !== 'kernel' && <Actions detail={detail} />}
      <Tabs
        label={`Of ${detail.api}`}
        tabs={tabs}
        active={active}
        onPick={(id) => setQuery({ tab: id === 'overview' ? undefined : id })}
      >
        <div class="stack">
          <Panel detail={detail} tab={active} />
        </div>
      </Tabs>
    </>
  )
}

function Panel({ detail, tab }: { detail: Detail; tab: string }) {
  switch (tab) {
    case 'source':
      return <Source detail={detail} />
    case 'versions':
      return <Versions detail={detail} />
    case 'contract':
      return <Contract detail={detail} />
    case 'owned':
      return <Owned detail={detail} />
    case 'powers':
      return <Powers detail={detail} />
    case 'calls':
      return <Calls detail={detail} />
    default:
      return <Overview detail={detail} />
  }
}
