/**
 * One version of a service, from its source to its end. `prepare` builds it beside the one that serves and touches
 * nothing else; `end` gives back everything it acquired. Neither throws: the outcome is data, and a candidate that
 * failed, waits or was overtaken has been ended when `prepare` returns.
 */
import type { ErrorCode, ErrorData } from '../contracts/errors.ts'
import type { ModuleClass, ModuleInstance } from '../contracts/module.ts'
import type { FileSystem, Scan } from '../contracts/seams.ts'
import type { VersionSource } from '../contracts/changes.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { coded, codeOf, reasonOf, toErrorData } from '../lib/errors.ts'
import { shownPath } from '../lib/shown-path.ts'
import { within } from '../lib/within.ts'
import { isRefusedWrite } from '../lib/write-failure.ts'
import { checkSchema, checkSecrets, fillValues, placeValueError, secretPath } from '../lib/config-values.ts'
import { secretsIn } from '../lib/secret-values.ts'
import { readContract } from '../lib/module-contract.ts'
import { entangled } from './admission.ts'
import { createCaller, stopCaller } from './handle.ts'
import { leaveHeld } from './hold.ts'
import { ModuleIsolator } from './isolator.ts'
import { createKernelApi } from './kernel-api.ts'
import type { Machine } from './machine.ts'
import { hostFor } from './module-host.ts'

export type Prepared =
  | { kind: 'ready' }
  | { kind: 'waiting'; for: string[] }
  /** its init() needs what is replaced together with it: each has to go by itself */
  | { kind: 'entangled'; error: ErrorData }
  /** `asked`: the services it has handles to; `disk`: a disk that refused it something may not do so later */
  | { kind: 'failed'; error: ErrorData; asked: string[]; disk: boolean }
  | { kind: 'abandoned' }

export function createGeneration(
  machine: Machine,
  service: ServiceRecord,
  { desired, scan, configText }: VersionSource,
): GenerationRecord {
  const { clock } = machine.options
  // Taken for good at the switch: what never served does not use up a number.
  const number = service.lastNumber + 1
  const caller = createCaller(service.api, number)
  const generation: GenerationRecord = {
    owner: { service: service.api, generation: number },
    api: service.api,
    number,
    desired,
    scan,
    configText,
    mode: 'overlap',
    stateVersion: '1',
    caller,
    admission: undefined as never,
    state: 'starting',
    evaluated: undefined,
    kernelApi: undefined,
    instance: undefined,
    needs: desired.needs,
    contract: undefined,
    isolator: new ModuleIsolator({
      api: service.api,
      clock,
      onError: (thrown, label, what) => machine.faults.workFailed(generation, thrown, label, what),
    }),
    edges: new Set(),
    calls: 0,
    errors: 0,
    inFlight: 0,
    onIdle: undefined,
    drainUntil: undefined,
    latencies: [],
    latencyNext: 0,
    startedAt: clock.monotonic(),
    liveAt: undefined,
    versionSince: undefined,
    abandoned: false,
    onAbandon: undefined,
  }
  return Object.assign(generation, { admission: { generation } })
}

/** A newer version is wanted: the candidate's waits end, and what it acquired is given back. */
export function abandon(generation: GenerationRecord): void {
  generation.abandoned = true
  generation.onAbandon?.()
}

/** `beforeConstruct` runs when the class and its mode are known and its needs are live. It may throw: a failure. */
export async function prepare(
  machine: Machine,
  service: ServiceRecord,
  generation: GenerationRecord,
  beforeConstruct: () => Promise<void> = () => Promise.resolve(),
): Promise<Prepared> {
  const starting = { missing: new Set<string>(), waitsFor: new Set<string>(), together: new Set<string>() }
  generation.caller.starting = starting
  const abandoned = new Promise<'abandoned'>((resolve) => {
    generation.onAbandon = () => resolve('abandoned')
  })
  const building = build(machine, generation, beforeConstruct)
  let outcome: Prepared
  try {
    const first = await Promise.race([building, abandoned])
    outcome = first === 'abandoned' ? { kind: 'abandoned' } : first
  } catch (thrown) {
    outcome = whyNot(machine, generation, thrown, starting)
  }
  generation.caller.starting = undefined
  generation.onAbandon = undefined
  if (outcome.kind === 'ready') {
    generation.state = 'ready'
    return outcome
  }
  // A build that is still under way ends in its own time; what it acquires after this is released at once.
  building.catch(() => undefined)
  await end(machine, service, generation, { shutdown: false })
  generation.state = 'failed'
  return outcome
}

function whyNot(
  machine: Machine,
  generation: GenerationRecord,
  thrown: unknown,
  { missing, together }: { missing: Set<string>; together: Set<string> },
): Prepared {
  const error = toErrorData(thrown)
  if (codeOf(thrown) === 'init_threw') {
    if (missing.size > 0) return { kind: 'waiting', for: [...missing] }
    const [first] = together
    if (first !== undefined) return { kind: 'entangled', error: toErrorData(entangled(generation.api, first)) }
  }
  return {
    kind: 'failed',
    asked: [...generation.caller.handles.keys()].map((key) => key.split(' ')[0] as string),
    // What could not be scanned is scanned again anyway.
    disk: isRefusedWrite(thrown) || (error.code === 'file_failed' && generation.scan.error === undefined),
    error: error.file === undefined ? error : { ...error, file: shownPath(machine.options.root, error.file) },
  }
}

async function build(
  machine: Machine,
  generation: GenerationRecord,
  beforeConstruct: () => Promise<void>,
): Promise<Prepared> {
  const { pulse } = machine.options
  const { desired, scan } = generation
  const limits = machine.limitsOf(desired)
  pulse?.building(generation.owner)
  const evaluated = await hostFor(machine, desired, scan.entry).evaluate(scan, generation.owner, limits)
  generation.evaluated = evaluated
  if (generation.abandoned) {
    evaluated.release()
    return { kind: 'abandoned' }
  }
  const { Module, configSchema } = evaluated.exports as { Module?: unknown; configSchema?: unknown }
  if (typeof Module !== 'function') throw coded('no_module_class', { prog: desired.prog }, { file: scan.entry })
  readClass(generation, Module as unknown as ModuleClass)
  const absent = machine.notLive(generation.needs)
  if (absent.length > 0) return { kind: 'waiting', for: absent }
  const config = readConfig(machine, generation, configSchema)
  await beforeConstruct()
  if (generation.abandoned) return { kind: 'abandoned' }
  generation.kernelApi = createKernelApi(machine, generation)
  pulse?.building(generation.owner)
  let instance: ModuleInstance
  try {
    instance = new (Module as new (kernel: unknown, config: unknown) => ModuleInstance)(generation.kernelApi, config)
  } catch (thrown) {
    throw explained(machine, 'constructor_threw', thrown, scan)
  }
  generation.instance = instance
  if (typeof instance.init === 'function') await phase(machine, generation, 'init', limits.init_ms)
  if (generation.abandoned) return { kind: 'abandoned' }
  if (typeof instance.selfTest === 'function') await phase(machine, generation, 'selfTest', limits.self_test_ms)
  try {
    generation.contract = readContract(instance, generation.api)
  } catch (thrown) {
    throw Object.assign(thrown as object, { file: scan.entry })
  }
  return { kind: 'ready' }
}

/** What the class says about its versions, with the config's word before it. */
function readClass(generation: GenerationRecord, type: ModuleClass): void {
  const { desired } = generation
  if (Array.isArray(type.needs)) generation.needs = [...new Set([...desired.needs, ...(type.needs as string[])])]
  if (typeof type.version === 'string') generation.stateVersion = type.version
  if (typeof type.drain_ms === 'number' && type.drain_ms >= 0) generation.drainMs = type.drain_ms
  const handsOver = typeof (type as { prototype?: ModuleInstance }).prototype?.handOver === 'function'
  const declared = desired.reload ?? type.reload ?? (handsOver ? 'quiesce' : 'overlap')
  generation.mode = type.exclusive === true ? 'exclusive' : declared
}

async function phase(
  machine: Machine,
  generation: GenerationRecord,
  name: 'init' | 'selfTest',
  ms: number,
): Promise<void> {
  const { instance, scan } = generation
  const failed: ErrorCode = name === 'init' ? 'init_threw' : 'self_test_failed'
  const late = (): Error => coded('init_timeout', { phase: name, ms }, { file: scan.entry })
  machine.options.pulse?.building(generation.owner)
  const work = (async () => instance?.[name]?.())()
  try {
    await within(machine.options.clock, ms, work, late)
  } catch (thrown) {
    if (codeOf(thrown) === 'init_timeout') throw thrown
    throw explained(machine, failed, thrown, scan)
  }
}

/** The module's own error inside one of ours: its code (when it has one of the table) and its place are kept. */
function explained(machine: Machine, code: ErrorCode, thrown: unknown, scan: Scan): unknown {
  const inner = toErrorData(thrown)
  const place = machine.options.loader.placeOf(thrown) ?? { file: inner.file ?? scan.entry }
  const prefix = inner.code === 'callee_error' ? '' : `${inner.code}: `
  return coded(code, { reason: `${prefix}${reasonOf(thrown)}` }, place, thrown)
}

/** The config a version gets, checked. `configText` is the file as it was read, to point at a mistake in it. */
export function readConfig(
  machine: Machine,
  { desired, configText: text }: Pick<VersionSource, 'desired' | 'configText'>,
  schema: unknown,
): unknown {
  const { root, fs } = machine.options
  let values: ReturnType<typeof fillValues>
  try {
    checkSecrets(schema, desired.params)
    values = fillValues(desired.params, {
      env: (name) => process.env[name],
      secret: (name) => readSecret(fs, root, name),
    })
    for (const one of secretsIn(desired.params, values)) machine.options.switchboard.secrets.add(one)
  } catch (thrown) {
    throw placeValueError(thrown, desired, text)
  }
  return checkSchema(schema, values, desired, text)
}

function readSecret(fs: FileSystem, root: string, name: string): { text: string; mode: number } | undefined {
  const path = secretPath(root, name)
  try {
    const text = fs.read(path)
    return text === undefined ? undefined : { text, mode: fs.stat(path)?.mode ?? 0 }
  } catch (thrown) {
    const file = shownPath(root, path)
    throw coded('file_failed', { path: file, reason: reasonOf(thrown) }, { file }, thrown)
  }
}

const endings = new WeakMap<GenerationRecord, Promise<void>>()

/**
 * Ends a generation for good; who comes second waits for the same end. Never rejects: what goes wrong is recorded, and
 * the rest is released all the same.
 */
export function end(
  machine: Machine,
  service: ServiceRecord,
  generation: GenerationRecord,
  options: { shutdown: boolean },
): Promise<void> {
  if (generation.state === 'stopped') return endings.get(generation) ?? Promise.resolve()
  const ending = endOnce(machine, service, generation, options)
  endings.set(generation, ending)
  return ending
}

async function endOnce(
  machine: Machine,
  service: ServiceRecord,
  generation: GenerationRecord,
  options: { shutdown: boolean },
): Promise<void> {
  generation.state = 'stopped'
  const { instance, isolator } = generation
  const limits = machine.limitsOf(generation.desired)
  ;(isolator as ModuleIsolator).abortTasks()
  if (options.shutdown && typeof instance?.shutdown === 'function') {
    try {
      const work = (async () => instance.shutdown?.())()
      const late = (): Error =>
        coded('init_timeout', { phase: 'shutdown', ms: limits.shutdown_ms }, { file: generation.scan.entry })
      await within(machine.options.clock, limits.shutdown_ms, work, late)
    } catch (thrown) {
      machine.faults.noteError(service, thrown, generation)
    }
  }
  await (isolator as ModuleIsolator).end()
  stopCaller(generation.caller)
  await leaveHeld(machine, service, generation)
  generation.evaluated?.release()
  generation.instance = undefined
  generation.contract = undefined
}
