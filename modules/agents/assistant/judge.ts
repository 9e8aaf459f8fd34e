/**
 * What becomes of each block of a model's message: run, answered with an error, or left as the text it is. Knows what
 * came from outside into the conversation, and sees to it that the mark stays unknown there. Used by a turn.
 */
import { isCopied, type CallPart, type ErrorPart, type Part } from '../../bracket/index.ts'
import type { ToolInfo } from '../../contracts/tool.ts'
import { coded } from '../../lib/errors.ts'
import { APPROVAL_TOOL } from './approvals.ts'
import { judge, newMark, Outside, type Verdict } from './mark.ts'
import type { Conversation } from './messages.ts'
import { outsideText } from './prompt-text.ts'
import type { Plan } from './provider.ts'
import { askJob, notRun, type Job } from './run-calls.ts'

export class Judge {
  private readonly conversation: Conversation
  private readonly plan: Plan
  private readonly required: boolean
  private readonly outside = new Outside()
  private readonly verdicts = new Map<CallPart, Verdict>()
  /** tools that change nothing */
  private reading: ReadonlySet<string> = new Set()

  constructor(conversation: Conversation, plan: Plan, required: boolean) {
    this.conversation = conversation
    this.plan = plan
    this.required = required
    if (conversation.provider !== plan.provider) {
      // What another provider was told is no secret to it.
      conversation.provider = plan.provider
      conversation.mark = newMark()
    }
    for (const message of conversation.messages) {
      const text = outsideText(message, plan.provider)
      if (text !== undefined) this.outside.add(text)
    }
  }

  /** From outside: if it knows the mark, that is no mark any more. */
  hear(text: string): void {
    this.outside.add(text)
    if (this.outside.holds(this.conversation.mark)) this.conversation.mark = newMark()
  }

  /** The live tools; their descriptions come from outside too. */
  know(listed: readonly ToolInfo[]): void {
    this.reading = new Set(listed.flatMap(({ name, read_only }) => (read_only === true ? [name] : [])))
    const descriptions = listed.map(({ description }) => description).join('\n')
    if (!this.outside.texts.includes(descriptions)) this.outside.add(descriptions)
  }

  /** It is text, not a call and not a mistake: what came from outside, or all of it for a model without tools. */
  isShown(part: CallPart | ErrorPart): boolean {
    if (!this.plan.tools) return true
    return part.kind === 'call' ? this.verdictOf(part).kind === 'quoted' : isCopied(part.source, this.outside.texts)
  }

  /** `over`: why none may be run any more. `onCall` is told of each call, and whether it will be run. */
  jobsOf(parts: readonly Part[], over: unknown, onCall: (part: CallPart, runs: boolean) => void): Job[] {
    let asks = 0
    return parts.flatMap((part): Job[] => {
      if ((part.kind !== 'call' && part.kind !== 'error') || this.isShown(part)) return []
      if (part.kind === 'error') return [{ kind: 'broken', part }]
      const { name: tool, params } = part
      const verdict = this.verdictOf(part)
      onCall(part, verdict.kind === 'run' && over === undefined)
      if (verdict.kind !== 'run') return [{ kind: 'refuse', tool, params, error: coded('call_unmarked', { tool }) }]
      if (over !== undefined) return [{ kind: 'refuse', tool, params, error: notRun(tool, over) }]
      if (tool === APPROVAL_TOOL) return [askJob(verdict.params, ++asks)]
      return [{ kind: 'run', tool, params: verdict.params, reads: this.reading.has(tool) }]
    })
  }

  private verdictOf(part: CallPart): Verdict {
    const known = this.verdicts.get(part)
    if (known !== undefined) return known
    const verdict = judge(part, this.conversation.mark, this.outside, this.required)
    this.verdicts.set(part, verdict)
    return verdict
  }
}
