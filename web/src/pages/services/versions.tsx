/** The versions of a service: what happened to it, and what differs between any two of them. */
import { useAsk } from '../../api/use-ask.ts'
import { commandOf } from '../../commands.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { SelectField } from '../../parts/field.tsx'
import { AskedView, Loading } from '../../parts/states.tsx'
import { clockOf } from '../../parts/time.tsx'
import { route, setQuery } from '../../route.ts'
import { Happenings, useHappenings, type Happening } from '../now/happenings.tsx'
import { picked, versionsOf } from './compared.ts'
import type { Detail } from './one.tsx'
import { Differences } from './differences.tsx'

const HAPPENED = 200

export function Versions({ detail: { api } }: { detail: Detail }) {
  const asked = useHappenings({ service: api, limit: HAPPENED })
  const versions = versionsOf(asked.value?.changes ?? [], api)
  const { from, to } = picked(versions, route.value.query)
  if (asked.state === 'loading') return <Loading label="Versions" />
  return (
    <>
      {versions.length > 0 && (
        <Card title="What differs">
          <div class="stack">
            <div class="services-fields">
              <Pick label="From" value={from} versions={versions} onPick={(one) => setQuery({ from: one })} />
              <Pick label="To" value={to} versions={versions} onPick={(one) => setQuery({ to: one })} />
            </div>
            <Difference api={api} from={from} to={to} />
            <CommandLine command={commandOf('diff', { service: api, from, to })} />
          </div>
        </Card>
      )}
      <Card title="What happened to it" flush>
        <Happenings
          asked={asked}
          more={(one) =>
            versions.includes(one) && (
              <Button kind="quiet" onClick={() => setQuery({ from: one.id, to: 'live' })}>
                Compare with what runs
              </Button>
            )
          }
        />
      </Card>
    </>
  )
}

interface PickProps {
  label: string
  value: string
  versions: readonly Happening[]
  onPick: (version: string) => void
}

function Pick({ label, value, versions, onPick }: PickProps) {
  const choices = [
    { value: 'live', text: 'what runs' },
    { value: 'disk', text: 'what stands on disk' },
    ...versions.toReversed().map(({ id, data, time }) => ({
      value: id,
      text: `g${String(data['generation'])}, ${clockOf(time, Date.now())} (${id})`,
    })),
  ]
  return <SelectField label={label} value={value} choices={choices} onPick={onPick} />
}

function Difference({ api, from, to }: { api: string; from: string; to: string }) {
  const asked = useAsk({ on: ['service.*', 'config.*'] }, 'GET /api/services/{api}/diff', {
    params: { api },
    query: { from, to },
  })
  return (
    <AskedView asked={asked} label="The difference">
      {(diff) => <Differences diff={diff} />}
    </AskedView>
  )
}
