/** What wants to be looked at, each with its reason and the way to it. */
import type { ServiceStatus } from '../../live/index.ts'
import { Badge } from '../../parts/badge.tsx'
import { Said } from '../../parts/said.tsx'
import { Empty } from '../../parts/states.tsx'
import { hrefOf } from '../../route.ts'
import { attentionOf } from './attention.ts'
import './happenings.css'

const SHOWN_MAX = 20

export function Attention({ services }: { services: readonly ServiceStatus[] }) {
  const wants = attentionOf(services)
  if (wants.length === 0)
    return <Empty title="Nothing wants a look">Every service serves what stands on disk, and nothing waits.</Empty>
  return (
    <>
      <ul class="now-happenings">
        {wants.slice(0, SHOWN_MAX).map(({ api, tone, what, why, place }) => (
          <li key={`${api} ${what}`}>
            <div class="row">
              <a href={hrefOf('services', [api])}>{api}</a>
              <Badge tone={tone}>{what}</Badge>
            </div>
            <div class="dim">
              {place !== undefined && <code>{place} </code>}
              <Said text={why} />
            </div>
          </li>
        ))}
      </ul>
      {wants.length > SHOWN_MAX && (
        <p class="now-more">
          <a href="#/services?state=attention">{wants.length - SHOWN_MAX} more</a>
        </p>
      )}
    </>
  )
}
