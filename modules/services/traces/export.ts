/**
 * Sends spans to an OpenTelemetry collector, in batches. The packages are loaded when an endpoint is set, not before.
 * What waits to be sent is held by the service, so a reload loses none; a collector that is down costs a bounded queue,
 * the oldest dropped first.
 */
import type { KernelApi } from '../../contracts/module.ts'
import type { Span } from '../../contracts/traces.ts'
import { reasonOf } from '../../lib/errors.ts'
import type { Redactor } from '../../lib/redact.ts'
import { otelSpan, resourceOf, type OtelResource } from './otel-span.ts'

export interface ExportConfig {
  otlp_endpoint: string
  otlp_headers: Record<string, string>
  otlp_queue_max: number
  otlp_batch_max: number
  otlp_ms: number
}

interface Queue {
  spans: Span[]
  dropped: number
}

type Exporter = InstanceType<typeof import('@opentelemetry/exporter-trace-otlp-http').OTLPTraceExporter>

/** Of `ExportResult`. */
const SUCCESS = 0
const SEND_MS = 10_000

export class Export {
  readonly #kernel: KernelApi
  readonly #config: ExportConfig
  readonly #queue: Queue
  readonly #exporter: Exporter
  readonly #resource: OtelResource
  readonly #secrets: () => Promise<Redactor>
  #failing = false

  private constructor(
    kernel: KernelApi,
    config: ExportConfig,
    queue: Queue,
    exporter: Exporter,
    secrets: () => Promise<Redactor>,
  ) {
    this.#kernel = kernel
    this.#config = config
    this.#queue = queue
    this.#exporter = exporter
    this.#secrets = secrets
    this.#resource = resourceOf({ 'service.name': 'meta-machine', 'service.instance.id': String(process.pid) })
  }

  static async open(kernel: KernelApi, config: ExportConfig, secrets: () => Promise<Redactor>): Promise<Export> {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
    const queue = await kernel.hold(
      'spans to send 1',
      (): Queue => ({ spans: [], dropped: 0 }),
      () => undefined,
    )
    const { otlp_endpoint: url, otlp_headers: headers } = config
    const exporter = new OTLPTraceExporter({ url, headers, timeoutMillis: SEND_MS })
    kernel.own(() => exporter.shutdown(), 'OpenTelemetry exporter')
    const made = new Export(kernel, config, queue, exporter, secrets)
    kernel.every(config.otlp_ms, () => made.send(), 'spans to the collector')
    return made
  }

  add(span: Span): void {
    const { spans } = this.#queue
    spans.push(span)
    if (spans.length > this.#config.otlp_queue_max) {
      spans.shift()
      this.#queue.dropped++
    }
  }

  /** Everything that waits, batch by batch, until one cannot be sent. */
  async send(): Promise<void> {
    const queue = this.#queue
    while (queue.spans.length > 0) {
      const batch = queue.spans.splice(0, this.#config.otlp_batch_max)
      const error = await this.#export(batch)
      if (error !== undefined) {
        queue.spans.unshift(...batch)
        this.#failed(error)
        return
      }
      this.#failing = false
    }
  }

  async #export(batch: readonly Span[]): Promise<unknown> {
    const redactor = await this.#secrets()
    const spans = batch.map(({ error, ...span }) =>
      otelSpan(
        { ...span, error: error === null ? null : { ...error, message: redactor.text(error.message) } },
        this.#resource,
      ),
    )
    return new Promise((resolve) => {
      this.#exporter.export(spans, ({ code, error }) => resolve(code === SUCCESS ? undefined : (error ?? 'refused')))
    })
  }

  #failed(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    const { otlp_endpoint } = this.#config
    this.#kernel.log.warn(`spans cannot be sent to ${new URL(otlp_endpoint).origin}: ${reasonOf(error)}; tried again`)
  }
}
