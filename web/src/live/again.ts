/**
 * An event says only "look again": calls of the bell that come while a look is under way, or right after one, become one
 * more look. So a storm of events costs a few reads a second, and the last look always comes after the last event.
 */

const REST_MS = 250
/** A look that takes long rests longer: of all time, looking takes at most a fifth. */
const REST_TIMES = 4

/** Returns the bell. `look` is never run twice at once; a look that fails is its own affair. */
export function lookAgain(look: () => Promise<void>, rest_ms = REST_MS): () => void {
  let state: 'idle' | 'busy' | 'rung' = 'idle'
  const run = async (): Promise<void> => {
    do {
      state = 'busy'
      const since = performance.now()
      await look().catch(() => undefined)
      const rest = Math.max(rest_ms, (performance.now() - since) * REST_TIMES)
      await new Promise((resolve) => setTimeout(resolve, rest))
    } while ((state as string) === 'rung')
    state = 'idle'
  }
  return () => {
    if (state === 'idle') void run()
    else state = 'rung'
  }
}
