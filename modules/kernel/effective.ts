/**
 * What each service is configured with, and where each value comes from: its file and line, the meta file's defaults,
 * or the default of the module's schema. `${ENV}` and `secret:` are shown as written, never filled. Reads only.
 */
import type { EffectiveConfig } from '../contracts/kernel.ts'
import type { JsonMap } from '../contracts/seams.ts'
import type { DesiredService, ServiceRecord } from '../contracts/state.ts'
import { parseVersionName } from '../lib/version-name.ts'
import { locator, type Place } from '../lib/yaml.ts'
import type { Machine } from './machine.ts'
import type { WantedReader } from './wanted.ts'

export function effectiveConfigs(machine: Machine, wanted: WantedReader, api?: string): EffectiveConfig[] {
  return [...machine.services.values()]
    .filter((service) => service.api !== 'kernel' && (api === undefined || service.api === api))
    .sort((a, b) => (a.api < b.api ? -1 : 1))
    .flatMap((service) => {
      const desired = wanted.desired.services.get(service.api) ?? service.desired ?? service.live?.desired
      return desired === undefined ? [] : [effective(service, desired, wanted)]
    })
}

function effective(service: ServiceRecord, desired: DesiredService, wanted: WantedReader): EffectiveConfig {
  const originOf = originsIn(service.configText, desired)
  const values = Object.entries(desired.params).map(([key, value]) => ({ key, value, origin: originOf(key) }))
  return {
    api: service.api,
    file: desired.file,
    prog: desired.prog,
    shadowed: otherVersions(wanted, desired),
    values: [...values, ...schemaDefaults(service, desired)].sort((a, b) => (a.key < b.key ? -1 : 1)),
    error: service.refusal ?? null,
  }
}

/** Files of the same name with another version, which lost. */
function otherVersions(wanted: WantedReader, desired: DesiredService): string[] {
  const folder = desired.base.includes('/') ? desired.base.slice(0, desired.base.lastIndexOf('/') + 1) : ''
  return wanted.tree
    .all()
    .filter(({ path }) => path.startsWith(folder) && `configs/${path}` !== desired.file)
    .filter(({ path }) => {
      const version = parseVersionName(path.slice(folder.length))
      return typeof version === 'object' && folder + version.name === desired.base
    })
    .map(({ path }) => `configs/${path}`)
    .sort()
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
function schemaDefaults(service: ServiceRecord, desired: DesiredService): EffectiveConfig['values'] {
  const schema = service.live?.evaluated?.exports['configSchema'] as Partial<Schema> | undefined
  if (typeof schema?.safeParse !== 'function') return []
  const { data } = schema.safeParse(desired.params)
  if (typeof data !== 'object' || data === null) return []
  return Object.entries(data as JsonMap)
    .filter(([key]) => !Object.hasOwn(desired.params, key))
    .map(([key, value]) => ({ key, value, origin: `default of ${desired.prog}` }))
}
