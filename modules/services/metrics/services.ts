/** Metrics of services: read from the kernel when they are asked for, but for the times of calls, which are told. */
import type { KernelStatus, ServiceStatus } from '../../contracts/kernel.ts'
import type { SandboxReport } from '../../contracts/sandbox.ts'
import type { Labels, Level, Count, Metrics, Times } from './prometheus.ts'

/** From a tenth of a millisecond, as calls take, to a minute, as models do. */
const SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60]

type Row = readonly [Labels, number]

export interface ServiceMetrics {
  readonly seconds: Times
  read(status: KernelStatus, services: readonly ServiceStatus[], sandboxes: readonly SandboxReport[]): void
}

export function serviceMetrics(metrics: Metrics): ServiceMetrics {
  const by = ['service']
  const counts: [Count, (one: ServiceStatus) => number][] = [
    [metrics.count('mm_calls_total', 'Calls of the service.', by), ({ calls }) => calls],
    [metrics.count('mm_call_errors_total', 'Calls of the service that failed in it.', by), ({ errors }) => errors],
    [metrics.count('mm_reloads_total', 'New versions that took over from one before.', by), ({ reloads }) => reloads],
    [metrics.count('mm_restarts_total', 'New starts after a failure.', by), ({ restarts }) => restarts],
  ]
  const levels: [Level, (one: ServiceStatus) => number][] = [
    [metrics.level('mm_service_live', 'Whether it serves: 1 or 0.', by), ({ state }) => Number(state === 'live')],
    [metrics.level('mm_service_stale', 'Whether what is on disk is not what runs.', by), ({ stale }) => Number(stale)],
    [metrics.level('mm_service_generation', 'The version that serves.', by), ({ generation }) => generation ?? 0],
    [metrics.level('mm_service_generations', 'Versions that run: live or draining.', by), (one) => one.generations],
    [metrics.level('mm_service_tasks', 'Background tasks under way.', by), ({ tasks }) => tasks],
    [metrics.level('mm_calls_in_flight', 'Calls under way.', by), ({ in_flight }) => in_flight],
    [metrics.level('mm_calls_queued', 'Calls that wait for the service to be live.', by), ({ queued }) => queued],
  ]
  const kernel = metrics.level('mm_kernel_info', 'The kernel that runs; always 1.', ['version'])
  const frozen = metrics.level('mm_frozen', 'Whether the system may not change itself: 1 or 0.')
  const configs = metrics.level('mm_config_errors', 'Config files that cannot be used.')
  const isolates = metrics.level('mm_sandboxes', 'Services that run in a sandbox.')
  const processes = metrics.level('mm_sandbox_processes', 'Processes in which sandboxed services run.')
  const info = metrics.level('mm_service_info', 'What it is made from; always 1.', [
    'service',
    'state',
    'source_hash',
    'disk_hash',
    'config_hash',
  ])
  const seconds = metrics.times('mm_call_duration_seconds', 'Time of calls, sampled.', by, SECONDS)
  let known = new Set<string>()
  return {
    seconds,
    read({ version, frozen: scope, config_errors }, services, sandboxes) {
      const rows = (read: (one: ServiceStatus) => number): Row[] =>
        services.map((one) => [{ service: one.api }, read(one)])
      for (const [metric, read] of [...counts, ...levels]) metric.are(rows(read))
      info.are(services.map((one) => [infoOf(one), 1]))
      kernel.are([[{ version }, 1]])
      frozen.are([[{}, Number(scope !== 'none')]])
      configs.are([[{}, config_errors.length]])
      isolates.are([[{}, sandboxes.length]])
      processes.are([[{}, new Set(sandboxes.flatMap(({ pid }) => pid ?? [])).size]])
      const now = new Set(services.map(({ api }) => api))
      for (const service of known) if (!now.has(service)) seconds.forget({ service })
      known = now
    },
  }
}

const infoOf = ({ api, state, source_hash, disk_hash, config_hash }: ServiceStatus): Labels => ({
  service: api,
  state,
  source_hash: source_hash ?? '',
  disk_hash: disk_hash ?? '',
  config_hash: config_hash ?? '',
})
