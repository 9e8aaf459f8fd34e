/** Events that a person wants to hear of, as toasts. What comes in a burst, as after a start, is told in one. */
import { onEvent, type MachineEvent } from '../api/stream.ts'
import { toast, type ToastText } from '../parts/toast.tsx'
import { hrefOf } from '../route.ts'

/** How long what comes may wait for more, and how many are still told one by one. */
const WAIT_MS = 150
const SINGLE_MAX = 4

/** Until the returned function is called. */
export function startTelling(): () => void {
  let waiting: MachineEvent[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const tell = (): void => {
    timer = undefined
    for (const text of textsOf(waiting.splice(0))) toast(text)
  }
  const end = onEvent('*', (event) => {
    waiting.push(event)
    timer ??= setTimeout(tell, WAIT_MS)
  })
  return () => {
    end()
    clearTimeout(timer)
    waiting = []
  }
}

/** What is said of events that came together. Pure. */
export function textsOf(events: readonly MachineEvent[]): ToastText[] {
  const live = events.filter(({ type }) => type === 'service.live')
  if (live.length <= SINGLE_MAX) return events.flatMap((event) => textOf(event) ?? [])
  const failed = live.reduce((sum, { data }) => sum + Number(data['failed_calls']), 0)
  const together: ToastText = {
    tone: failed > 0 ? 'warn' : 'good',
    text: `${live.length} services went live, ${failed} calls failed`,
    href: hrefOf('now'),
  }
  return [...events.filter((event) => !live.includes(event)).flatMap((event) => textOf(event) ?? []), together]
}

/** Undefined: nobody wants to hear of it. Pure. */
export function textOf({ type, data }: MachineEvent): ToastText | undefined {
  switch (type) {
    case 'service.live':
      return liveText(data)
    case 'service.configured':
      return { tone: 'good', text: `${text(data, 'api')} took new settings, ${list(data['keys'])}`, href: of(data) }
    case 'service.refused':
      return refusedText(data)
    case 'service.quarantined':
    case 'service.tripped':
      return {
        tone: 'bad',
        text: `${text(data, 'api')} is ${type.slice('service.'.length)}`,
        detail: reason(data),
        href: of(data),
      }
    case 'kernel.swapped':
      return {
        tone: 'good',
        text: `kernel ${text(data, 'from')} → ${text(data, 'to')}, paused ${Number(data['pause_ms']).toFixed(1)} ms`,
        href: hrefOf('kernel'),
      }
    case 'kernel.refused':
      return {
        tone: 'bad',
        text: `kernel ${text(data, 'version')} is refused`,
        detail: reason(data),
        href: hrefOf('kernel'),
      }
    case 'approval.requested':
      return {
        tone: 'warn',
        text: `It waits for you: ${text(data, 'title')}`,
        href: hrefOf('inbox', [text(data, 'id')]),
      }
    case 'proposal.confirmed':
      return proposalText(data, 'good', 'was measured, and stays')
    case 'proposal.restored':
      return proposalText(data, 'warn', 'is taken back, the bytes before are there again')
    case 'proposal.failed':
      return proposalText(data, 'bad', 'was refused by a service, the bytes before are there again')
    case 'proposal.alarm':
      return proposalText(data, 'bad', 'cannot be taken back: the system is frozen for changes of its own')
    case 'change.undone':
      return { tone: 'good', text: `Undone: ${list(data['services'])}` }
    default:
      return undefined
  }
}

const text = (data: Readonly<Record<string, unknown>>, key: string): string => String(data[key])
const list = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value))
const of = (data: Readonly<Record<string, unknown>>): string => hrefOf('services', [text(data, 'api')])

function proposalText(data: Readonly<Record<string, unknown>>, tone: ToastText['tone'], what: string): ToastText {
  const id = text(data, 'id')
  return { tone, text: `${id} ${what}`, detail: text(data, 'message'), href: hrefOf('changes', [id]) }
}

interface Told {
  message?: string
  file?: string
  line?: number
}

/** `modules/hello.ts:18: Expected a brace`. */
function reason({ error }: Readonly<Record<string, unknown>>): string | undefined {
  const { message, file, line } = (error ?? {}) as Told
  if (file === undefined) return message
  return `${line === undefined ? file : `${file}:${line}`}: ${message}`
}

function refusedText(data: Readonly<Record<string, unknown>>): ToastText {
  const serving = data['serving']
  const served = serving === null ? 'nothing serves' : `g${String(serving)} serves on`
  return { tone: 'bad', text: `${text(data, 'api')} refused, ${served}`, detail: reason(data), href: of(data) }
}

function liveText(data: Readonly<Record<string, unknown>>): ToastText {
  const { generation, from, ms, failed_calls, state, rolled_back } = data as {
    generation: number
    from: number | null
    ms: number
    failed_calls: number
    state: string
    rolled_back: boolean
  }
  const api = text(data, 'api')
  const took = `${Math.round(ms)} ms`
  if (from === null) return { tone: 'good', text: `${api} g${generation} is live, ${took}`, href: of(data) }
  const said = `${api} g${from} → g${generation}, ${took}, ${failed_calls} failed, state ${state}`
  const isBad = failed_calls > 0 || rolled_back
  return { tone: isBad ? 'warn' : 'good', text: rolled_back ? `${said}, rolled back` : said, href: of(data) }
}
