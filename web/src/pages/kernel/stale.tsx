/** Services that run something else than what stands on disk: the version before, or last good in the place of a broken one. */
import type { ServiceStatus } from '../../live/index.ts'
import { StateBadge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Empty, Loading } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { Reason } from './versions.tsx'

export function Stale({ services }: { services: readonly ServiceStatus[] | undefined }) {
  return (
    <Card title="Not as on disk">
      {services === undefined ? <Loading label="Services" /> : <Those services={services.filter(isOther)} />}
    </Card>
  )
}

const isOther = ({ stale, last_good }: ServiceStatus): boolean => stale || last_good !== null

function Those({ services }: { services: readonly ServiceStatus[] }) {
  if (services.length === 0) return <Empty title="Everything that runs is what stands on disk" />
  return (
    <ul class="items">
      {services.map((one) => (
        <li key={one.api}>
          <div class="row">
            <a href={hrefOf('services', [one.api])}>{one.api}</a>
            <StateBadge state={one.state} />
            <span>{one.generation === null ? 'nothing serves' : `g${one.generation} serves`}</span>
            <span class="dim">
              <code>{shortOf(one.source_hash)}</code> runs, <code>{shortOf(one.disk_hash)}</code> on disk
            </span>
            {one.last_good !== null && (
              <span>
                last good, kept <Time at={one.last_good} />
              </span>
            )}
          </div>
          {one.last_error !== null && <Reason error={one.last_error} />}
        </li>
      ))}
    </ul>
  )
}

const shortOf = (hash: string | null): string => (hash === null ? 'nothing' : hash.slice(0, 8))
