/**
 * Full tracing: every call is followed through all that it does, by Node's AsyncLocalStorage. It costs every await of
 * the process, so it is a switch; when it is off, nothing of it is left. The storage is held by the service.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { CallContext } from '../../contracts/observe.ts'

export interface FullTracing extends CallContext {
  /** Nothing is followed any more, and awaits cost what they did. */
  end(): void
}

export function fullTracing(): FullTracing {
  const storage = new AsyncLocalStorage<string>()
  return {
    current: () => storage.getStore(),
    run: (place, work) => storage.run(place, work),
    end: () => storage.disable(),
  }
}
