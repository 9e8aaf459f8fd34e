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
  let retire = (): void => {}
  const retired = new Promise<never>((_resolve, reject) => {
    retire = () => reject(retiredError({ api: generation.api, method }, generation))
  })
  retired.catch(() => undefined)
  signal.addEventListener('abort', retire, { once: true })
  try {
    for (;;) {
      const next = await Promise.race([source.next(), retired])
      if (next.done === true) return next.value
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', retire)
    const left = source.return(undefined)
    // A generator that waits for something of its own cannot be ended from outside: its end is not waited for.
    if (signal.aborted) void left.catch(() => undefined)
    else await left
  }
}
