/**
 * One tool call from its name to its result: parameters fitted to the schema, hooks asked, the tool run with a deadline
 * and a signal, the result made to fit. Never rejects; what went wrong is the result, in a form a model can act on.
 */
import type { KernelApi, UntypedService } from '../../contracts/module.ts'
import type { InvokeOptions, ToolCall } from '../../contracts/services.ts'
import type { AnsweredBy, ToolInfo, ToolResult } from '../../contracts/tool.ts'
import { coded, codeOf, toErrorData } from '../../lib/errors.ts'
import { checkOperator } from '../../lib/operator.ts'
import type { Catalogue } from './catalogue.ts'
import { fitParams } from './fit-params.ts'
import type { Hooks } from './hooks.ts'
import type { Results } from './results.ts'
import type { Attempt } from '../../lib/retries.ts'

type Params = Record<string, unknown>

export interface CallParts {
  kernel: KernelApi
  catalogue: Catalogue
  hooks: Hooks
  results: Results
  deadlineMs: number
}

/** What is known of a call so far, for the result it ends with. */
interface Course {
  /** the tool was called */
  ran: boolean
  /** of the result */
  bytes: number
  warnings: string[]
  /** as the hooks were asked */
  asked: ToolCall | undefined
  answeredBy: AnsweredBy | undefined
}

const PROBLEMS_TOLD = 5

export async function callTool(
  parts: CallParts,
  name: string,
  params: Params,
  options: InvokeOptions,
): Promise<Attempt<ToolResult>> {
  const { clock, events } = parts.kernel
  const started = clock.monotonic()
  const course: Course = { ran: false, bytes: 0, warnings: [], asked: undefined, answeredBy: undefined }
  const outcome = withWarnings(await attempt(parts, name, params, options, course), course.warnings)
  const { answeredBy } = course
  const result = options.detail === true && answeredBy !== undefined ? { ...outcome, answered_by: answeredBy } : outcome
  const ms = Math.round(clock.monotonic() - started)
  const { status } = result
  const caller = callerOf(parts, options)
  events.emit('tool.called', {
    tool: result.name,
    caller,
    status,
    ms,
    ...answeredBy,
    ...(status === 'error' ? { code: result.error.code } : {}),
  })
  if (course.asked !== undefined) await parts.hooks.after(course.asked, result, ms)
  return { result, ran: course.ran, bytes: course.bytes }
}

const withWarnings = (result: ToolResult, warnings: string[]): ToolResult =>
  warnings.length === 0 ? result : { ...result, warnings }

const callerOf = ({ kernel }: CallParts, options: InvokeOptions): string => options.caller ?? kernel.api

async function attempt(
  parts: CallParts,
  name: string,
  params: Params,
  options: InvokeOptions,
  course: Course,
): Promise<ToolResult> {
  try {
    const info = await parts.catalogue.find(name)
    try {
      return await callAs(parts, info, params, options, course)
    } catch (thrown) {
      if (!isRefusedBySchema(thrown, name)) throw thrown
      const now = await parts.catalogue.find(name)
      if (now.schema === info.schema) throw thrown
      // It switched on the way, before the tool ran: once more, by its new schema.
      course.warnings.length = 0
      return await callAs(parts, now, params, options, course)
    }
  } catch (thrown) {
    const { code, message, hint } = toErrorData(thrown)
    return { name: String(name), status: 'error', error: { code, message, hint } }
  }
}

async function callAs(
  parts: CallParts,
  info: ToolInfo,
  params: Params,
  options: InvokeOptions,
  course: Course,
): Promise<ToolResult> {
  const { name } = info
  const final = await askHooks(parts, info, fitTo(info, params, course), options, course)
  const value = await run(parts, info, final, options, course)
  // A part fits already: cut again it would never end.
  if (info.api === parts.kernel.api && info.method === 'continue') return { name, status: 'success', value }
  const { bytes, ...shaped } = parts.results.shape(info, value, options.result_bytes_max)
  course.bytes = bytes
  return { name, status: 'success', ...shaped }
}

function isRefusedBySchema(thrown: unknown, tool: string): boolean {
  const { details } = (thrown ?? {}) as { details?: { tool?: unknown } }
  return codeOf(thrown) === 'bad_params' && details?.tool === tool
}

function fitTo({ name, schema, signature }: ToolInfo, given: Params, course: Course): Params {
  const { params, warnings, problems } = fitParams(schema, given)
  const [first, ...others] = problems.slice(0, PROBLEMS_TOLD)
  if (first !== undefined) {
    const more = others.map(({ param, reason }) => `; also \`${param}\`: ${reason}`).join('')
    throw coded('bad_params', { tool: name, param: first.param, reason: first.reason + more, signature })
  }
  course.warnings.push(...warnings)
  return params
}

async function askHooks(
  { hooks, ...parts }: CallParts,
  { name, read_only }: ToolInfo,
  params: Params,
  options: InvokeOptions,
  course: Course,
): Promise<Params> {
  if (hooks.none) return params
  const { trace, id, operator, permit } = options
  // A name of a caller proves nothing; the token does.
  if (operator !== undefined) checkOperator(parts.kernel.paths.runtime, operator, 'call as a person')
  const origin = operator === undefined ? 'self' : 'human'
  const call: ToolCall = { name, params, caller: callerOf({ hooks, ...parts }, options), origin }
  if (read_only === true) call.read_only = true
  if (permit !== undefined) call.permit = permit
  if (trace !== undefined) call.trace = trace
  if (id !== undefined) call.id = id
  course.asked = call
  const { params: final, changedBy } = await hooks.before(call)
  course.asked = { ...call, params: final }
  course.warnings.push(...changedBy.map((hook) => `the parameters were changed by ${hook}`))
  return final
}

async function run(
  parts: CallParts,
  info: ToolInfo,
  params: Params,
  options: InvokeOptions,
  course: Course,
): Promise<unknown> {
  const { signal, trace } = options
  const handle = parts.kernel.getApi<UntypedService>(info.api).as<UntypedService>('tool')
  const call = handle.with({
    detail: true,
    deadlineMs: options.deadline_ms ?? info.deadline_ms ?? parts.deadlineMs,
    ...(signal === undefined ? {} : { signal }),
    ...(trace === undefined ? {} : { trace }),
  })
  // Whatever ends the wait before the tool has ended tells it so.
  const given = new AbortController()
  course.ran = true
  try {
    const told = { caller: callerOf(parts, options), signal: given.signal }
    const answer = await call[info.method]?.(params, told)
    if (answer === undefined) return undefined
    const { result, generation, sourceHash, configHash } = answer
    course.answeredBy = { generation, source_hash: sourceHash, config_hash: configHash }
    return result
  } catch (thrown) {
    given.abort(thrown)
    throw thrown
  }
}
