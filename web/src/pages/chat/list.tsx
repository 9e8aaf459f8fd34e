/** The conversations that are kept, the last used first. */
import { useAsk } from '../../api/use-ask.ts'
import { AskedView } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { changes } from './store.ts'
import { useEffect } from 'preact/hooks'

const SHOWN_MAX = 50

export function Conversations({ open }: { open: string | undefined }) {
  const asked = useAsk({ on: ['approval.*'] }, 'GET /api/chat/conversations')
  const version = changes.value
  useEffect(() => {
    if (version > 0) asked.again()
  }, [version])
  return (
    <nav class="chat-list" aria-label="Conversations">
      <a class="chat-new" href={hrefOf('chat', ['new'])} aria-current={open === undefined ? 'page' : undefined}>
        New conversation
      </a>
      <AskedView asked={asked} label="Conversations">
        {({ conversations }) => (
          <ul>
            {conversations.slice(0, SHOWN_MAX).map(({ conversation_id, title, messages, updated_at }) => (
              <li key={conversation_id}>
                <a
                  href={hrefOf('chat', [conversation_id])}
                  aria-current={conversation_id === open ? 'page' : undefined}
                >
                  <span class="chat-title">{title === '' ? conversation_id : title}</span>
                  <span class="dim">
                    {messages} messages, <Time at={updated_at} />
                  </span>
                </a>
              </li>
            ))}
          </ul>
        )}
      </AskedView>
    </nav>
  )
}
