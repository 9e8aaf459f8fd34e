/**
 * A service: the stable name that outlives every version of its code. Its record, its one transition table, and the
 * views that `mm show`, HTTP and the tools print.
 */
import type { ServiceDetail, ServiceState, ServiceStatus } from '../contracts/kernel.ts'
import type { CodeOwner } from '../contracts/seams.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { shownPath } from '../lib/shown-path.ts'
import { latencyOf } from './calls.ts'
import { callsOf, openCalls } from './counts.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'

/** From each state, the states that may follow. Anything else is a defect and throws. */
const TRANSITIONS: Record<ServiceState, readonly ServiceState[]> = {
  waiting: ['starting', 'draining', 'stopped', 'failed', 'quarantined'],
  starting: ['live', 'waiting', 'failed', 'quarantined', 'draining', 'stopped'],
  live: ['switching', 'draining', 'tripped', 'quarantined', 'failed'],
  // To `starting`: it had ended for a version that failed, could not be built again, and its last good version starts.
  switching: ['live', 'draining', 'failed', 'quarantined', 'waiting', 'starting'],
  draining: ['stopped', 'starting'],
  stopped: ['starting', 'waiting'],
  failed: ['starting', 'waiting', 'draining', 'stopped', 'tripped', 'quarantined'],
  tripped: ['starting', 'draining', 'stopped'],
  quarantined: ['starting', 'draining', 'stopped'],
}

export function setState(service: ServiceRecord, next: ServiceState): void {
  if (service.state === next) return
  if (!TRANSITIONS[service.state].includes(next)) {
    throw new Error(`${service.api}: no way from ${service.state} to ${next}`)
  }
  service.state = next
}

export const createService = (api: string, lastNumber: number): ServiceRecord => ({
  api,
  desired: undefined,
  state: 'waiting',
  live: undefined,
  candidate: undefined,
  draining: new Set(),
  lastNumber,
  refusedAttempt: undefined,
  deferral: undefined,
  kept: undefined,
  lastGood: undefined,
  goingBack: false,
  supervision: { restarts: [], faults: [], restartAt: undefined, timer: undefined },
  configText: undefined,
  addedLater: false,
  queue: [],
  quietWith: undefined,
  held: new Map(),
  waitingFor: [],
  refusal: undefined,
  lastError: null,
  lastErrorAt: null,
  pastCalls: 0,
  pastErrors: 0,
  refusedCalls: 0,
  reloads: 0,
  scan: undefined,
  dirty: true,
  busy: false,
  reloadWaiters: [],
  graceSince: undefined,
  lastFailedEventAt: Number.NEGATIVE_INFINITY,
})

const sum = (generations: Iterable<GenerationRecord>, read: (one: GenerationRecord) => number): number => {
  let total = 0
  for (const one of generations) total += read(one)
  return total
}

/** The running versions: the live one and those that drain. */
export const running = (service: ServiceRecord): GenerationRecord[] => [
  ...(service.live === undefined ? [] : [service.live]),
  ...service.draining,
]

/** Of all its versions, also those that are gone. */
export const countsOf = (service: ServiceRecord): { calls: number; errors: number } => ({
  calls: service.pastCalls + sum(running(service), callsOf),
  errors: service.pastErrors + sum(running(service), (one) => one.errors),
})

/** What a version is made from, whether it serves, drains or is being built. */
export function versionOf(
  services: ReadonlyMap<string, ServiceRecord>,
  { service: api, generation }: CodeOwner,
): { source_key: string; config_hash: string } | undefined {
  const service = services.get(api)
  if (service === undefined) return undefined
  const found = [service.candidate, ...running(service)].find((one) => one?.number === generation)
  return found && { source_key: found.scan.key, config_hash: found.desired.hash }
}

export function statusOf(machine: Machine, service: ServiceRecord): ServiceStatus {
  const { live, desired, scan, refusal, lastGood } = service
  const { root, clock } = machine.options
  const diskHash = scan?.key ?? live?.scan.key ?? null
  const source = live?.scan.entry ?? scan?.entry
  return {
    api: service.api,
    prog: desired?.prog ?? live?.desired.prog ?? '',
    state: service.state,
    generation: live?.number ?? null,
    config_file: desired?.file ?? live?.desired.file ?? '',
    source_file: source === undefined ? null : shownPath(root, source),
    source_hash: live?.scan.key ?? null,
    config_hash: live?.desired.hash ?? null,
    disk_hash: diskHash,
    disk_config_hash: desired?.hash ?? null,
    stale:
      live !== undefined &&
      (refusal !== undefined || diskHash !== live.scan.key || desired?.hash !== live.desired.hash),
    last_good: live !== undefined && lastGood?.stage === 'serving' ? (lastGood.version?.keptAt ?? null) : null,
    sandboxed: live !== undefined && machine.options.sandboxes?.holds(live.owner) === true,
    ...countsOf(service),
    in_flight: sum(running(service), openCalls),
    queued: service.queue.length,
    generations: running(service).length,
    reloads: service.reloads,
    restarts: service.supervision.restarted ?? 0,
    tasks: live?.isolator.tasks.size ?? 0,
    uptime_s: live?.liveAt === undefined ? 0 : Math.round((clock.monotonic() - live.liveAt) / 100) / 10,
    last_error: refusal ?? service.lastError,
    last_error_at: service.lastErrorAt,
    waiting_for: service.waitingFor,
    needs: [...(live?.needs ?? desired?.needs ?? [])],
    description: desired?.description ?? null,
    domain: desired?.domain ?? null,
  }
}

export function detailOf(machine: Machine, service: ServiceRecord): ServiceDetail {
  const { live } = service
  const now = machine.options.clock.monotonic()
  const held = [...service.held.values()].map((one) => ({
    label: one.key,
    kind: 'held' as const,
    age_ms: Math.round(now - one.since),
  }))
  const contract = live?.contract
  return {
    ...statusOf(machine, service),
    methods: [...(contract?.aspects.get('default')?.methods.values() ?? [])].map((method) => method.info),
    aspects: [...(contract?.aspects.keys() ?? [])],
    tools: (contract?.tools ?? []).map((one) => ({
      name: one.method,
      description: one.description,
      schema: one.schema,
    })),
    latency_ms: latencyOf(live),
    draining: [...service.draining].map((one) => ({ generation: one.number, in_flight: openCalls(one) })),
    owned: [...(live === undefined ? [] : (live.isolator as ModuleIsolator).list()), ...held],
    sandbox: (live && machine.options.sandboxes?.report(live.owner)) ?? null,
  }
}

/** What everything owns, as an indented tree. */
export function treeOf(services: Iterable<ServiceRecord>): string {
  const lines: string[] = []
  for (const service of services) {
    lines.push(`${service.api}  ${service.state}${service.live === undefined ? '' : `  g${service.live.number}`}`)
    for (const record of service.held.values()) lines.push(`  held   ${record.key}`)
    for (const generation of running(service)) {
      const indent = generation === service.live ? '  ' : '    '
      if (indent.length > 2)
        lines.push(`  g${generation.number} ${generation.state}, ${openCalls(generation)} in flight`)
      for (const one of (generation.isolator as ModuleIsolator).list())
        lines.push(`${indent}${one.kind.padEnd(6)} ${one.label}`)
    }
  }
  return lines.join('\n')
}
