/** The state of the whole in one record, as `/health`, `mm status` and the tools show it. Pure but for the clock. */
import type { ErrorData } from '../contracts/errors.ts'
import type { KernelStatus } from '../contracts/kernel.ts'
import type { KernelHealth } from '../contracts/kernel-port.ts'
import type { JsonMap } from '../contracts/seams.ts'
import { callsOf } from './counts.ts'
import type { Machine } from './machine.ts'

export interface KernelFacts {
  version: string
  meta: JsonMap
  /** monotonic ms */
  bornAt: number
  errors: ErrorData[]
}

export function kernelStatus(machine: Machine, { version, meta, bornAt, errors }: KernelFacts): KernelStatus {
  const { clock, metaFile, switchboard } = machine.options
  const services = [...machine.services.values()].sort((a, b) => (a.api < b.api ? -1 : 1))
  const starting = !machine.planned || services.some((one) => one.live === undefined && one.busy)
  const isWell = (one: { state: string; refusal: unknown }): boolean =>
    (one.state === 'live' || one.state === 'switching') && one.refusal === undefined
  const broken = errors.length > 0 || !services.every(isWell)
  return {
    version,
    prog: typeof meta['prog'] === 'string' ? meta['prog'] : 'kernel',
    meta_file: metaFile,
    status: machine.stopping ? 'stopping' : starting ? 'starting' : broken ? 'degraded' : 'ok',
    frozen: switchboard.frozen,
    uptime_s: Math.round((clock.monotonic() - bornAt) / 100) / 10,
    services: Object.fromEntries(
      services.map((one) => [one.api, { state: one.state, generation: one.live?.number ?? null }]),
    ),
    config_errors: errors,
  }
}

/** Counters and the one question whether this kernel does its work. A kernel that stops is well. */
export function kernelHealth(machine: Machine, unattributed: number): KernelHealth {
  let calls = 0
  let failed = 0
  for (const service of machine.services.values()) {
    const generations = [...service.draining, ...(service.live === undefined ? [] : [service.live])]
    calls += service.pastCalls
    failed += service.pastErrors + service.refusedCalls
    for (const one of generations) {
      calls += callsOf(one)
      failed += one.errors
    }
  }
  const reason = machine.planned || machine.stopping ? null : 'it has not looked at its files'
  return { ok: reason === null, reason, unattributed_faults: unattributed, calls, failed_calls: failed }
}
