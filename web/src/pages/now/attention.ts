/** What of the services wants to be looked at, and why: the worst first. Pure. */
import type { ServiceStatus } from '../../../../modules/contracts/kernel.ts'
import type { Tone } from '../../parts/badge.tsx'

export interface Wants {
  api: string
  tone: Tone
  /** in a word, as `stale` */
  what: string
  why: string
  /** as `modules/hello.ts:3` */
  place: string | undefined
}

const RANK: Partial<Record<Tone, number>> = { bad: 0, warn: 1, busy: 2 }

export const attentionOf = (services: readonly ServiceStatus[]): Wants[] =>
  services
    .flatMap((service) => wantsOf(service))
    .toSorted((a, b) => (RANK[a.tone] ?? 3) - (RANK[b.tone] ?? 3) || (a.api < b.api ? -1 : 1))

function wantsOf(service: ServiceStatus): Wants[] {
  const { api, state, stale, queued, generations, last_error, last_good } = service
  const wants = (tone: Tone, what: string, why: string, place?: string): Wants => ({ api, tone, what, why, place })
  const found: Wants[] = []
  const reason = last_error?.message ?? 'No reason is known'
  const place = placeOf(last_error)
  switch (state) {
    case 'failed':
    case 'tripped':
    case 'quarantined':
      found.push(wants('bad', state, reason, place))
      break
    case 'waiting':
      found.push(wants('warn', state, waitText(service)))
      break
    case 'starting':
    case 'switching':
    case 'draining':
      found.push(wants('busy', state, generationText(service)))
      break
    case 'live':
    case 'stopped':
      break
    default:
      state satisfies never
  }
  if (last_good !== null) found.push(wants('warn', 'last good', `An earlier version stands in: ${reason}`, place))
  else if (stale) found.push(wants('warn', 'stale', staleText(service, reason), place))
  if (queued > 0) found.push(wants('warn', 'queue', `${queued} calls wait for it to be live`))
  if (state === 'live' && generations > 1)
    found.push(wants('busy', 'drains', `${generations - 1} earlier versions end their calls`))
  return found
}

const waitText = ({ waiting_for, last_error }: ServiceStatus): string =>
  waiting_for.length > 0 ? `For ${waiting_for.join(', ')}` : (last_error?.message ?? 'For its turn')

const generationText = ({ generation }: ServiceStatus): string =>
  generation === null ? 'Nothing serves yet' : `g${generation} serves meanwhile`

const staleText = ({ generation, last_error }: ServiceStatus, reason: string): string =>
  last_error === null ? `What is on disk does not run; g${generation} serves` : `g${generation} serves on: ${reason}`

export function placeOf(error: { file?: string; line?: number } | null): string | undefined {
  if (error?.file === undefined) return undefined
  return error.line === undefined ? error.file : `${error.file}:${error.line}`
}
