/**
 * The engine of sandboxes: processes and isolates for code that is not trusted. `createEngine` is all that others use of
 * this folder; what it gives is described in `contracts/sandbox.ts`.
 */
import type { GuestPlace, SandboxEngine } from '../../contracts/sandbox.ts'
import type { Clock } from '../../contracts/seams.ts'
import { fromErrorData } from '../../lib/errors.ts'
import { InlinePlace } from './inline-place.ts'
import { findIvm } from './ivm.ts'
import { ProcessPlace } from './process-place.ts'

export function createEngine(options: { clock: Clock; node_major?: number }): SandboxEngine {
  const { clock, node_major } = options
  return {
    available() {
      const found = findIvm(node_major)
      return 'error' in found ? found.error : undefined
    },
    async startProcess({ rss_mb_max }): Promise<GuestPlace> {
      const found = findIvm(node_major)
      if ('error' in found) throw fromErrorData(found.error)
      return ProcessPlace.start({ ivmPath: found.path, clock, rss_mb_max })
    },
    inline(): GuestPlace {
      const found = findIvm(node_major)
      if ('error' in found) throw fromErrorData(found.error)
      return new InlinePlace(found.ivm, clock)
    },
  }
}
