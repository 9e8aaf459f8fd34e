/** What came of a movement of a service, for a toast. Pure. */
import type { ReloadResult } from '../../../../modules/contracts/kernel.ts'
import type { ToastText } from '../../parts/toast.tsx'
import { hrefOf } from '../../route.ts'

/** What came of it, with numbers. A refusal is thrown: it is shown in the dialog. */
export function told(what: string, { api }: { api: string }, result: ReloadResult): ToastText {
  const { ok, error, from, generation, ms, failed_calls, state, deferred } = result
  if (!ok && !deferred && error !== null) throw { ...error, doc: `ERRORS.md#${error.code}` }
  const href = hrefOf('services', [api])
  if (deferred)
    return { tone: 'warn', text: `${api}: put off, and tried again by itself`, detail: error?.message, href }
  if (generation === null) return { tone: 'warn', text: `${api} ${what}: it is stopped now`, href }
  const versions = from === null ? `g${generation}` : `g${from} → g${generation}`
  return {
    tone: failed_calls > 0 ? 'warn' : 'good',
    text: `${api} ${what}: ${versions}, ${Math.round(ms)} ms, ${failed_calls} failed, state ${state}`,
    href,
  }
}
