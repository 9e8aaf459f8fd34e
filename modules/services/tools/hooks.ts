/**
 * The services that are asked before each tool call and told after it (`hooks:`), in their order. What cannot be asked
 * refuses: a hook that is missing, throws, is late or answers something else lets nothing through. Called by
 * `tool-calls.ts`, with copies: no hook shares an object with the call.
 */
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { HookAnswer, ToolCall, ToolHookApi } from '../../contracts/services.ts'
import type { ToolResult } from '../../contracts/tool.ts'
import { coded, codeOf, reasonOf } from '../../lib/errors.ts'

type Params = Record<string, unknown>
const METHODS = ['before_call', 'after_call'] as const

export class Hooks {
  readonly #kernel: KernelApi
  readonly #names: readonly string[]
  readonly #ms: number
  /** what each hook has, until some service switches */
  readonly #methods = new Map<string, Promise<ReadonlySet<string>>>()

  constructor(kernel: KernelApi, names: readonly string[], ms: number) {
    this.#kernel = kernel
    this.#names = names
    this.#ms = ms
  }

  get none(): boolean {
    return this.#names.length === 0
  }

  forget(): void {
    this.#methods.clear()
  }

  /**
   * The parameters as the hooks want them, and who changed them. Rejects with `tool_refused`, `tool_waits` or
   * `tool_hook_failed`.
   */
  async before(call: ToolCall): Promise<{ params: Params; changedBy: string[] }> {
    let { params } = call
    const changedBy: string[] = []
    for (const hook of this.#names) {
      const answer = await this.#ask(hook, { ...call, params })
      const { refuse: reason, approval } = answer
      if (reason !== undefined && approval !== undefined)
        throw coded('tool_waits', { tool: call.name, reason, approval })
      if (reason !== undefined) throw coded('tool_refused', { tool: call.name, hook, reason })
      if (answer.params === undefined) continue
      params = answer.params
      changedBy.push(hook)
    }
    return { params, changedBy }
  }

  /** Never rejects: what goes wrong here is written down and changes nothing. */
  async after(call: ToolCall, result: ToolResult, ms: number): Promise<void> {
    await Promise.all(
      this.#names.map(async (hook) => {
        try {
          if (!(await this.#methodsOf(hook)).has('after_call')) return
          await this.#handle(hook).after_call(structuredClone(call), structuredClone(result), ms)
        } catch (thrown) {
          this.#kernel.log.warn(`the hook ${hook} was not told of a call of ${call.name}: ${reasonOf(thrown)}`, {
            code: codeOf(thrown),
          })
        }
      }),
    )
  }

  async #ask(hook: string, call: ToolCall): Promise<HookAnswer> {
    try {
      if (!(await this.#methodsOf(hook)).has('before_call')) return {}
      return readAnswer(structuredClone(await this.#handle(hook).before_call(structuredClone(call))))
    } catch (thrown) {
      throw coded('tool_hook_failed', { tool: call.name, hook, reason: reasonOf(thrown) }, {}, thrown)
    }
  }

  #handle(hook: string): Handle<Required<ToolHookApi>> {
    return this.#kernel.getApi<Required<ToolHookApi>>(hook).with({ deadlineMs: this.#ms })
  }

  #methodsOf(hook: string): Promise<ReadonlySet<string>> {
    const known = this.#methods.get(hook)
    if (known !== undefined) return known
    const reading = this.#readMethods(hook)
    this.#methods.set(hook, reading)
    reading.catch(() => this.#methods.delete(hook))
    return reading
  }

  async #readMethods(hook: string): Promise<ReadonlySet<string>> {
    const { generation, methods } = await this.#kernel.getApi<KernelServiceApi>('kernel').show(hook)
    // Not live yet: it is called all the same, and answers or fails when it is.
    if (generation === null) return new Set(METHODS)
    const found = METHODS.filter((name) => methods.some((one) => one.name === name))
    if (found.length === 0) throw new TypeError(`it has no method ${METHODS.join(' or ')}`)
    return new Set(found)
  }
}

function readAnswer(answer: unknown): HookAnswer {
  if (answer === undefined || answer === null) return {}
  if (typeof answer !== 'object') throw new TypeError(`before_call returned a ${typeof answer}`)
  const { params, refuse, approval } = answer as { [name in keyof HookAnswer]: unknown }
  if (refuse !== undefined && typeof refuse !== 'string') throw new TypeError('`refuse` must be a reason, as text')
  if (approval !== undefined && typeof approval !== 'string') throw new TypeError('`approval` must be an id, as text')
  if (params !== undefined && Object.prototype.toString.call(params) !== '[object Object]')
    throw new TypeError('`params` must be a map')
  return {
    ...(params === undefined ? {} : { params: params as Params }),
    ...(refuse === undefined ? {} : { refuse }),
    ...(approval === undefined ? {} : { approval }),
  }
}
