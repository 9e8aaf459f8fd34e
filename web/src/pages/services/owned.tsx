/** What a service owns, as a tree: what it holds over its versions, and of each version its tasks and the rest. */
import { commandOf } from '../../commands.ts'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { Empty } from '../../parts/states.tsx'
import { ageOf } from '../../parts/time.tsx'
import type { Detail } from './one.tsx'

type One = Detail['owned'][number]

const TITLES: Record<One['kind'], string> = {
  task: 'Background tasks, which end with the version',
  owned: 'Timers, connections and the like, released with the version',
  held: 'Held by the service over all its versions',
}

export function Owned({ detail: { api, generation, owned, draining } }: { detail: Detail }) {
  if (owned.length === 0 && draining.length === 0)
    return <Empty title="It owns nothing">No task, no timer, no connection: between calls it does nothing.</Empty>
  return (
    <Card title="What it owns" actions={<CommandLine command={commandOf('show', { service: api })} />}>
      <ul class="services-tree">
        <Branch title={TITLES.held} all={owned.filter(({ kind }) => kind === 'held')} />
        <li>
          <b>{generation === null ? 'Nothing serves' : `g${generation} serves`}</b>
          <ul class="services-tree">
            <Branch title={TITLES.task} all={owned.filter(({ kind }) => kind === 'task')} />
            <Branch title={TITLES.owned} all={owned.filter(({ kind }) => kind === 'owned')} />
          </ul>
        </li>
        {draining.map((one) => (
          <li key={one.generation}>
            <b>g{one.generation} drains</b>, {one.in_flight} calls under way
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Branch({ title, all }: { title: string; all: readonly One[] }) {
  if (all.length === 0) return null
  return (
    <li>
      {title}
      <ul class="services-tree">
        {all.map(({ label, age_ms }, at) => (
          <li key={at}>
            <code>{label}</code> <span class="dim">for {ageOf(age_ms)}</span>
          </li>
        ))}
      </ul>
    </li>
  )
}
