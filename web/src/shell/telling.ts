/** Events that a person wants to hear of, as toasts. */
import { onEvent, type MachineEvent } from '../api/stream.ts'
import { toast, type ToastText } from '../parts/toast.tsx'
import { hrefOf } from '../route.ts'

/** Until the returned function is called. */
export function startTelling(): () => void {
  return onEvent('*', (event) => {
    const text = textOf(event)
    if (text !== undefined) toast(text)
  })
}

/** Undefined: nobody wants to hear of it. Pure. */
export function textOf({ type, data }: MachineEvent): ToastText | undefined {
  if (type === 'service.live') return liveText(data)
  if (type === 'kernel.swapped')
    return {
      tone: 'good',
      text: `kernel ${String(data['from'])} → ${String(data['to'])}, paused ${String(data['pause_ms'])} ms`,
    }
  return undefined
}

function liveText(data: Readonly<Record<string, unknown>>): ToastText {
  const { api, generation, from, ms, failed_calls, state, rolled_back } = data as {
    api: string
    generation: number
    from: number | null
    ms: number
    failed_calls: number
    state: string
    rolled_back: boolean
  }
  const href = hrefOf('services', [api])
  if (from === null) return { tone: 'info', text: `${api} g${generation} is live, ${Math.round(ms)} ms`, href }
  const text = `${api} g${from} → g${generation}, ${Math.round(ms)} ms, ${failed_calls} failed, state ${state}`
  return {
    tone: failed_calls > 0 || rolled_back ? 'warn' : 'good',
    text: rolled_back ? `${text}, rolled back` : text,
    href,
  }
}
