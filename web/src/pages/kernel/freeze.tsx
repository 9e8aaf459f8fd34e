/** The freeze: what holds, and the way in and out; the same as in the header, with what it means. */
import { Badge } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { FreezeAction, HOLDS, ThawAction, type Scope } from '../../parts/freeze.tsx'

export function Freeze({ frozen }: { frozen: Scope }) {
  return (
    <Card
      title="Freeze"
      actions={<Badge tone={frozen === 'none' ? 'off' : 'warn'}>{frozen === 'none' ? 'not frozen' : frozen}</Badge>}
    >
      <div class="stack">
        <p>{HOLDS[frozen]}</p>
        <div class="row">
          {frozen !== 'all' && <FreezeAction wider={frozen === 'self'} />}
          {frozen !== 'none' && <ThawAction />}
        </div>
      </div>
    </Card>
  )
}
