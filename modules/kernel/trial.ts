/**
 * Builds a version of a service beside the one that serves, and never makes it the one. Its code is evaluated under a
 * name of its own, so that it shares no helper with the version that serves; what it is given is `trial-api.ts`. Asked
 * for by `kernel.tryVersion`. What runs in a sandbox is tried in one, and so is what is asked to be.
 */
import { isAbsolute, join, normalize } from 'node:path'
import type { VersionSource } from '../contracts/changes.ts'
import type { ErrorData } from '../contracts/errors.ts'
import type { ModuleClass, ModuleInstance } from '../contracts/module.ts'
import type { ModuleHost } from '../contracts/seams.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import type { Trial, TrialRequest } from '../contracts/trial.ts'
import { coded, fromErrorData, reasonOf, toErrorData } from '../lib/errors.ts'
import { readContract } from '../lib/module-contract.ts'
import { nearText } from '../lib/near.ts'
import { inSandbox, sandboxOf } from '../lib/sandbox-config.ts'
import { within } from '../lib/within.ts'
import { readConfig } from './generation.ts'
import { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { trialApi } from './trial-api.ts'
import { endTrial, trialOf, type TrialVersion } from './trial-version.ts'

const HASH_CHARS_MIN = 8
/** Further ones say nothing new. */
const FAULTS_MAX = 50

export async function tryVersion(machine: Machine, request: TrialRequest): Promise<Trial> {
  const { api, version, tasks = false } = request
  const service = machine.services.get(api)
  if (service?.live === undefined || api === 'kernel')
    throw coded('service_not_found', { api, near: nearText(api, machine.services.keys()) })
  const source = changed(machine, sourceOf(machine, service, version), request)
  if (source.scan.error !== undefined) throw fromErrorData(source.scan.error)
  const { clock, log } = machine.options
  const limits = machine.limitsOf(source.desired)
  // Each trial is code of its own, also when another kernel runs it.
  const number = Math.round(clock.monotonic() * 1_000)
  const faults: ErrorData[] = []
  const fault = (thrown: unknown): void => {
    if (faults.length < FAULTS_MAX) faults.push(toErrorData(thrown))
  }
  const isolator = new ModuleIsolator({
    api,
    clock,
    onError: (thrown, label) => {
      fault(thrown)
      log.debug(`trial of ${api}: ${label}: ${reasonOf(thrown)}`)
    },
  })
  const owner = { service: `${api} (trial)`, generation: number }
  const evaluated = await hostOf(machine, source, request, fault).evaluate(source.scan, owner, limits)
  const parts = { machine, api, source, limits, isolator, evaluated, faults }
  let instance: ModuleInstance | undefined
  try {
    const { Module, configSchema } = evaluated.exports as { Module?: ModuleClass; configSchema?: unknown }
    if (typeof Module !== 'function') throw coded('no_module_class', { prog: source.desired.prog })
    const given = trialApi(machine, api, number, isolator, request)
    const config = readConfig(machine, source, configSchema)
    instance = new (Module as new (kernel: unknown, config: unknown) => ModuleInstance)(given, config)
    const built = instance
    const work = (async () => built.init?.())()
    await within(clock, limits.init_ms, work, () => coded('init_timeout', { phase: 'init', ms: limits.init_ms }))
    const made: TrialVersion = { ...parts, instance: built, contract: readContract(built, api), type: Module }
    if (tasks) startTasks(isolator, built)
    return trialOf(made)
  } catch (thrown) {
    await endTrial({ ...parts, instance })
    throw thrown
  }
}

function startTasks(isolator: ModuleIsolator, instance: ModuleInstance): void {
  if (typeof instance.run === 'function') isolator.addBackground('run', (signal) => instance.run?.(signal))
  isolator.startBackground()
}

/** The same version with other texts, or another entry. */
function changed(machine: Machine, source: VersionSource, { texts, entry }: TrialRequest): VersionSource {
  if (texts === undefined && entry === undefined) return source
  const { loader } = machine.options
  // What the version was made from, and over it what is asked for: the rest is as it stands on disk.
  const over = new Map<string, string | null>(source.scan.texts)
  for (const [path, text] of Object.entries(texts ?? {})) over.set(inRoot(machine, path), text)
  return { ...source, scan: loader.scanWith(entry === undefined ? source.scan.entry : inRoot(machine, entry), over) }
}

function hostOf(
  machine: Machine,
  { desired, scan }: VersionSource,
  { sandbox = false, limits = {} }: TrialRequest,
  fault: (thrown: unknown) => void,
): ModuleHost {
  const { hostOf: given, loader, sandboxes } = machine.options
  if (!sandbox && sandboxOf(desired) === undefined) return given?.(desired) ?? loader
  if (sandboxes === undefined) {
    const details = { package: 'isolated-vm', node: process.versions.node, reason: 'this kernel was given none' }
    throw coded('sandbox_unavailable', details)
  }
  // What it imports is bundled as far as it is pure: a trial may try it with what the service imports in this process.
  const packages = sandboxOf(desired) === undefined ? Object.keys(loader.packagesOf(scan)) : []
  return sandboxes.trialHostOf(inSandbox(desired), machine.meta.sandboxPolicy, { packages, limits, fault })
}

function inRoot({ options: { root } }: Machine, given: string): string {
  const path = normalize(given)
  if (isAbsolute(path) || path.startsWith('..')) throw coded('path_outside', { path: given })
  return join(root, path)
}

function sourceOf(machine: Machine, service: ServiceRecord, version: string): VersionSource {
  const { loader } = machine.options
  const { live, kept, desired, configText, draining } = service
  if (live === undefined) throw coded('service_stopped', { api: service.api })
  const again = (one: VersionSource): VersionSource => ({
    ...one,
    scan: loader.scanTexts(one.scan.entry, one.scan.texts),
  })
  if (version === 'live') return again(live)
  const config = { desired: desired ?? live.desired, configText }
  if (version === 'disk') return { ...config, scan: loader.scan(service.scan?.entry ?? live.scan.entry) }
  if (/[/.]/.test(version)) return { ...config, scan: loader.scan(inRoot(machine, version)) }
  const known = [live, kept, machine.lastGood.versionFor(service)?.source, ...draining]
  const fits = (one: VersionSource | undefined): one is VersionSource =>
    one !== undefined && version.length >= HASH_CHARS_MIN && one.scan.key.startsWith(version)
  const found = known.find(fits)
  if (found === undefined) throw coded('version_not_kept', { api: service.api, hash: version })
  return again(found)
}
