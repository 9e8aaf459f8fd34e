/**
 * The service `metrics`: what Prometheus reads at /metrics. Counts of services are the kernel's own, read when they are
 * asked for; times of calls are told as they end; all of it is held, so that a reload counts on.
 */
import type { KernelServiceApi, ServiceStatus } from '../../contracts/kernel.ts'
import type { MetricsApi } from '../../contracts/metrics.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { SandboxReport } from '../../contracts/sandbox.ts'
import { coded } from '../../lib/errors.ts'
import { modelMetrics, type ModelMetrics } from './models.ts'
import { processMetrics, type ProcessMetrics } from './process.ts'
import { createMetrics, type Metrics } from './prometheus.ts'
import { serviceMetrics, type ServiceMetrics } from './services.ts'

interface Held {
  metrics: Metrics
  services: ServiceMetrics
  process: ProcessMetrics
  models: ModelMetrics
}

/** Another number where the held objects change their shape, or a metric its name or labels. */
const SHAPE = 'metrics 2'

export class Module implements MetricsApi {
  readonly #kernel: KernelApi
  #held: Held | undefined

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const held = await kernel.hold(SHAPE, hold, ({ process }) => process.end())
    this.#held = held
    kernel.observe({ ended: ({ callee, ms }) => held.services.seconds.add({ service: callee }, ms / 1000) })
    kernel.events.on('model.called', (event) => held.models.take(event))
  }

  async text(): Promise<string> {
    const held = this.#held
    if (held === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    const system = this.#kernel.getApi<KernelServiceApi>('kernel')
    const [status, services] = await Promise.all([system.status(), system.services()])
    held.services.read(status, services, await this.#sandboxes(services))
    held.process.read()
    return held.metrics.text()
  }

  /** One that goes meanwhile has none. */
  async #sandboxes(services: readonly ServiceStatus[]): Promise<SandboxReport[]> {
    const system = this.#kernel.getApi<KernelServiceApi>('kernel')
    const inside = services.filter(({ sandboxed }) => sandboxed)
    const details = await Promise.all(inside.map(({ api }) => system.show(api).catch(() => undefined)))
    return details.flatMap((one) => one?.sandbox ?? [])
  }
}

function hold(): Held {
  const metrics = createMetrics()
  return {
    metrics,
    services: serviceMetrics(metrics),
    process: processMetrics(metrics),
    models: modelMetrics(metrics),
  }
}
