/**
 * What a change would touch, before it happens: which services, how their calls and their state meet the new version,
 * who calls them now. Without files it tells what stands on disk and does not run. Reads only; the same parts decide
 * here as in a real change (`resolveConfigs`, `readConfig`, the volatile keys).
 */
import { basename, dirname, isAbsolute, join, normalize } from 'node:path'
import type { ErrorData } from '../contracts/errors.ts'
import type { PlannedChange, ProposedFile } from '../contracts/kernel.ts'
import type { DesiredService, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { coded, describeError } from '../lib/errors.ts'
import { shortHash } from '../lib/hash.ts'
import { shownPath } from '../lib/shown-path.ts'
import { parseVersionName } from '../lib/version-name.ts'
import { changedFiles, isAtRest } from './active.ts'
import type { ConfigText, DesiredState } from './configs.ts'
import { changedKeys, isVolatileOnly } from './configure.ts'
import { openCalls } from './counts.ts'
import { readConfig } from './generation.ts'
import type { Machine } from './machine.ts'
import type { WantedReader } from './wanted.ts'

export function planChanges(machine: Machine, wanted: WantedReader, files?: readonly ProposedFile[]): PlannedChange[] {
  const changes = files === undefined ? planDisk(machine, wanted) : planFiles(machine, wanted, files)
  return changes.sort((a, b) => (a.api < b.api ? -1 : 1))
}

function planDisk(machine: Machine, wanted: WantedReader): PlannedChange[] {
  const targets = wanted.desired.services
  const textOf: TextOf = (file) => wanted.tree.textOf(file.slice('configs/'.length))
  // A file that does not parse hides what it imports: that is not changed.
  const differs = (service: ServiceRecord, path: string): boolean =>
    machine.readFile(path)?.hash !== service.live?.scan.files.get(path)
  return services(machine)
    .filter((service) => !isAtRest(service, targets.get(service.api)))
    .flatMap((service) => {
      const target = targets.get(service.api)
      const { scan } = service
      const sources =
        scan === undefined ? [] : [...changedFiles(service, scan)].filter((path) => differs(service, path))
      const error = service.refusal ?? scan?.error ?? null
      const change = changeOf(machine, textOf, service, target, sources, error)
      return change.change === 'none' && error === null ? [] : [change]
    })
}

function planFiles(machine: Machine, wanted: WantedReader, files: readonly ProposedFile[]): PlannedChange[] {
  const { configs, configFiles, sources: sourceFiles } = placed(machine, files)
  const sources = new Set(sourceFiles.map((file) => file.absolute))
  const overlay = overlayOf(configs, configFiles)
  const textOf: TextOf = (file) => {
    const path = file.slice('configs/'.length)
    return overlay.get(path) ?? wanted.tree.textOf(path)
  }
  const next = wanted.resolve(withOverlay(wanted.tree.all(), overlay))
  const named = new Set(configFiles.map((file) => shownPath(machine.options.root, file.absolute)))
  const changes: PlannedChange[] = []
  for (const service of services(machine)) {
    const before = wanted.desired.services.get(service.api)
    const target = next.services.get(service.api)
    const touched = [...sources].filter(
      (path) => service.scan?.files.has(path) === true || service.scan?.missing.includes(path) === true,
    )
    const isNamed =
      before !== undefined && named.has(before.file) && configFiles.some((file) => file.text === undefined)
    const error = brokenOf(next, service.desired ?? service.live?.desired)
    if (touched.length === 0 && !isNamed && before?.hash === target?.hash && error === null) continue
    if (error !== null && !named.has(error.file ?? '')) continue
    changes.push(changeOf(machine, textOf, service, error === null ? target : before, touched, error, isNamed))
  }
  for (const [api, target] of next.services) {
    if (!machine.services.has(api)) changes.push(startOf(machine, textOf, target))
  }
  changes.push(...refusedFiles(wanted.desired.errors, next.errors, changes))
  for (const change of changes) {
    const together = changes.filter(
      (other) => other !== change && other.files.some((file) => change.files.includes(file)),
    )
    change.together_with = together.map((other) => other.api).sort()
  }
  return changes
}

interface PlacedFile extends ProposedFile {
  absolute: string
}

/** What is proposed, by where it belongs. Throws `path_outside`. */
export function placed(
  machine: Machine,
  files: readonly ProposedFile[],
): { configs: string; configFiles: PlacedFile[]; sources: PlacedFile[] } {
  const paths = files.map((file) => ({ ...file, absolute: absoluteOf(machine, file.path) }))
  const configs = join(machine.options.root, 'configs')
  const configFiles = paths.filter((file) => file.absolute.startsWith(`${configs}/`))
  return { configs, configFiles, sources: paths.filter((file) => !configFiles.includes(file)) }
}

const overlayOf = (configs: string, files: readonly PlacedFile[]): Map<string, string | null | undefined> =>
  new Map(files.map((file) => [file.absolute.slice(configs.length + 1), file.text]))

/** What would be wanted then. */
export function wantedThen(machine: Machine, wanted: WantedReader, files: readonly ProposedFile[]): DesiredState {
  const { configs, configFiles } = placed(machine, files)
  return wanted.resolve(withOverlay(wanted.tree.all(), overlayOf(configs, configFiles)))
}

/** A config that would start nothing, since it cannot be used, stands for no service yet: it is told by its name. */
function refusedFiles(
  before: readonly ErrorData[],
  after: readonly ErrorData[],
  changes: readonly PlannedChange[],
): PlannedChange[] {
  const known = new Set([...before, ...changes.flatMap(({ error }) => error ?? [])].map(describeError))
  return after
    .filter((error) => !known.has(describeError(error)))
    .map((error) => ({ ...untouched(nameOf(error.file ?? '')), error }))
}

/** What a config's api is by default. */
function nameOf(file: string): string {
  const name = parseVersionName(basename(file))
  const base = typeof name === 'object' ? name.name : basename(file)
  return join(dirname(file), base).replace(/^configs\//, '')
}

const services = (machine: Machine): ServiceRecord[] =>
  [...machine.services.values()].filter((service) => service.api !== 'kernel')

function absoluteOf(machine: Machine, path: string): string {
  const inside = normalize(path)
  if (isAbsolute(inside) || inside.startsWith('..')) throw coded('path_outside', { path })
  return join(machine.options.root, inside)
}

/** `undefined` as text: the file as it stands. */
function withOverlay(
  files: readonly ConfigText[],
  overlay: ReadonlyMap<string, string | null | undefined>,
): ConfigText[] {
  const kept = files.filter((file) => overlay.get(file.path) === undefined)
  const proposed = [...overlay].flatMap(([path, text]) =>
    typeof text === 'string' ? [{ path, text, hash: shortHash(text) }] : [],
  )
  return [...kept, ...proposed]
}

function brokenOf(state: DesiredState, desired: DesiredService | undefined): ErrorData | null {
  if (desired === undefined) return null
  return state.contested.get(desired.api) ?? state.broken.get(desired.base) ?? null
}

/** Where the text of a config file comes from: the disk, or what is proposed for it. */
type TextOf = (file: string) => string | undefined

function changeOf(
  machine: Machine,
  textOf: TextOf,
  service: ServiceRecord,
  target: DesiredService | undefined,
  sources: readonly string[],
  error: ErrorData | null,
  /** its config is taken as changed in some way */
  isNamed = false,
): PlannedChange {
  const { live, api } = service
  const keys = live === undefined || target === undefined ? [] : changedKeys(live.desired.params, target.params)
  const kind = kindOf(service, target, sources)
  const change = kind === 'none' && isNamed ? 'reload' : kind
  return {
    api,
    change,
    generation: live?.number ?? null,
    files: [...sources].map((path) => shownPath(machine.options.root, path)).sort(),
    keys,
    mode: live === undefined || change === 'configure' || change === 'stop' ? null : live.mode,
    state: stateOf(live, change),
    together_with: [],
    callers: callersOf(machine, service),
    in_flight: live === undefined ? 0 : openCalls(live),
    powers: null,
    error: error ?? (target === undefined ? null : valueError(machine, live, target, textOf)),
  }
}

function kindOf(
  service: ServiceRecord,
  target: DesiredService | undefined,
  sources: readonly string[],
): PlannedChange['change'] {
  const { live, scan, configText } = service
  if (target === undefined) return live === undefined ? 'none' : 'stop'
  if (live === undefined) return 'start'
  if (sources.length > 0 || scan === undefined) return 'reload'
  if (live.desired.hash === target.hash) return 'none'
  return isVolatileOnly(live, { service, desired: target, scan: live.scan, configText, asked: false })
    ? 'configure'
    : 'reload'
}

function stateOf(live: GenerationRecord | undefined, change: PlannedChange['change']): PlannedChange['state'] {
  if (live === undefined || change === 'start') return 'none'
  if (change === 'configure' || change === 'none') return 'carried'
  const carries = live.mode !== 'overlap' && typeof live.instance?.handOver === 'function'
  return change === 'reload' && carries ? 'carried' : 'lost'
}

/** Services that called it and those that need it. */
function callersOf(machine: Machine, { api, live }: ServiceRecord): string[] {
  const callers = new Set([...(live?.edges ?? [])].map((edge) => edge.caller.api))
  for (const other of machine.services.values()) if (other.live?.needs.includes(api) === true) callers.add(other.api)
  callers.delete(api)
  return [...callers].sort()
}

/** Checked against the schema of the version that runs: the new one's is known when it is loaded. */
function valueError(
  machine: Machine,
  live: GenerationRecord | undefined,
  target: DesiredService,
  textOf: TextOf,
): ErrorData | null {
  const schema = live?.desired.prog === target.prog ? live.evaluated?.exports['configSchema'] : undefined
  try {
    readConfig(machine, { desired: target, configText: textOf(target.file) }, schema)
    return null
  } catch (thrown) {
    return machine.faults.describe(thrown)
  }
}

const untouched = (api: string): PlannedChange => ({
  api,
  change: 'none',
  generation: null,
  files: [],
  keys: [],
  mode: null,
  state: 'none',
  together_with: [],
  callers: [],
  in_flight: 0,
  powers: null,
  error: null,
})

const startOf = (machine: Machine, textOf: TextOf, target: DesiredService): PlannedChange => ({
  ...untouched(target.api),
  change: 'start',
  keys: Object.keys(target.params),
  error: valueError(machine, undefined, target, textOf),
})
