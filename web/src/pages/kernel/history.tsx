/** What happened to the kernel since the process began, the newest first. */
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import type { About } from './index.tsx'
import { Reason } from './versions.tsx'

type Change = About['history'][number]

const TONES: Record<Change['outcome'], Tone> = {
  swapped: 'busy',
  confirmed: 'good',
  refused: 'bad',
  taken_back: 'warn',
}

export function History({ about: { history } }: { about: About }) {
  return (
    <Card title="History">
      {history.length === 0 ? (
        <Empty title="The kernel has not changed since the process began">
          Save a newer configs/meta-v….yml, or a file of the kernel, and it is tried at once.
        </Empty>
      ) : (
        <ol class="items">
          {history.toReversed().map((change) => (
            <li key={`${change.at} ${change.to} ${change.outcome}`}>
              <div class="row">
                <Time at={change.at} as="clock" />
                <strong>
                  {change.from} → {change.to}
                </strong>
                <Badge tone={TONES[change.outcome]}>{change.outcome.replace('_', ' ')}</Badge>
                {change.pause_ms !== null && <span>paused {change.pause_ms} ms</span>}
                <code class="dim">{change.meta_file}</code>
              </div>
              {change.error !== null && <Reason error={change.error} />}
            </li>
          ))}
        </ol>
      )}
    </Card>
  )
}
