/**
 * Who calls whom, read every two seconds while a view wants to know it and somebody looks: calls a second and times are
 * made from two readings (`rates.ts`). Nothing is asked while no view does.
 */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ask, refusalOf, type Refusal } from '../api/client.ts'
import { advance, type Pulse } from './rates.ts'

/** Undefined until it was read once. */
export const pulse = signal<Pulse | undefined>(undefined)
/** Why it cannot be told; undefined when it can. */
export const pulseFailure = signal<Refusal | undefined>(undefined)

const EVERY_MS = 2_000
let views = 0
let timer: ReturnType<typeof setInterval> | undefined
let isBusy = false

async function read(): Promise<void> {
  if (isBusy || document.hidden) return
  isBusy = true
  try {
    pulse.value = advance(pulse.value, await ask('GET /api/traffic'))
    pulseFailure.value = undefined
  } catch (thrown) {
    pulseFailure.value = refusalOf(thrown)
    // A system that is away is told of as it was; one that cannot tell any more is not.
    if (pulseFailure.value.code !== 'not_reachable') pulse.value = undefined
  } finally {
    isBusy = false
  }
}

/** As long as the view that calls it is drawn. */
export function usePulse(): Pulse | undefined {
  useEffect(() => {
    views++
    if (views === 1) timer = setInterval(() => void read(), EVERY_MS)
    void read()
    return () => {
      views--
      if (views === 0) clearInterval(timer)
    }
  }, [])
  return pulse.value
}
