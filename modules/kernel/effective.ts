/**
 * What each service is configured with, and where each value comes from: its file and line, the meta file's defaults,
 * or the default of the module's schema. `${ENV}` and `secret:` are shown as written, never filled. Reads only. What was
 * worked out is kept for as long as a service's config and module are the same: all of a thousand are asked for often,
 * by whatever takes secrets out of a text, and the first time they are read in turns.
 */
import type { EffectiveConfig } from '../contracts/kernel.ts'
import type { JsonMap } from '../contracts/seams.ts'
import type { DesiredService, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { parseVersionName } from '../lib/version-name.ts'
import { locator, type Place } from '../lib/yaml.ts'
import type { ConfigText } from './config-parser.ts'
import type { Machine } from './machine.ts'
import type { WantedReader } from './wanted.ts'

type Values = EffectiveConfig['values']

interface Kept {
  configText: string | undefined
  evaluated: GenerationRecord['evaluated']
  values: Values
}

/** For longer nothing else waits. */
const TURN_MS = 4

export class EffectiveConfigs {
  private readonly machine: Machine
  private readonly wanted: WantedReader
  /** by what they were worked out from */
  private readonly kept = new WeakMap<DesiredService, Kept>()

  constructor(machine: Machine, wanted: WantedReader) {
    this.machine = machine
    this.wanted = wanted
  }

  /** Of one service; none when nothing asks for it. */
  of(api: string): EffectiveConfig[] {
    const service = api === 'kernel' ? undefined : this.machine.services.get(api)
    if (service === undefined) return []
    return this.effective(service, versionsOf(this.wanted.tree.all()))
  }

  /** Of all, each as it is at its turn. */
  async all(): Promise<EffectiveConfig[]> {
    const { services, options } = this.machine
    const versions = versionsOf(this.wanted.tree.all())
    const found: EffectiveConfig[] = []
    let since = options.clock.monotonic()
    for (const api of [...services.keys()].sort()) {
      const service = api === 'kernel' ? undefined : services.get(api)
      if (service !== undefined) found.push(...this.effective(service, versions))
      if (options.clock.monotonic() - since < TURN_MS) continue
      await new Promise<void>((resolve) => options.clock.soon(resolve))
      since = options.clock.monotonic()
    }
    return found
  }

  private effective(service: ServiceRecord, versions: ReadonlyMap<string, readonly string[]>): EffectiveConfig[] {
    const desired = this.wanted.desired.services.get(service.api) ?? service.desired ?? service.live?.desired
    if (desired === undefined) return []
    const { api, refusal = null } = service
    const { file, prog, base } = desired
    const shadowed = (versions.get(base) ?? []).filter((path) => path !== file)
    return [{ api, file, prog, shadowed, values: this.valuesOf(service, desired), error: refusal }]
  }

  private valuesOf(service: ServiceRecord, desired: DesiredService): Values {
    const { configText, live } = service
    const kept = this.kept.get(desired)
    if (kept !== undefined && kept.configText === configText && kept.evaluated === live?.evaluated) return kept.values
    const originOf = originsIn(configText, desired)
    const named = Object.entries(desired.params).map(([key, value]) => ({ key, value, origin: originOf(key) }))
    const values = [...named, ...schemaDefaults(service, desired)].sort((a, b) => (a.key < b.key ? -1 : 1))
    this.kept.set(desired, { configText, evaluated: live?.evaluated, values })
    return values
  }
}

/** Files of the same name, whatever their version: one of them wins. */
function versionsOf(files: readonly ConfigText[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { path } of files) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    const version = parseVersionName(path.slice(folder.length))
    if (typeof version !== 'object') continue
    const base = folder + version.name
    found.set(base, [...(found.get(base) ?? []), `configs/${path}`].sort())
  }
  return found
}

/** The deeper place wins, as its value does: a key under `params:` overlays the same key at the top. */
function originsIn(text: string | undefined, desired: DesiredService): (key: string) => string {
  if (text === undefined) return () => desired.file
  const locate = locator(text)
  const top = locate([])
  const params = locate(['params'])
  const isFallback = (place: Place, of: Place): boolean => place.line === of.line && place.column === of.column
  return (key) => {
    const [under, own] = [locate(['params', key]), locate([key])]
    if (!isFallback(under, params)) return `${desired.file}:${under.line}`
    if (!isFallback(own, top) || new RegExp(`^['"]?${escape(key)}['"]?\\s*:`).test(text))
      return `${desired.file}:${own.line}`
    return 'defaults of the meta file'
  }
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

interface Schema {
  safeParse(value: unknown): { success: boolean; data?: unknown }
}

/** Keys the file does not name and the schema fills in: parsed from the unfilled values, so that no secret is read. */
function schemaDefaults(service: ServiceRecord, desired: DesiredService): Values {
  const schema = service.live?.evaluated?.exports['configSchema'] as Partial<Schema> | undefined
  if (typeof schema?.safeParse !== 'function') return []
  const { data } = schema.safeParse(desired.params)
  if (typeof data !== 'object' || data === null) return []
  return Object.entries(data as JsonMap)
    .filter(([key]) => !Object.hasOwn(desired.params, key))
    .map(([key, value]) => ({ key, value, origin: `default of ${desired.prog}` }))
}
