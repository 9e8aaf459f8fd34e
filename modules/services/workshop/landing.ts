/**
 * Files on their way into the running system: written as one batch, watched until the services they belong to have
 * taken or refused them, and put back where they were refused, so that disk and what runs stay the same. Used by the
 * services `config` and `module`.
 */
import type { ErrorData } from '../../contracts/errors.ts'
import type { KernelServiceApi, ReloadResult } from '../../contracts/kernel.ts'
import type { Handle, KernelApi, MachineEvent, Release } from '../../contracts/module.ts'
import type { FileChange, FilesystemApi } from '../../contracts/services.ts'
import type { Landed } from '../../contracts/workshop.ts'
import { coded, reasonOf, toErrorData } from '../../lib/errors.ts'

export interface WorkshopParts {
  kernel: KernelApi
  system: Handle<KernelServiceApi>
  files: Handle<FilesystemApi>
}

export const partsOf = (kernel: KernelApi): WorkshopParts => ({
  kernel,
  system: kernel.getApi<KernelServiceApi>('kernel'),
  files: kernel.getApi<FilesystemApi>('filesystem'),
})

/** What a model changes is a change of the system by itself. */
export async function checkThawed({ system }: WorkshopParts): Promise<void> {
  const { frozen } = await system.status()
  if (frozen !== 'none')
    throw coded('frozen', { reason: 'runtime/FREEZE is there, so the system may not change itself' })
}

/**
 * Writes, asks each service to take it, and takes all back when one refuses. `texts` are the files as they were.
 * Rejects only for what cannot be written; then nothing was.
 */
export async function land(
  parts: WorkshopParts,
  changes: readonly FileChange[],
  texts: readonly (string | null)[],
  take: () => Promise<Landed[]>,
): Promise<{ landed: Landed[]; taken_back: boolean }> {
  const written = await parts.files.write_files([...changes])
  const landed = await take()
  if (!landed.some(({ state }) => state === 'failed')) return { landed, taken_back: false }
  try {
    // Not what somebody else has written meanwhile.
    await parts.files.write_files(
      written.map(({ path, hash }, index) => ({ path, content: texts[index] ?? null, base: hash })),
    )
    return { landed, taken_back: true }
  } catch (thrown) {
    parts.kernel.log.warn(`what was refused stays on disk: ${reasonOf(thrown)}`)
    return { landed, taken_back: false }
  }
}

/** A reload of a service that is there. Never rejects. */
export async function taken({ system }: WorkshopParts, service: string): Promise<Landed> {
  try {
    return landedOf(service, await system.reload(service))
  } catch (thrown) {
    const error = toErrorData(thrown)
    return { service, state: error.code === 'service_stopped' ? 'stopped' : 'failed', generation: null, error }
  }
}

function landedOf(service: string, { ok, deferred, generation, error }: ReloadResult): Landed {
  const state = deferred ? 'deferred' : ok ? 'live' : 'failed'
  return { service, state, generation, ...(error === null ? {} : { error }) }
}

export interface FirstStart {
  /** what it came to, once its files are written */
  outcome(): Promise<Landed>
  /** it is gone again, after its files were taken back */
  gone(): Promise<void>
  stop(): void
}

/** The first start of a service that is not there yet. To be called before its files are written. */
export function firstStart(
  { kernel, system }: WorkshopParts,
  { service, file }: { service: string; file: string },
  ms: number,
): FirstStart {
  const stops: Release[] = []
  const heard = (types: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      const hear = ({ data }: MachineEvent): void => {
        const { file: broken } = (data['error'] ?? {}) as { file?: unknown }
        if (data['api'] === service || broken === file) resolve()
      }
      for (const type of types) stops.push(kernel.events.on(type, hear))
    })
  const told = heard(['service.live', 'service.refused', 'service.waiting', 'service.tripped', 'config.error'])
  const stopped = heard(['service.stopped'])
  return {
    stop: () => stops.forEach((stop) => void stop()),
    outcome: async () => {
      await Promise.race([told, kernel.sleep(ms)])
      return standing(system, service, file)
    },
    gone: async () => {
      const isThere = (await system.services()).some(({ api }) => api === service)
      if (isThere) await Promise.race([stopped, kernel.sleep(ms)])
    },
  }
}

async function standing(system: Handle<KernelServiceApi>, service: string, file: string): Promise<Landed> {
  const failed = (error: ErrorData): Landed => ({ service, state: 'failed', generation: null, error })
  try {
    const { state, generation, last_error, waiting_for } = await system.show(service)
    if (state === 'live') return { service, state, generation }
    if (waiting_for.length > 0) return { service, state: 'waiting', generation: null }
    return failed(last_error ?? toErrorData(coded('service_failed', { api: service, reason: `it is ${state}` })))
  } catch (thrown) {
    // A config that cannot be used makes no service.
    const { config_errors } = await system.status()
    return failed(config_errors.find((error) => error.file === file) ?? toErrorData(thrown))
  }
}
