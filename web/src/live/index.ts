/**
 * What every view may read of the running system, as signals: its services, its kernel, and whether it answers. Kept
 * right by events and by a slow look every few seconds, for counters change without an event. Started once by the shell.
 */
import { computed, signal } from '@preact/signals'
import { allServices } from '../../../cli/lists.ts'
import type { KernelInfo, ServiceStatus } from '../../../modules/contracts/kernel.ts'
import { ask, refusalOf, type ApiAnswer, type Refusal } from '../api/client.ts'
import { connection, follow, missed, onEvent } from '../api/stream.ts'
import { lookAgain } from './again.ts'

export type { KernelInfo, ServiceStatus }
export { connection, missed } from '../api/stream.ts'

/** Undefined until they were read once. The same object stays where nothing changed in a service. */
export const services = signal<readonly ServiceStatus[] | undefined>(undefined)
export const kernel = signal<ApiAnswer<'GET /api/kernel'> | undefined>(undefined)
/** What stands on disk and does not run, and why. */
export const unserved = signal<ApiAnswer<'POST /api/plan'>['changes']>([])
/** Why the last look failed; undefined when it did not. */
export const failure = signal<Refusal | undefined>(undefined)
/** epoch milliseconds of the last look that succeeded; for rates over time */
export const looked_at = signal(0)

export type Health = 'ok' | 'starting' | 'degraded' | 'stopping' | 'unknown'
export const health = computed<Health>(() =>
  connection.value.state === 'lost' || kernel.value === undefined ? 'unknown' : kernel.value.status,
)
export const frozen = computed(() => kernel.value?.frozen ?? 'none')

const SLOW_LOOK_MS = 2_000
const PAGE = 500

/** Every service, over all pages of the list. */
export const readServices = (): Promise<ServiceStatus[]> => allServices({ ask }, PAGE)

/** Services that did not change keep their object, so that what shows them need not be drawn again. */
export function keepSame(before: readonly ServiceStatus[], now: readonly ServiceStatus[]): readonly ServiceStatus[] {
  const known = new Map(before.map((one) => [one.api, one]))
  return now.map((one) => {
    const old = known.get(one.api)
    return old !== undefined && sameStatus(old, one) ? old : one
  })
}

/** Its age is not what a view is drawn for. */
const sameStatus = (a: ServiceStatus, b: ServiceStatus): boolean =>
  JSON.stringify({ ...a, uptime_s: 0 }) === JSON.stringify({ ...b, uptime_s: 0 })

let uptime_s = 0
let wasLost = false

/**
 * Ids of events begin anew with each process, so the stream alone cannot tell one that has told as many as the one
 * before. A kernel that takes over begins anew as well, but for that the connection is not lost.
 */
function noteStart(now_s: number): void {
  if (wasLost && now_s < uptime_s) missed.value = { at: Date.now(), events: undefined, reason: 'restarted' }
  wasLost = false
  uptime_s = now_s
}

const wantsPlan = ({ stale, state }: ServiceStatus): boolean => stale || (state !== 'live' && state !== 'switching')

/** The value before where nothing but its age changed: who reads it need not be drawn again. */
function keepEqual<T>(before: T, now: T): T {
  const ageless = (key: string, value: unknown): unknown => (key === 'uptime_s' ? 0 : value)
  return JSON.stringify(before, ageless) === JSON.stringify(now, ageless) ? before : now
}

const look = lookAgain(async () => {
  try {
    const [all, about] = await Promise.all([readServices(), ask('GET /api/kernel')])
    const { changes } = all.some(wantsPlan) ? await ask('POST /api/plan', { body: {} }) : { changes: [] }
    services.value = keepSame(services.value ?? [], all)
    unserved.value = keepEqual(unserved.value, changes)
    noteStart(about.uptime_s)
    kernel.value = keepEqual(kernel.value, about)
    looked_at.value = Date.now()
    failure.value = undefined
  } catch (thrown) {
    failure.value = refusalOf(thrown)
  }
})

/** Asks for a look now, as after an action. */
export const lookNow = (): void => look()

/** Until the returned function is called. */
export function startLive(): () => void {
  const stop = new AbortController()
  const ends = ['service.*', 'kernel.*', 'config.*', 'change.*'].map((pattern) => onEvent(pattern, look))
  const timer = setInterval(() => document.hidden || look(), SLOW_LOOK_MS)
  const onShown = (): void => look()
  look()
  document.addEventListener('visibilitychange', onShown)
  const endState = connection.subscribe(({ state }) => {
    if (state === 'lost') wasLost = true
    if (state === 'open') look()
  })
  void follow(stop.signal)
  return () => {
    stop.abort()
    clearInterval(timer)
    document.removeEventListener('visibilitychange', onShown)
    for (const end of [...ends, endState]) end()
  }
}
