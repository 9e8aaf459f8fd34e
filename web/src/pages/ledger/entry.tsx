/** One entry with everything that is sealed by its hash. */
import { useAsk } from '../../api/use-ask.ts'
import { Badge } from '../../parts/badge.tsx'
import { JsonCode } from '../../parts/code.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf, setQuery } from '../../route.ts'
import { Facts } from '../changes/facts.tsx'
import { toneOf } from './table.tsx'
import type { Entry } from './words.ts'

export function EntryDialog({ sequence }: { sequence: number }) {
  const asked = useAsk({}, 'GET /api/ledger', { query: { after: sequence - 1, limit: 1 } })
  return (
    <Dialog title={`Entry ${sequence}`} wide onClose={() => setQuery({ entry: undefined })}>
      <AskedView asked={asked} label={`Entry ${sequence}`}>
        {({ entries: [entry] }) =>
          entry?.sequence === sequence ? <Whole entry={entry} /> : <Empty title={`There is no entry ${sequence}`} />
        }
      </AskedView>
    </Dialog>
  )
}

function Whole({ entry }: { entry: Entry }) {
  const { time, actor, origin, action, resource, outcome, subsystem, reason, cycle, payload, previous_hash, hash } =
    entry
  return (
    <>
      <Facts
        facts={[
          ['When', <Time at={time} as="clock" />],
          ['Who', `${actor} (${origin})`],
          ['What', action],
          ['To', resource],
          ['Outcome', <Badge tone={toneOf(outcome)}>{outcome}</Badge>],
          ['Why', reason],
          ['Part', subsystem],
          ['Cycle', cycle === undefined ? undefined : <a href={hrefOf('ledger', [cycle])}>{cycle}</a>],
          ['Hash', <code>{hash}</code>],
          ['Before it', <code>{previous_hash}</code>],
        ]}
      />
      {payload !== undefined && <JsonCode value={payload} label="Payload" />}
    </>
  )
}
