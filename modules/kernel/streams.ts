/**
 * A stream of one version, read through its service. It counts as in flight until it ends or its reader leaves; one
 * that outlives the drain limit of its version is closed, and its reader is told. Called by `calls.ts`.
 */
import type { GenerationRecord } from '../contracts/state.ts'
import { retiredError } from './call-options.ts'

export async function* untilRetired(
  source: AsyncGenerator<unknown>,
  generation: GenerationRecord,
  method: string,
): AsyncGenerator<unknown> {
  const { signal } = generation.isolator.endAbort
  // One reader waits at a time: the end of the version ends that wait, and nothing is kept for the items before.
  let retire: (error: Error) => void = () => {}
  const onEnd = (): void => retire(retiredError({ api: generation.api, method }, generation))
  signal.addEventListener('abort', onEnd, { once: true })
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<unknown, unknown>>((resolve, reject) => {
        retire = reject
        source.next().then(resolve, reject)
        if (signal.aborted) onEnd()
      })
      if (next.done === true) return next.value
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onEnd)
    const left = source.return(undefined)
    // A generator that waits for something of its own cannot be ended from outside: its end is not waited for.
    if (signal.aborted) void left.catch(() => undefined)
    else await left
  }
}
