/**
 * The conversations that were looked at: a turn goes on while the person looks at another one or at another page. What
 * ends it is a cancel, or the end of the document; both hang up, and the system cuts the turn there.
 */
import { computed, signal } from '@preact/signals'
import { ask, open, refusalOf, type Refusal } from '../../api/client.ts'
import { framesOf } from '../../api/frames.ts'
import { hrefOf, readRoute, route } from '../../route.ts'
import { newTurn, turnsOf, withEvent, type ChatAnswer, type ChatEvent, type Conversation, type Turn } from './thread.ts'

export interface Open {
  /** undefined: a new one, which gets its id with its first message */
  id: string | undefined
  /** undefined: being read */
  turns: readonly Turn[] | undefined
  /** what a person has to decide before it goes on */
  parked: Conversation['parked']
  error: Refusal | undefined
  /** set while a turn is under way: hangs up */
  stop: (() => void) | undefined
}

const NEW: Open = { id: undefined, turns: [], parked: null, error: undefined, stop: undefined }
const KEPT_MAX = 20

/** Those that were looked at, the last ones last. */
const kept = signal<ReadonlyMap<string, Open>>(new Map())
const current = signal<string | undefined>(undefined)

/** The one that is shown. */
export const conversation = computed<Open>(() => {
  const id = current.value
  return id === undefined ? NEW : (kept.value.get(id) ?? { ...NEW, id, turns: undefined })
})
/** Grows when the list of conversations may have changed. */
export const changes = signal(0)

const hex = (bytes: number): string =>
  [...crypto.getRandomValues(new Uint8Array(bytes))].map((one) => one.toString(16).padStart(2, '0')).join('')

function keep(id: string, change: Partial<Open>): void {
  const next = new Map(kept.value)
  const before = next.get(id) ?? { ...NEW, id, turns: undefined }
  next.delete(id)
  next.set(id, { ...before, ...change })
  for (const [old, { stop }] of next)
    if (next.size > KEPT_MAX && stop === undefined && old !== current.value) next.delete(old)
  kept.value = next
}

/** Shows another one, or a new one. A turn that is under way goes on. */
export async function show(id: string | undefined): Promise<void> {
  current.value = id
  const known = id === undefined ? undefined : kept.value.get(id)
  // One that waits may have been decided elsewhere.
  if (id !== undefined && (known === undefined || known.parked !== null)) await read(id)
}

/** Reads it as it is kept. What is known of the last turn beyond that stays with it. */
export async function read(id: string, last: Partial<Turn> = {}): Promise<void> {
  try {
    const told = await ask('GET /api/chat/conversations/{id}', { params: { id } })
    if (kept.value.get(id)?.stop !== undefined) return
    const turns = turnsOf(told)
    keep(id, {
      turns: turns.map((turn, at) => (at === turns.length - 1 ? { ...turn, ...last } : turn)),
      parked: told.parked,
      error: undefined,
    })
  } catch (thrown) {
    keep(id, { error: refusalOf(thrown) })
  }
}

function changeLast(id: string, change: (turn: Turn) => Turn): void {
  const turns = kept.value.get(id)?.turns
  const last = turns?.at(-1)
  if (turns !== undefined && last !== undefined) keep(id, { turns: [...turns.slice(0, -1), change(last)] })
}

/** Says something in the one that is shown; resolves when the turn is over. `provider`: undefined is as configured. */
export async function say(message: string, provider: string | undefined): Promise<void> {
  const { id = crypto.randomUUID(), turns = [], stop: underWay } = conversation.value
  if (underWay !== undefined) return
  const stop = new AbortController()
  // The request brings the trace it begins: so its calls can be looked at while it goes on.
  const trace = hex(16)
  const said = newTurn(message, { trace, provider: provider ?? '' })
  keep(id, { turns: [...turns, said], parked: null, error: undefined, stop: () => stop.abort() })
  if (current.value !== id) showAddress(id)
  try {
    const response = await open('POST', '/api/chat', {
      body: { message, conversation_id: id, stream: true, ...(provider === undefined ? {} : { provider }) },
      headers: { traceparent: `00-${trace}-${hex(8)}-01` },
      signal: stop.signal,
    })
    for await (const { data } of framesOf(response)) take(id, data)
    // A system that ends cuts the stream without a word.
    changeLast(id, (turn) => (turn.state === 'under_way' ? { ...turn, state: 'cut' } : turn))
  } catch (thrown) {
    const error = stop.signal.aborted ? undefined : refusalOf(thrown)
    changeLast(id, (turn) => ({ ...turn, state: error === undefined ? 'cut' : 'failed', error }))
  } finally {
    keep(id, { stop: undefined })
    changes.value++
  }
}

/** A new conversation gets its address with its first message. */
export function showAddress(id: string): void {
  current.value = id
  window.history.replaceState(null, '', hrefOf('chat', [id]))
  route.value = readRoute(window.location.hash)
}

function take(id: string, data: string): void {
  const told = JSON.parse(data) as ChatEvent | { type: 'error'; error: Omit<Refusal, 'doc'> }
  if (told.type === 'error') {
    changeLast(id, (turn) => ({ ...turn, state: 'failed', error: refusalOf(told.error) }))
    return
  }
  changeLast(id, (turn) => withEvent(turn, told))
  if (told.type !== 'answer') return
  const { approval_id, reason: question = '' } = told.answer
  if (approval_id !== undefined) keep(id, { parked: { approval_id, question, asked_at: Date.now() } })
}

/** Decides what the open conversation waits for. The turn goes on before this resolves. */
export async function decide(approval_id: string, approved: boolean, note: string): Promise<ChatAnswer | undefined> {
  const { id, turns } = conversation.value
  const answer = await ask('POST /api/approvals/{id}', {
    params: { id: approval_id },
    body: { approved, by: 'dashboard', ...(note === '' ? {} : { note }) },
  })
  if (!('answer' in answer)) return undefined
  const { status, provider } = answer
  const trace = turns?.at(-1)?.trace
  if (id !== undefined) await read(id, { state: status, provider, answer, trace })
  changes.value++
  return answer
}
