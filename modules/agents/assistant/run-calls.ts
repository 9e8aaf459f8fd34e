/**
 * The calls of one message, answered in their order. Those that only read run at the same time; any other waits for those
 * before it, and those after it for it. A bad one is answered with its error and keeps none of the good ones from
 * running. Nothing is left without an answer: what a limit or a cancel overtook says so.
 */
import { fence, printResult, printScanError, type ErrorPart } from '../../bracket/index.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import type { ChatStep } from '../../contracts/services.ts'
import type { ToolResult } from '../../contracts/tool.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import { APPROVAL_INFO, APPROVAL_TOOL } from './approvals.ts'
import { untilAborted } from './until-aborted.ts'

export type Job =
  /** `reads`: it changes nothing */
  | { kind: 'run'; tool: string; params: JsonMap; reads: boolean }
  | { kind: 'ask'; tool: string; params: JsonMap; question: string }
  | { kind: 'refuse'; tool: string; params: JsonMap; error: Error }
  | { kind: 'broken'; part: ErrorPart }

export interface Done {
  /** as the model reads it; null for a question to a person */
  result: string | null
  step: ChatStep | undefined
  /** why it failed */
  error?: { code: string; message: string; hint: string }
}

export interface Running {
  parallel_max: number
  signal: AbortSignal
  monotonic(): number
  invoke(tool: string, params: JsonMap): Promise<ToolResult>
  /** told in the order of the calls */
  onDone(done: Done): void
}

export async function runCalls(jobs: readonly Job[], running: Running): Promise<Done[]> {
  const done: (Done | undefined)[] = jobs.map(() => undefined)
  let told = 0
  const run = async (at: number): Promise<void> => {
    done[at] = await runOne(jobs[at] as Job, running)
    for (let ready = done[told]; ready !== undefined; ready = done[++told]) running.onDone(ready)
  }
  for (let from = 0; from < jobs.length; ) {
    let to = from + 1
    if (isFree(jobs[from])) while (to < jobs.length && isFree(jobs[to])) to++
    let next = from
    const end = to
    const work = async (): Promise<void> => {
      while (next < end) await run(next++)
    }
    await Promise.all(Array.from({ length: Math.min(running.parallel_max, to - from) }, work))
    from = to
  }
  return done as Done[]
}

/** What may run beside others. */
const isFree = (job: Job | undefined): boolean => job?.kind !== 'run' || job.reads

async function runOne(job: Job, { signal, monotonic, invoke }: Running): Promise<Done> {
  switch (job.kind) {
    case 'broken':
      return {
        result: fence('result', printScanError(job.part.error)),
        step: { tool: 'unknown', params: {}, status: 'error', ms: 0 },
        error: toldOf(job.part.error),
      }
    case 'ask':
      return { result: null, step: undefined }
    case 'refuse':
      return failed(job.tool, job.params, job.error, 0)
    case 'run': {
      const { tool, params } = job
      if (signal.aborted) return failed(tool, params, notRun(tool, signal.reason), 0)
      const since = monotonic()
      try {
        const result = await untilAborted(invoke(tool, params), signal)
        return answered(result, params, monotonic() - since)
      } catch (thrown) {
        const error = signal.aborted ? overtaken(tool, signal.reason) : thrown
        return failed(tool, params, error, monotonic() - since)
      }
    }
    default: {
      const never: never = job
      return never
    }
  }
}

const toldOf = ({ code, message, hint }: ErrorPart['error']): NonNullable<Done['error']> => ({ code, message, hint })

function answered(result: ToolResult, params: JsonMap, ms: number): Done {
  return {
    result: fence('result', printResult(result)),
    step: { tool: result.name, params, status: result.status, ms: Math.round(ms) },
    ...(result.status === 'error' ? { error: result.error } : {}),
  }
}

function failed(tool: string, params: JsonMap, thrown: unknown, ms: number): Done {
  const { code, message, hint } = toErrorData(thrown)
  return answered({ name: tool, status: 'error', error: { code, message, hint } }, params, ms)
}

/** One question a message: a person decides one thing at a time. */
export function askJob(params: JsonMap, count: number): Job {
  const { question } = params
  const tool = APPROVAL_TOOL
  const { signature } = APPROVAL_INFO
  const refuse = (reason: string): Job => {
    return { kind: 'refuse', tool, params, error: coded('bad_params', { param: 'question', tool, reason, signature }) }
  }
  if (typeof question !== 'string' || question.trim() === '') return refuse('it must be text')
  if (count > 1) return refuse('a message may hold one question to a person')
  return { kind: 'ask', tool, params, question }
}

const whyOf = (reason: unknown): string => toErrorData(reason).message

export const notRun = (tool: string, reason: unknown): Error => coded('call_not_run', { tool, reason: whyOf(reason) })

export const overtaken = (tool: string, reason: unknown): Error => coded('call_cut', { tool, reason: whyOf(reason) })

/** The answer to a call that never got one. */
export const lost = (tool: string, reason: unknown): string =>
  failed(tool, {}, overtaken(tool, reason), 0).result as string
