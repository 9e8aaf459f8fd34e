/**
 * A conversation as it is shown: turns, each with what was said and the calls made for it. Built from the events of the
 * stream while it goes on, and from the same events as they are kept. Pure.
 */
import type { ApiAnswer, Refusal } from '../../api/client.ts'
import type { ChatAnswer, ChatEvent, ChatResult, PastEvent } from '../../../../modules/contracts/services.ts'

export type { ChatAnswer, ChatEvent, PastEvent }
export type Conversation = ApiAnswer<'GET /api/chat/conversations/{id}'>

export type Block =
  | { kind: 'text'; text: string }
  /** `result`: undefined while there is none. `params`: undefined where what was called could not be read */
  | { kind: 'call'; tool: string; params: Record<string, unknown> | undefined; result: ChatResult | undefined }

export type Call = Extract<Block, { kind: 'call' }>

export type TurnState = 'under_way' | 'done' | 'parked' | 'cut' | 'failed'

export interface Turn {
  said: string
  blocks: readonly Block[]
  state: TurnState
  /** the service that answers; empty until it is known */
  provider: string
  answer: ChatAnswer | undefined
  error: Refusal | undefined
  /** where its calls stand; undefined of an older one */
  trace: string | undefined
}

export const newTurn = (said: string, more: Partial<Turn> = {}): Turn => ({
  said,
  blocks: [],
  state: 'under_way',
  provider: '',
  answer: undefined,
  error: undefined,
  trace: undefined,
  ...more,
})

/** One more event of the turn. */
export function withEvent(turn: Turn, event: ChatEvent): Turn {
  switch (event.type) {
    case 'text':
      return { ...turn, blocks: withText(turn.blocks, event.text) }
    case 'call': {
      const { tool, params } = event
      return { ...turn, blocks: [...turn.blocks, { kind: 'call', tool, params, result: undefined }] }
    }
    case 'result':
      return { ...turn, blocks: withResult(turn.blocks, event) }
    case 'answer': {
      const { status, provider } = event.answer
      return { ...turn, state: status, provider, answer: event.answer }
    }
    default: {
      const never: never = event
      return never
    }
  }
}

function withText(blocks: readonly Block[], text: string): Block[] {
  const last = blocks.at(-1)
  if (last?.kind === 'text') return [...blocks.slice(0, -1), { kind: 'text', text: last.text + text }]
  return [...blocks, { kind: 'text', text: text.replace(/^\n+/, '') }]
}

/** Results come in the order of the calls; one without a call was made of what could not be read. */
function withResult(blocks: readonly Block[], result: ChatResult): Block[] {
  const at = blocks.findIndex(
    (block) => block.kind === 'call' && block.result === undefined && block.tool === result.tool,
  )
  if (at < 0) return [...blocks, { kind: 'call', tool: result.tool, params: undefined, result }]
  return blocks.map((block, index) => (index === at && block.kind === 'call' ? { ...block, result } : block))
}

/** A conversation that is kept, as turns. The last one is parked when the conversation waits for a person. */
export function turnsOf({ events, parked }: Pick<Conversation, 'events' | 'parked'>): Turn[] {
  const turns: Turn[] = []
  for (const event of events as readonly PastEvent[]) {
    const last = turns.at(-1)
    if (event.type === 'user') turns.push(newTurn(event.text, { state: 'done' }))
    else if (last !== undefined) {
      const next = event.type === 'text' ? withPiece(last, event) : withEvent(last, event)
      turns[turns.length - 1] = next
    }
  }
  return turns.map((turn, at) => ({
    ...turn,
    state: at === turns.length - 1 && parked !== null ? 'parked' : turn.state,
  }))
}

/** Each stored text is one of its own: they do not run on into one another. */
function withPiece(turn: Turn, { text, provider }: { text: string; provider: string }): Turn {
  return {
    ...turn,
    blocks: [...turn.blocks, { kind: 'text', text }],
    provider: provider === '' ? turn.provider : provider,
  }
}

export type Piece = { kind: 'prose' | 'code'; text: string }

/** Text and what stands in fences in it; an open fence runs to the end. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let fence: string | undefined
  let lines: string[] = []
  const end = (): void => {
    const joined = lines.join('\n')
    if (joined.trim() !== '')
      pieces.push({ kind: fence === undefined ? 'prose' : 'code', text: joined.replace(/^\n+|\n+$/g, '') })
    lines = []
  }
  for (const line of text.split('\n')) {
    const [, ticks] = /^(`{3,})/.exec(line) ?? []
    const closes = fence !== undefined && ticks !== undefined && ticks.length >= fence.length && line.trim() === ticks
    if (closes || (fence === undefined && ticks !== undefined)) {
      end()
      fence = closes ? undefined : ticks
    } else lines.push(line)
  }
  end()
  return pieces
}
