/**
 * Builds a version of a service beside the one that serves, and never makes it the one. Its code is evaluated under a
 * name of its own, so that it shares no helper with the version that serves; what it is given is `trial-api.ts`. Asked
 * for by `kernel.tryVersion`.
 */
import { isAbsolute, join, normalize } from 'node:path'
import type { VersionSource } from '../contracts/changes.ts'
import type { ModuleInstance } from '../contracts/module.ts'
import type { Evaluated } from '../contracts/seams.ts'
import type { Contract, ServiceRecord } from '../contracts/state.ts'
import type { Trial, TrialRequest } from '../contracts/trial.ts'
import { coded, fromErrorData, reasonOf } from '../lib/errors.ts'
import { aspectOf, readAspect, readContract } from '../lib/module-contract.ts'
import { nearText } from '../lib/near.ts'
import { within } from '../lib/within.ts'
import { readConfig } from './generation.ts'
import { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { trialApi } from './trial-api.ts'

const HASH_CHARS_MIN = 8

export async function tryVersion(machine: Machine, request: TrialRequest): Promise<Trial> {
  const { api, version } = request
  const service = machine.services.get(api)
  if (service?.live === undefined || api === 'kernel')
    throw coded('service_not_found', { api, near: nearText(api, machine.services.keys()) })
  const source = sourceOf(machine, service, version)
  if (source.scan.error !== undefined) throw fromErrorData(source.scan.error)
  const { loader, clock, log, hostOf } = machine.options
  const limits = machine.limitsOf(source.desired)
  // Each trial is code of its own, also when another kernel runs it.
  const number = Math.round(clock.monotonic() * 1_000)
  const owner = { service: `${api} (trial)`, generation: number }
  const isolator = new ModuleIsolator({
    api,
    clock,
    onError: (thrown, label) => log.debug(`trial of ${api}: ${label}: ${reasonOf(thrown)}`),
  })
  const evaluated = await (hostOf?.(source.desired) ?? loader).evaluate(source.scan, owner, limits)
  let instance: ModuleInstance | undefined
  const end = (): Promise<void> => endTrial(machine, limits.shutdown_ms, isolator, evaluated, instance)
  try {
    const { Module, configSchema } = evaluated.exports as { Module?: unknown; configSchema?: unknown }
    if (typeof Module !== 'function') throw coded('no_module_class', { prog: source.desired.prog })
    const given = trialApi(machine, api, number, isolator, request)
    const config = readConfig(machine, source, configSchema)
    instance = new (Module as new (kernel: unknown, config: unknown) => ModuleInstance)(given, config)
    const work = (async () => instance.init?.())()
    await within(clock, limits.init_ms, work, () => coded('init_timeout', { phase: 'init', ms: limits.init_ms }))
    return trialOf(api, source, readContract(instance, api), instance, end)
  } catch (thrown) {
    await end()
    throw thrown
  }
}

function trialOf(
  api: string,
  { scan, desired }: VersionSource,
  contract: Contract,
  instance: ModuleInstance,
  end: () => Promise<void>,
): Trial {
  return {
    source_hash: scan.key,
    config_hash: desired.hash,
    end,
    async call(aspect, method, args) {
      const late = contract.aspects.has(aspect) ? undefined : aspectOf(instance, aspect)
      const known = contract.aspects.get(aspect) ?? (late === undefined ? undefined : readAspect(late))
      const found = known?.methods.get(method)
      if (found === undefined)
        throw coded('method_not_found', { api, method, near: nearText(method, known?.methods.keys() ?? []) })
      if (found.info.kind === 'stream') throw coded('trial_refused', { api, reason: 'streams are not tried' })
      return await found.fn.apply(found.self, [...args])
    },
  }
}

function sourceOf(machine: Machine, service: ServiceRecord, version: string): VersionSource {
  const { loader, root } = machine.options
  const { live, kept, desired, configText, draining } = service
  if (live === undefined) throw coded('service_stopped', { api: service.api })
  const again = (one: VersionSource): VersionSource => ({
    ...one,
    scan: loader.scanTexts(one.scan.entry, one.scan.texts),
  })
  if (version === 'live') return again(live)
  const config = { desired: desired ?? live.desired, configText }
  if (version === 'disk') return { ...config, scan: loader.scan(service.scan?.entry ?? live.scan.entry) }
  if (/[/.]/.test(version)) {
    const path = normalize(version)
    if (isAbsolute(path) || path.startsWith('..')) throw coded('path_outside', { path: version })
    return { ...config, scan: loader.scan(join(root, path)) }
  }
  const known = [live, kept, machine.lastGood.versionFor(service)?.source, ...draining]
  const fits = (one: VersionSource | undefined): one is VersionSource =>
    one !== undefined && version.length >= HASH_CHARS_MIN && one.scan.key.startsWith(version)
  const found = known.find(fits)
  if (found === undefined) throw coded('version_not_kept', { api: service.api, hash: version })
  return again(found)
}

async function endTrial(
  machine: Machine,
  ms: number,
  isolator: ModuleIsolator,
  evaluated: Evaluated,
  instance: ModuleInstance | undefined,
): Promise<void> {
  const late = (): Error => coded('init_timeout', { phase: 'shutdown', ms })
  const work = (async () => instance?.shutdown?.())()
  await within(machine.options.clock, ms, work, late).catch(() => undefined)
  await isolator.end()
  evaluated.release()
}
