/**
 * What should run, read from disk: the desired services with the content key of their source. Keeps what it read until
 * it is told that a path may have changed. Reads only; `reconciler.ts` acts.
 */
import { join } from 'node:path'
import { ERRORS, type ErrorData } from '../contracts/errors.ts'
import type { JsonMap, Scan } from '../contracts/seams.ts'
import type { DesiredService, ServiceRecord } from '../contracts/state.ts'
import { coded, codeOf, reasonOf, toErrorData } from '../lib/errors.ts'
import type { FileCache } from '../lib/file-cache.ts'
import { locate } from '../lib/yaml.ts'
import { ConfigTree } from './config-tree.ts'
import { ConfigParser, resolveConfigs, type ConfigText, type DesiredState } from './configs.ts'
import type { Machine } from './machine.ts'
import type { Sandboxing } from './meta-values.ts'
import { putInSandboxes } from './module-host.ts'
import { findProg, type ProgPlaces } from './progs.ts'
import { createService } from './service.ts'

export interface WantedOptions {
  machine: Machine
  cache: FileCache
  progs: ProgPlaces
  /** which services may run at all */
  allow(service: DesiredService): boolean
  /** values laid under every config */
  defaults(): JsonMap
  /** which services run in a sandbox, whatever their configs say */
  sandboxing(): Sandboxing
  /** told each new service before it is planned. Must not throw. */
  onService(service: ServiceRecord): void
  /** told the present list of config errors after each look at the configs. Must not throw. */
  onConfigErrors(errors: DesiredState['errors']): void
}

export class WantedReader {
  readonly tree: ConfigTree
  desired: DesiredState = { services: new Map(), errors: [], broken: new Map(), contested: new Map() }
  /** the last generation numbers of services that were stopped, so that they go on counting */
  lastNumbers = new Map<string, number>()
  private readonly options: WantedOptions
  private readonly machine: Machine
  private readonly parser: ConfigParser
  private readonly configs: string
  private configsDirty = true

  constructor(options: WantedOptions) {
    this.options = options
    this.machine = options.machine
    const { root, fs, cache } = this.machine.options
    this.parser = new ConfigParser(cache)
    this.configs = join(root, 'configs')
    this.tree = new ConfigTree({
      folder: this.configs,
      fs,
      cache: options.cache,
      bytes_max: () => this.machine.limits.config_bytes_max,
    })
  }

  /** These paths may have changed: look at them again. */
  look(paths: ReadonlySet<string>): void {
    if (paths.size === 0) return
    const parents = new Map<string, string | undefined>()
    for (const path of paths) {
      if (path !== this.configs && !path.startsWith(`${this.configs}/`)) continue
      this.tree.look(path, parents)
      this.configsDirty = true
    }
    for (const service of this.machine.services.values()) {
      if (isTouched(service.scan, paths)) service.dirty = true
    }
  }

  /** One service's files, whatever the watcher saw of them. */
  lookAt(api: string): void {
    const service = this.machine.services.get(api)
    if (service === undefined) return
    service.dirty = true
    if (service.desired !== undefined) this.tree.look(join(this.machine.options.root, service.desired.file))
    this.configsDirty = true
  }

  /** Services whose module was not found, whose file may stand anywhere by now; and folders that gave no list. */
  retryLost(): void {
    if (this.tree.retry()) this.configsDirty = true
    for (const service of this.machine.services.values()) if (hasNoSource(service.scan)) service.dirty = true
  }

  forgetConfigs(): void {
    this.configsDirty = true
  }

  /** Brings `desired`, and each service's desired config and scan, up to what stands on disk. */
  read(): void {
    if (this.configsDirty) this.refresh()
    // Where modules stand is listed once a look, not asked for file by file.
    const places = { ...this.options.progs, listings: new Map(), progs: new Map(), found: new Map() }
    for (const [api, desired] of this.desired.services) {
      const service = this.serviceOf(api)
      if (service.dirty || service.scan === undefined || service.desired?.prog !== desired.prog) {
        service.scan = this.scan(desired, places)
        service.dirty = false
      }
      if (service.desired === desired) continue
      service.desired = desired
      service.configText = this.tree.textOf(desired.file.slice('configs/'.length))
    }
  }

  private refresh(): void {
    this.configsDirty = false
    this.desired = this.resolve(this.tree.all(), this.parser)
    this.options.onConfigErrors(this.desired.errors)
  }

  /** What these files would ask for. Changes nothing here. */
  resolve(files: readonly ConfigText[], parser = this.parser.apart()): DesiredState {
    const desired = resolveConfigs(files, parser, {
      defaults: this.options.defaults(),
      bytes_max: this.machine.limits.config_bytes_max,
      tokens_max: this.machine.limits.config_tokens_max,
    })
    for (const [api, service] of desired.services) if (!this.options.allow(service)) desired.services.delete(api)
    putInSandboxes(desired.services, this.options.sandboxing(), this.options.progs)
    return desired
  }

  /** Whether a version that was kept may run here now, as one that was read may. */
  mayRun(desired: DesiredService, entry: string): boolean {
    const { packageRoot, protected: own } = this.options.progs
    return this.options.allow(desired) && (!own.has(desired.prog) || entry.startsWith(join(packageRoot, 'modules')))
  }

  /** Where its module stands; undefined: nowhere. */
  entryOf(prog: string): string | undefined {
    try {
      return findProg(prog, this.options.progs)
    } catch {
      return undefined
    }
  }

  serviceOf(api: string): ServiceRecord {
    let service = this.machine.services.get(api)
    if (service === undefined) {
      service = createService(api, this.lastNumbers.get(api) ?? 0)
      service.addedLater = this.machine.planned
      this.options.onService(service)
      this.machine.services.set(api, service)
    }
    return service
  }

  private scan(desired: DesiredService, places: ProgPlaces): Scan {
    try {
      return this.machine.options.loader.scan(findProg(desired.prog, places))
    } catch (thrown) {
      const error = this.lostError(desired, thrown)
      const nothing = { files: new Map(), texts: new Map(), stamps: new Map(), missing: [], modified_ms: 0 }
      return { entry: desired.file, key: `no:${desired.prog}`, ...nothing, error }
    }
  }

  /** Asked each second for as long as the module is lost: what was said before is not worked out again. */
  private lostError({ api, prog, file }: DesiredService, thrown: unknown): ErrorData {
    const isOurs = Object.hasOwn(ERRORS, codeOf(thrown) ?? '')
    const cause = isOurs ? thrown : coded('file_failed', { path: `modules/${prog}`, reason: reasonOf(thrown) })
    const error = { ...toErrorData(cause), file }
    const known = this.machine.services.get(api)?.scan?.error
    if (known?.file === file && same(known, error)) return known
    const text = this.tree.textOf(file.slice('configs/'.length))
    return { ...error, ...(text === undefined ? {} : locate(text, ['prog'])) }
  }
}

const same = (a: ErrorData, b: ErrorData): boolean => a.code === b.code && a.message === b.message

/** Walks the shorter side: one file of a thousand was saved, or a thousand configs of modules with few files. */
function isTouched(scan: Scan | undefined, paths: ReadonlySet<string>): boolean {
  if (scan === undefined) return false
  const { files, missing } = scan
  if (hasNoSource(scan) || missing.some((path) => paths.has(path))) return true
  const [shorter, other] = paths.size < files.size ? [paths, files] : [files, paths]
  for (const path of shorter.keys()) if (other.has(path)) return true
  return false
}

const hasNoSource = (scan: Scan | undefined): boolean => scan?.files.size === 0 && scan.error !== undefined
