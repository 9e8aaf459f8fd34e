/** What happened lately, in plain words, as the service `history` tells it: of all, or of one service. */
import type { ComponentChildren } from 'preact'
import type { ApiAnswer } from '../../api/client.ts'
import { useAsk, type Asked } from '../../api/use-ask.ts'
import { Said } from '../../parts/said.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import './happenings.css'

export type Happening = ApiAnswer<'GET /api/history'>['changes'][number]

const EVENTS = ['service.*', 'kernel.*', 'config.*', 'change.*', 'prompt.*', 'package.*']

/** Oldest first. */
export const useHappenings = (given: { service?: string; limit: number }): Asked<ApiAnswer<'GET /api/history'>> =>
  useAsk({ on: EVENTS }, 'GET /api/history', { query: { ...given, all: 'true' } })

interface HappeningsProps {
  asked: Asked<ApiAnswer<'GET /api/history'>>
  /** also the name of the service, as a link */
  named?: boolean
  /** at the end of a line */
  more?: (one: Happening) => ComponentChildren
}

export function Happenings({ asked, named = false, more }: HappeningsProps) {
  if (asked.state === 'failed' && asked.error.code === 'service_not_found')
    return (
      <Empty title="Nobody keeps the history">
        The service <code>history</code> records what happens; this system has none.
      </Empty>
    )
  return (
    <AskedView asked={asked} label="What happened">
      {({ changes }) =>
        changes.length === 0 ? (
          <Empty title="Nothing has happened yet">Edit a file of a module or a config, and it is told here.</Empty>
        ) : (
          <ul class="now-happenings">
            {changes.toReversed().map((one) => (
              <li key={one.id} class={toneOf(one)}>
                <div>
                  <Said text={one.text} />
                </div>
                <div class="row dim">
                  <Time at={one.time} />
                  <code>{one.id}</code>
                  {named && one.api !== null && <a href={hrefOf('services', [one.api])}>{one.api}</a>}
                  {more?.(one)}
                </div>
              </li>
            ))}
          </ul>
        )
      }
    </AskedView>
  )
}

const BAD = /(refused|tripped|failed|fault|stalled|error)$/
const toneOf = ({ type }: Happening): string | undefined =>
  BAD.test(type) ? 'is-bad' : type === 'service.rolled_back' || type === 'service.last_good' ? 'is-warn' : undefined
