/** One turn: what the person said, what was answered and called, and how it ended. */
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Code } from '../../parts/code.tsx'
import { Failure } from '../../parts/states.tsx'
import { hrefOf } from '../../route.ts'
import { CallCard } from './call-card.tsx'
import { piecesOf, type ChatAnswer, type Turn, type TurnState } from './thread.ts'

const STATES: Record<TurnState, { tone: Tone; text: string } | undefined> = {
  under_way: { tone: 'busy', text: 'under way' },
  done: undefined,
  parked: { tone: 'warn', text: 'waits for you' },
  cut: { tone: 'warn', text: 'cut' },
  failed: { tone: 'bad', text: 'failed' },
}

export function TurnView({ turn }: { turn: Turn }) {
  const { said, blocks, state, trace, error } = turn
  return (
    <article class="chat-turn">
      <h2 class="unseen">You</h2>
      <p class="chat-said">{said}</p>
      <div class="chat-answer">
        <h2 class="unseen">{turn.provider === '' ? 'Assistant' : turn.provider}</h2>
        {blocks.map((block, at) =>
          block.kind === 'text' ? (
            <Text key={at} text={block.text} />
          ) : (
            <CallCard key={at} call={block} isOver={state !== 'under_way' && state !== 'parked'} trace={trace} />
          ),
        )}
        {error !== undefined && <Failure error={error} />}
        <Foot turn={turn} />
      </div>
    </article>
  )
}

function Text({ text }: { text: string }) {
  return (
    <>
      {piecesOf(text).map((piece, at) =>
        piece.kind === 'code' ? (
          <Code key={at} plain label="Code" text={piece.text} />
        ) : (
          <p key={at} class="chat-text">
            {piece.text}
          </p>
        ),
      )}
    </>
  )
}

/** Who answered, with what, and how it ended. */
function Foot({ turn: { state, provider, answer, trace } }: { turn: Turn }) {
  const shown = STATES[state]
  const parts = [provider, ...(answer === undefined ? [] : factsOf(answer, provider))].filter((part) => part !== '')
  if (shown === undefined && parts.length === 0) return null
  return (
    <footer class="row chat-foot">
      {shown !== undefined && <Badge tone={shown.tone}>{shown.text}</Badge>}
      <span class="dim">{parts.join(' · ')}</span>
      {trace !== undefined && state !== 'failed' && <a href={hrefOf('calls', [trace])}>Trace</a>}
    </footer>
  )
}

function factsOf({ model, usage, status, reason = '' }: ChatAnswer, provider: string): string[] {
  const tokens = usage === null ? '' : `${usage.input_tokens} + ${usage.output_tokens} tokens`
  const cost = usage === null || usage.cost_usd === null ? '' : `$${usage.cost_usd.toFixed(4)}`
  return [model === provider ? '' : model, tokens, cost, status === 'cut' ? reason : '']
}
