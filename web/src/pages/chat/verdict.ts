/** What was decided about a call of a tool, and what became of it, in a few words. Pure. */
import type { Tone } from '../../parts/badge.tsx'
import { hrefOf } from '../../route.ts'
import type { Call } from './thread.ts'

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
