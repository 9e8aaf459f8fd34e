/** A call of a tool: what was called with what, what was decided about it, how long it took, and what came back. */
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Code, JsonCode } from '../../parts/code.tsx'
import { hrefOf } from '../../route.ts'
import { tookOf } from '../calls/waterfall.ts'
import type { Block } from './thread.ts'

type Call = Extract<Block, { kind: 'call' }>

interface Verdict {
  tone: Tone
  text: string
  /** where it goes on */
  href?: string
}

/** What the codes say that stand between a call and its tool; any other one is the tool's own. */
const CODES: Readonly<Record<string, Verdict>> = {
  tool_refused: { tone: 'bad', text: 'refused by the policy', href: hrefOf('policy') },
  tool_waits: { tone: 'warn', text: 'waits for a person', href: hrefOf('inbox') },
  tool_hook_failed: { tone: 'bad', text: 'the policy could not be asked' },
  call_not_run: { tone: 'off', text: 'not run' },
  call_cut: { tone: 'warn', text: 'cut' },
}

/** `isOver`: nothing comes any more. Pure. */
export function verdictOf({ result }: Pick<Call, 'result'>, isOver: boolean): Verdict {
  if (result === undefined) return isOver ? { tone: 'off', text: 'no result' } : { tone: 'busy', text: 'under way' }
  if (result.status === 'success') return { tone: 'good', text: 'allowed, done' }
  return CODES[result.error?.code ?? ''] ?? { tone: 'bad', text: 'failed' }
}

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
