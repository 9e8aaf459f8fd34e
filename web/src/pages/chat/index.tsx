/** The assistant: a conversation with what it calls, as it comes; the conversations before; and who answers. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useAsk } from '../../api/use-ask.ts'
import type { PageProps } from '../../pages.ts'
import { Button } from '../../parts/button.tsx'
import type { Provider } from '../../parts/provider.ts'
import { AskedView, Empty, Failure, Loading } from '../../parts/states.tsx'
import { hrefOf } from '../../route.ts'
import './chat.css'
import { Composer } from './composer.tsx'
import { Conversations } from './list.tsx'
import { Parked } from './parked.tsx'
import { conversation, read, say, show, showAddress } from './store.ts'
import { TurnView } from './turn.tsx'

export default function Chat({ route }: PageProps) {
  const [id] = route.parts
  const providers = useAsk({ on: ['service.live', 'service.stopped'] }, 'GET /api/chat/providers')
  const now = conversation.value
  useEffect(() => {
    // Whoever comes back finds what was open.
    if (id === undefined && now.id !== undefined) showAddress(now.id)
    else void show(id === 'new' ? undefined : id)
  }, [id])
  return (
    <AskedView asked={providers} label="Assistant">
      {({ providers: all }) => (
        <div class="chat">
          <Conversations open={now.id} />
          <div class="chat-main">
            <Thread providers={all} />
            {now.parked !== null && <Parked key={now.parked.approval_id} parked={now.parked} />}
            <Composer providers={all} />
          </div>
        </div>
      )}
    </AskedView>
  )
}

/** Of its end, as far as a person sees. */
const NEAR_PX = 48

function Thread({ providers }: { providers: readonly Provider[] }) {
  const box = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const { id, turns, error } = conversation.value
  useLayoutEffect(() => {
    if (isAtEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [turns])
  if (error?.code === 'conversation_missing') return <Gone />
  if (error !== undefined && id !== undefined) return <Failure error={error} again={() => void read(id)} />
  if (turns === undefined) return <Loading label="Conversation" />
  return (
    <div
      ref={box}
      class="chat-thread"
      role="log"
      aria-label="Conversation"
      aria-busy={turns.at(-1)?.state === 'under_way'}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX
      }}
    >
      {turns.length === 0 ? (
        <Begin providers={providers} />
      ) : (
        turns.map((turn, at) => <TurnView key={at} turn={turn} />)
      )}
    </div>
  )
}

/** They work without a key too: the offline planner finds a tool for each. */
const EXAMPLES = [
  'List all services',
  'Search all files for the phrase "provider"',
  'Read the file "configs/agents/assistant.yml"',
] as const

/** It was dropped since, or its address was mistyped. */
function Gone() {
  return (
    <Empty title="Nothing is kept of this conversation">
      <a href={hrefOf('chat', ['new'])}>Begin a new one</a>
    </Empty>
  )
}

function Begin({ providers }: { providers: readonly Provider[] }) {
  const chosen = providers.find((one) => one.chosen)
  return (
    <Empty title="Ask the system something">
      {chosen === undefined ? (
        <>Nobody can answer now: {providers.map(({ name, reason }) => `${name}: ${reason ?? ''}`).join('; ')}</>
      ) : (
        <>
          <b>{chosen.name}</b> answers ({chosen.info?.model}): {chosen.info?.note}. It calls the tools of live services,
          as the policy allows.
        </>
      )}
      <span class="row chat-examples">
        {EXAMPLES.map((example) => (
          <Button key={example} onClick={() => void say(example, undefined)}>
            {example}
          </Button>
        ))}
      </span>
    </Empty>
  )
}
