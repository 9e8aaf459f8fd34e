/** The state of the whole in one record, as `/health`, `mm status` and the tools show it. Pure but for the clock. */
import type { ErrorData } from '../contracts/errors.ts'
import type { KernelStatus } from '../contracts/kernel.ts'
import type { JsonMap } from '../contracts/seams.ts'
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
