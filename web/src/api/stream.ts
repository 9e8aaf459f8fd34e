/**
 * The one event stream of the page: opened with the token, resumed at the last event it saw, opened again by itself
 * with growing pauses when it breaks. What could not be told meanwhile is told as missed. Listeners hear each event
 * once, in order; what they do with it is at their own pace (`live/again.ts`).
 */
import { signal } from '@preact/signals'
import type { MachineEvent } from '../../../modules/contracts/module.ts'
import { open, refusalOf, token } from './client.ts'
import { framesOf, type Frame } from './frames.ts'

export type { MachineEvent }

export type Connection =
  | { state: 'opening' }
  | { state: 'open' }
  /** `since`: epoch milliseconds; `tries`: attempts that failed since then */
  | { state: 'lost'; since: number; tries: number }

/** What the stream could not deliver. `restarted`: the process behind it is another one. */
export interface Missed {
  at: number
  events: number | undefined
  reason: 'gap' | 'restarted' | 'cut'
}

export const connection = signal<Connection>({ state: 'opening' })
/** The last gap, until the person has seen it. */
export const missed = signal<Missed | undefined>(undefined)

type Listener = (event: MachineEvent) => void
const listeners = new Set<{ pattern: string; listener: Listener }>()

/** Hears events whose type fits: `service.live`, `service.*` or `*`. Returns what ends it. */
export function onEvent(pattern: string, listener: Listener): () => void {
  const entry = { pattern, listener }
  listeners.add(entry)
  return () => listeners.delete(entry)
}

const PAUSE_MS = 250
const PAUSE_MS_MAX = 8_000

/** How long to wait before the next try: doubled each time, and a part of it by chance, so that tabs do not come at once. */
export const pauseBefore = (tries: number, chance: number): number =>
  Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** tries) * (0.5 + chance / 2)

/** Runs until `signal` aborts. */
export async function follow(stop: AbortSignal): Promise<void> {
  let lastId = ''
  for (let tries = 0; !stop.aborted; ) {
    try {
      const headers = lastId === '' ? {} : { 'last-event-id': lastId }
      const response = await open('GET', '/api/events', { headers, signal: stop })
      connection.value = { state: 'open' }
      tries = 0
      for await (const frame of framesOf(response)) {
        lastId = frame.id ?? lastId
        take(frame)
      }
    } catch (thrown) {
      if (stop.aborted) return
      if (refusalOf(thrown).code === 'unauthorized') return
      tries++
    }
    if (token.value === undefined || stop.aborted) return
    lost(tries)
    await wait(pauseBefore(tries, Math.random()), stop)
  }
}

function lost(tries: number): void {
  const before = connection.value
  connection.value = { state: 'lost', since: before.state === 'lost' ? before.since : Date.now(), tries }
}

function take({ event, data }: Frame): void {
  const told = JSON.parse(data) as MachineEvent
  if (event === 'stream.missed') {
    const { from, to, restarted } = told.data as { from: number; to: number; restarted: boolean }
    missed.value = restarted
      ? { at: Date.now(), events: undefined, reason: 'restarted' }
      : { at: Date.now(), events: to - from + 1, reason: 'gap' }
  } else if (event === 'stream.cut') {
    missed.value = { at: Date.now(), events: undefined, reason: 'cut' }
  }
  for (const { pattern, listener } of listeners) if (fits(pattern, event)) listener(told)
}

export const fits = (pattern: string, type: string): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))

function wait(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    const now = (): void => {
      clearTimeout(timer)
      resolve()
    }
    stop.addEventListener('abort', now, { once: true })
    // The network is back, or the person looks: no need to wait on.
    window.addEventListener('online', now, { once: true })
  })
}
