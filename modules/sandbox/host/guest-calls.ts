/**
 * What one guest asks of the system: calls and streams of other services, and prompts. Each is checked against the
 * grants first, and made by the handles its version was given, so that the kernel sees who calls. Nothing in a question
 * is trusted: names that are no methods never reach a handle.
 */
import type { HostAsk } from '../../contracts/sandbox.ts'
import type { CallOptions, Handle, KernelApi } from '../../contracts/module.ts'
import { coded } from '../../lib/errors.ts'
import type { AskedCall } from './grants.ts'

/** Streams of other services a guest may read at once. */
const STREAMS_MAX = 64
const OPTIONS: readonly (keyof CallOptions)[] = ['deadlineMs', 'signal', 'trace', 'detail']

type Question = HostAsk['call']['ask']

export class GuestCalls {
  private readonly kernel: KernelApi
  /** throws `grant_denied` */
  private readonly check: (call: AskedCall) => void
  private readonly streams = new Map<number, AsyncGenerator>()

  constructor(kernel: KernelApi, check: (call: AskedCall) => void) {
    this.kernel = kernel
    this.check = check
  }

  async ask<K extends keyof HostAsk>(kind: K, what: HostAsk[K]['ask']): Promise<HostAsk[K]['answer']>
  async ask(kind: keyof HostAsk, what: unknown): Promise<unknown> {
    switch (kind) {
      case 'call':
        return this.method(what as Question)
      case 'open':
        return this.open(what as HostAsk['open']['ask'])
      case 'next':
        return this.next(what as HostAsk['next']['ask'])
      case 'close':
        return this.close(what as HostAsk['close']['ask'])
      case 'prompt':
        return this.prompt(what as HostAsk['prompt']['ask'])
      default: {
        const never: never = kind
        return never
      }
    }
  }

  /** The guest has ended: nobody reads its streams. */
  end(): void {
    for (const stream of this.streams.values()) void stream.return(undefined).catch(() => undefined)
    this.streams.clear()
  }

  private method(question: Question): unknown {
    const { api, aspect, method, options } = question
    if (![api, aspect, method].every((one) => typeof one === 'string') || !isMethod(method))
      throw coded('method_not_found', { api: String(api), method: String(method) })
    const args = Array.isArray(question.args) ? question.args : []
    this.check({ service: api, aspect, method, args })
    let handle: Handle = this.kernel.getApi(api)
    if (aspect !== 'default') handle = handle.as(aspect)
    if (options !== undefined) handle = handle.with(knownOptions(options))
    return handle[method]?.(...signed(question, args, this.kernel.api))
  }

  private open({ stream, ...question }: HostAsk['open']['ask']): null {
    if (this.streams.size >= STREAMS_MAX)
      throw coded('bad_arguments', { api: this.kernel.api, reason: `it reads ${STREAMS_MAX} streams already` })
    const opened = this.method(question) as AsyncGenerator | undefined
    if (typeof opened?.next !== 'function')
      throw coded('method_not_found', { api: question.api, method: question.method })
    this.streams.set(stream, opened)
    return null
  }

  private async next({ stream }: { stream: number }): Promise<{ done: boolean; value: unknown }> {
    const open = this.streams.get(stream)
    if (open === undefined) return { done: true, value: undefined }
    try {
      const { done = false, value } = await open.next()
      if (done) this.streams.delete(stream)
      return { done, value: value as unknown }
    } catch (thrown) {
      this.streams.delete(stream)
      throw thrown
    }
  }

  private async close({ stream }: { stream: number }): Promise<null> {
    const open = this.streams.get(stream)
    this.streams.delete(stream)
    await open?.return(undefined)
    return null
  }

  private prompt({ path }: { path: string }): { text: string; hash: string } {
    this.check({ service: 'kernel', aspect: 'default', method: 'prompt', args: [path] })
    return this.kernel.prompt(path)
  }
}

const HANDLE_NAMES = new Set(['as', 'with', 'getStats', 'then'])

/** Neither what a handle has of its own, nor what every object has. */
const isMethod = (name: string): boolean =>
  /^[A-Za-z$][\w$]*$/.test(name) && !HANDLE_NAMES.has(name) && !(name in Object.prototype)

const knownOptions = (given: CallOptions): CallOptions =>
  Object.fromEntries(OPTIONS.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]))

/** In which argument the catalogue is told who calls. */
const CALLER_AT: Readonly<Record<string, number | undefined>> = { invoke: 2, invokeAll: 1 }

/** Tools, and their catalogue, are told by an argument who calls: a guest cannot speak for another. */
function signed({ api, aspect, method }: Question, args: readonly unknown[], caller: string): unknown[] {
  const at = aspect === 'tool' ? 1 : api === 'tools' && aspect === 'default' ? CALLER_AT[method] : undefined
  if (at === undefined) return [...args]
  const all = [...args]
  while (all.length < at) all.push(undefined)
  all[at] = { ...(all[at] as object | undefined), caller }
  return all
}
