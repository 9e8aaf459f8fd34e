/**
 * What a version that is tried gets of other services: what they answered when it was recorded, to these arguments or to
 * others; what only reads is really asked; else nothing. Used by the replay, and asked by who tries versions on its own.
 */
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi, UntypedService } from '../../contracts/module.ts'
import type { RecordedAnswer } from '../../contracts/recordings.ts'
import type { TrialCall } from '../../contracts/trial.ts'
import { toErrorData } from '../../lib/errors.ts'
import type { Redactor } from '../../lib/redact.ts'
import { formOf, valueOf } from './form.ts'
import { read, type AnswerRow, type Book } from './store.ts'

export interface AnswerParts {
  kernel: KernelApi
  book: Book
  config: { call_chars_max: number }
  redactor: Redactor
}

type Known = Pick<AnswerRow, 'outcome' | 'message' | 'result'>

/** Methods of the kernel that only tell. */
const KERNEL_READS = new Set(['status', 'services', 'show', 'plan', 'configs', 'tree', 'kernel', 'prompt', 'tools'])

/** The last answer to these very arguments: to this caller, else to anybody. */
export function knownAnswer(
  { book, config, redactor }: AnswerParts,
  caller: string,
  call: TrialCall,
): Known | undefined {
  const { api, aspect, method, args } = call
  const form = formOf(args, [], config.call_chars_max)
  if (form === undefined) return undefined
  const text = redactor.text(form)
  const [known] = read<Known>(
    book.connection,
    `SELECT outcome, message, result FROM (
       SELECT outcome, message, result, at, 0 AS far FROM answers WHERE caller = ? AND api = ? AND aspect = ? AND method = ? AND args = ?
       UNION ALL SELECT outcome, message, result, at, 1 FROM calls WHERE api = ? AND aspect = ? AND method = ? AND args = ?
     ) ORDER BY far, at DESC LIMIT 1`,
    [caller, api, aspect, method, text, api, aspect, method, text],
  )
  return known
}

/** The last good answer this caller got of the method, whatever it asked: of the right shape, and the same for all who ask. */
function answerAlike({ book }: AnswerParts, caller: string, { api, aspect, method }: TrialCall): Known | undefined {
  const [known] = read<Known>(
    book.connection,
    `SELECT outcome, message, result FROM answers WHERE caller = ? AND api = ? AND aspect = ? AND method = ?
     AND outcome = 'ok' ORDER BY at DESC LIMIT 1`,
    [caller, api, aspect, method],
  )
  return known
}

/** Never rejects. */
export async function answerOf(
  parts: AnswerParts,
  caller: string,
  readers: ReadonlySet<string>,
  call: TrialCall,
): Promise<RecordedAnswer> {
  const exact = knownAnswer(parts, caller, call)
  if (exact !== undefined) return told('exact', exact)
  if (isReading(readers, call)) {
    try {
      return { found: 'asked', outcome: 'ok', value: await askReally(parts.kernel, call) }
    } catch (thrown) {
      const { code, message } = toErrorData(thrown)
      return { found: 'asked', outcome: code, value: message }
    }
  }
  const alike = answerAlike(parts, caller, call)
  return alike === undefined ? { found: 'none', outcome: 'replay_unanswered', value: null } : told('alike', alike)
}

const told = (found: RecordedAnswer['found'], { outcome, message, result }: Known): RecordedAnswer => ({
  found,
  outcome,
  value: outcome === 'ok' ? valueOf(result) : message,
})

export const isReading = (readers: ReadonlySet<string>, { api, aspect, method }: TrialCall): boolean =>
  api === 'kernel' && aspect === 'default'
    ? KERNEL_READS.has(method)
    : aspect === 'tool' && readers.has(`${api} ${method}`)

export async function askReally(kernel: KernelApi, { api, aspect, method, args }: TrialCall): Promise<unknown> {
  const handle = kernel.getApi<UntypedService>(api)
  const target = aspect === 'default' ? handle : handle.as<UntypedService>(aspect)
  return target[method]?.(...args)
}

/** `api method` of the tools that only read. */
export async function readOnlyTools(kernel: KernelApi): Promise<Set<string>> {
  const tools = await kernel.getApi<KernelServiceApi>('kernel').tools()
  return new Set(tools.filter(({ read_only }) => read_only === true).map(({ api, method }) => `${api} ${method}`))
}
