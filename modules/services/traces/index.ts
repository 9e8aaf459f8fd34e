/**
 * The service `traces`: every call that belongs to a trace, kept in memory and, where an endpoint is set, sent on as
 * OpenTelemetry. A trace holds its entry, the first hop and the loop of tools; with `full` on, every call that follows.
 */
import { z } from 'zod'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { CallContext } from '../../contracts/observe.ts'
import type { Span, Trace, TracesApi, TraceSummary } from '../../contracts/traces.ts'
import { coded } from '../../lib/errors.ts'
import { Redactor } from '../../lib/redact.ts'
import { secretValues } from '../../lib/secret-values.ts'
import { Export } from './export.ts'
import { fullTracing, type FullTracing } from './full.ts'
import { spanOf } from './span.ts'
import { dropOld, findTrace, keepSpan, newBook, summaryOf, treeOf, type TraceBook } from './store.ts'

const count = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().positive().default(value)

export const configSchema = z.object({
  /** follow every call through all that it does: costs every await of the process */
  full: z.boolean().default(false).meta({ volatile: true }),
  traces_max: count(2_000),
  /** of one trace */
  spans_max: count(1_000),
  bytes_max: count(16_777_216),
  /** where spans go as OpenTelemetry over HTTP, as `http://127.0.0.1:4318/v1/traces`; without it nothing is sent */
  otlp_endpoint: z.string().url().optional(),
  /** headers of each request, as `{authorization: "secret:otlp"}` */
  otlp_headers: z.record(z.string(), z.string()).default({}),
  otlp_queue_max: count(10_000),
  otlp_batch_max: count(512),
  otlp_ms: count(2_000),
})

export type Config = z.infer<typeof configSchema>

const LISTED_MAX = 1_000
const SECRETS_MS = 1_000

export class Module implements TracesApi {
  readonly #kernel: KernelApi
  #config: Config
  #book: TraceBook = newBook()
  #full: FullTracing | undefined
  #export: Export | undefined
  #redactor: { made: Promise<Redactor>; at: number } | undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    this.#book = await kernel.hold('traces 1', newBook, () => undefined)
    this.#full = await kernel.hold('full tracing 1', fullTracing, (full) => full.end())
    dropOld(this.#book, this.#config)
    const { otlp_endpoint: endpoint } = this.#config
    if (endpoint !== undefined) {
      this.#export = await Export.open(kernel, { ...this.#config, otlp_endpoint: endpoint }, () => this.#secrets())
    }
    kernel.observe({
      ended: (call) => {
        const span = spanOf(call)
        if (span !== undefined) this.#keep(span)
      },
      around: () => this.#around(),
    })
    kernel.events.on('service.live', ({ data }) => {
      if (data['api'] === kernel.api && data['generation'] === kernel.generation && !this.#config.full)
        this.#full?.end()
    })
  }

  #around(): CallContext | undefined {
    return this.#config.full ? this.#full : undefined
  }

  #keep(span: Span): void {
    keepSpan(this.#book, span, this.#config)
    this.#export?.add(span)
  }

  configure(next: Config): void {
    this.#config = next
    if (!next.full) this.#full?.end()
  }

  async list({ limit = 50, service, errors }: { limit?: number; service?: string; errors?: boolean } = {}): Promise<{
    traces: TraceSummary[]
    total: number
  }> {
    if (!Number.isInteger(limit) || limit < 1 || limit > LISTED_MAX)
      throw coded('bad_arguments', { reason: `\`limit\` is a whole number from 1 to ${LISTED_MAX}` })
    const fits = ({ spans }: { spans: Span[] }): boolean =>
      spans.length > 0 &&
      (service === undefined || spans.some((one) => one.callee === service || one.caller === service)) &&
      (errors !== true || spans.some((one) => one.outcome === 'error'))
    const found = [...this.#book.traces].filter(([, record]) => fits(record)).reverse()
    return { traces: found.slice(0, limit).map(([id, record]) => summaryOf(id, record)), total: found.length }
  }

  /** Secrets are taken out on the way to whoever asks: by then it is known what they are. */
  async show(id: string): Promise<Trace> {
    if (typeof id !== 'string') throw coded('bad_arguments', { reason: 'show() takes the id of a trace' })
    const trace = treeOf(...findTrace(this.#book, id))
    const redactor = await this.#secrets()
    const tree = trace.tree.map((span) => ({ ...span, error: cleaned(span.error, redactor) }))
    return { ...trace, tree }
  }

  #secrets(): Promise<Redactor> {
    const now = this.#kernel.clock.monotonic()
    if (this.#redactor === undefined || now - this.#redactor.at > SECRETS_MS) {
      const { runtime } = this.#kernel.paths
      const system = this.#kernel.getApi<KernelServiceApi>('kernel')
      const made = system.configs().then((configs) => new Redactor(secretValues(configs, runtime, process.env)))
      this.#redactor = { made, at: now }
    }
    return this.#redactor.made
  }
}

export const cleaned = (error: Span['error'], redactor: Redactor): Span['error'] =>
  error === null ? null : { code: error.code, message: redactor.text(error.message) }
