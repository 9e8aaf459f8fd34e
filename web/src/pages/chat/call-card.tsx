/** A call of a tool: what was called with what, what was decided about it, how long it took, and what came back. */
import { Badge } from '../../parts/badge.tsx'
import { Code, JsonCode } from '../../parts/code.tsx'
import { hrefOf } from '../../route.ts'
import { tookOf } from '../calls/waterfall.ts'
import type { Call } from './thread.ts'
import { verdictOf } from './verdict.ts'

export interface CallCardProps {
  call: Call
  isOver: boolean
  trace: string | undefined
}

export function CallCard({ call, isOver, trace }: CallCardProps) {
  const { tool, params, result } = call
  const { tone, text, href } = verdictOf(call, isOver)
  return (
    <section class="chat-call" aria-label={`Call of ${tool}`}>
      <header class="row">
        <code class="chat-tool">{tool}</code>
        <Badge tone={tone}>{text}</Badge>
        {result?.ms !== null && result?.ms !== undefined && <span class="dim">{tookOf(result.ms)}</span>}
        <span class="grow" />
        {href !== undefined && <a href={href}>{tone === 'warn' ? 'Inbox' : 'Why'}</a>}
        {trace !== undefined && <a href={hrefOf('calls', [trace])}>Trace</a>}
      </header>
      {params !== undefined && Object.keys(params).length > 0 && (
        <JsonCode label={`Parameters of ${tool}`} value={params} />
      )}
      {result?.error !== undefined && (
        <p>
          <code>{result.error.code}</code> {result.error.message} <span class="dim">{result.error.hint}</span>
        </p>
      )}
      {result !== undefined && (
        <details>
          <summary>Result, as the model reads it</summary>
          <Code plain label={`Result of ${tool}`} text={withoutFence(result.text)} />
        </details>
      )}
    </section>
  )
}

/** The lines between the first and the last. */
const withoutFence = (text: string): string => text.split('\n').slice(1, -1).join('\n')
