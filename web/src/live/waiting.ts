/**
 * How much waits for a person: read when something was asked or decided, and slowly besides, for turns of the assistant
 * wait without an event. Shown in the navigation; started once by the shell.
 */
import { signal } from '@preact/signals'
import { ask } from '../api/client.ts'
import { onEvent } from '../api/stream.ts'
import { lookAgain } from './again.ts'

/** Undefined until it was read once. */
export const waiting = signal<number | undefined>(undefined)

const SLOW_LOOK_MS = 15_000

const look = lookAgain(async () => {
  const { approvals } = await ask('GET /api/approvals')
  waiting.value = approvals.length
})

/** Until the returned function is called. */
export function startWaiting(): () => void {
  const ends = ['approval.*', 'proposal.*'].map((pattern) => onEvent(pattern, look))
  const timer = setInterval(() => document.hidden || look(), SLOW_LOOK_MS)
  look()
  return () => {
    clearInterval(timer)
    for (const end of ends) end()
  }
}
