/**
 * Config files → desired state. Pure: the same files give the same services and the same errors, in any order.
 * Picks the highest version of each base name, derives `api` and `prog` from the path, applies the meta file's
 * `defaults:`, and names both files of every conflict.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { JsonMap } from '../contracts/seams.ts'
import type { DesiredService } from '../contracts/state.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { shortHash } from '../lib/hash.ts'
import { compareVersions, parseVersionName, type VersionName } from '../lib/version-name.ts'
import { parseConfig, RESERVED_KEYS, type ParsedConfig } from './config-file.ts'

export interface ConfigText {
  /** path under configs/, with `/` */
  path: string
  text: string
  hash: string
}

export interface DesiredState {
  services: Map<string, DesiredService>
  errors: ErrorData[]
  /** bases whose file cannot be used now: what runs from them keeps running */
  broken: Map<string, ErrorData>
  /** apis that two files claim: the incumbent keeps running */
  contested: Map<string, ErrorData>
}

interface Candidate extends ConfigText {
  base: string
  version: VersionName
}

/** Remembers parses by content; holds no more than the files it was last asked for. */
export class ConfigParser {
  private parsed = new Map<string, ParsedConfig>()

  parseAll(files: readonly Candidate[], bytesMax: number): Map<Candidate, ParsedConfig> {
    const next = new Map<string, ParsedConfig>()
    const found = new Map<Candidate, ParsedConfig>()
    for (const file of files) {
      const id = `${file.path} ${file.hash}`
      const result = this.parsed.get(id) ?? parseConfig(`configs/${file.path}`, file.text, bytesMax)
      next.set(id, result)
      found.set(file, result)
    }
    this.parsed = next
    return found
  }
}

/** Dot files and dot folders are off; files called meta* at the top belong to the kernel. */
export const isServiceConfig = (path: string): boolean =>
  /\.ya?ml$/.test(path) && !/(^|\/)\./.test(path) && !isMetaConfig(path)

export const isMetaConfig = (path: string): boolean => /^meta[^/]*\.ya?ml$/.test(path)

export function resolveConfigs(
  files: readonly ConfigText[],
  parser: ConfigParser,
  options: { defaults: JsonMap; bytes_max: number },
): DesiredState {
  const state: DesiredState = { services: new Map(), errors: [], broken: new Map(), contested: new Map() }
  const chosen = chooseVersions(files, state)
  const parsed = parser.parseAll(chosen, options.bytes_max)
  const claims = new Map<string, DesiredService[]>()
  for (const file of chosen) {
    const result = parsed.get(file)
    if (result === undefined) continue
    if (!result.ok) {
      state.errors.push(result.error)
      state.broken.set(file.base, result.error)
      continue
    }
    const service = toDesired(file, result.value, options.defaults)
    if (service === undefined) continue
    claims.set(service.api, [...(claims.get(service.api) ?? []), service])
  }
  for (const [api, services] of claims) settleClaim(api, services, state)
  state.errors.sort((a, b) => ((a.file ?? '') < (b.file ?? '') ? -1 : 1))
  return state
}

function settleClaim(api: string, services: DesiredService[], state: DesiredState): void {
  const [first, ...others] = services
  if (first === undefined) return
  if (others.length === 0) {
    state.services.set(api, first)
    return
  }
  const files = services.map((service) => service.file).sort()
  const error = toErrorData(coded('config_api_taken', { api, files: files.join(', ') }, { file: files[0] ?? '' }))
  state.errors.push(error)
  state.contested.set(api, error)
  for (const service of services) state.broken.set(service.base, error)
}

/** The highest version of each base name; a tie is an error for that base. */
function chooseVersions(files: readonly ConfigText[], state: DesiredState): Candidate[] {
  const bases = new Map<string, Candidate[]>()
  for (const file of files) {
    if (!isServiceConfig(file.path)) continue
    const folder = file.path.includes('/') ? file.path.slice(0, file.path.lastIndexOf('/') + 1) : ''
    const fileName = file.path.slice(folder.length)
    const version = parseVersionName(fileName)
    if (version === undefined) continue
    if (version === 'invalid') {
      state.errors.push(toErrorData(coded('config_name', { name: fileName }, { file: `configs/${file.path}` })))
      continue
    }
    const base = folder + version.name
    bases.set(base, [...(bases.get(base) ?? []), { ...file, base, version }])
  }
  const chosen: Candidate[] = []
  for (const [base, candidates] of bases) {
    candidates.sort((a, b) => compareVersions(b.version, a.version) || (a.path < b.path ? -1 : 1))
    const [best, second] = candidates
    if (best === undefined) continue
    if (second !== undefined && compareVersions(best.version, second.version) === 0) {
      const names = [best, second].map((one) => `configs/${one.path}`)
      const error = toErrorData(coded('config_version_tie', { files: names.join(', ') }, { file: names[0] ?? '' }))
      state.errors.push(error)
      state.broken.set(base, error)
      continue
    }
    chosen.push(best)
  }
  return chosen.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const asMap = (value: unknown): JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : {}

/** `limits` and `restart` of the defaults are completed key by key, all else is replaced whole. */
function overlay(defaults: JsonMap, own: JsonMap): JsonMap {
  const all: JsonMap = { ...defaults, ...own }
  for (const key of ['limits', 'restart']) {
    if (Object.hasOwn(defaults, key) && Object.hasOwn(own, key))
      all[key] = { ...asMap(defaults[key]), ...asMap(own[key]) }
  }
  return all
}

function toDesired(file: Candidate, own: JsonMap, defaults: JsonMap): DesiredService | undefined {
  const all = overlay(defaults, own)
  if (all['enabled'] === false) return undefined
  const reserved = new Set<string>([...RESERVED_KEYS, 'params'])
  const params: JsonMap = {}
  for (const [key, value] of Object.entries(all)) if (!reserved.has(key)) params[key] = value
  for (const [key, value] of Object.entries(asMap(all['params']))) params[key] = value
  const service = {
    api: typeof all['api'] === 'string' ? all['api'] : file.base,
    prog: typeof all['prog'] === 'string' ? all['prog'] : file.base,
    params,
    needs: Array.isArray(all['needs']) ? (all['needs'] as string[]) : [],
    reload: all['reload'] as DesiredService['reload'],
    limits: asMap(all['limits']) as Record<string, number>,
    grants: all['grants'],
    sandbox: all['sandbox'],
    restart: all['restart'],
    record: all['record'],
    domain: all['domain'] as string | undefined,
  }
  return {
    ...service,
    file: `configs/${file.path}`,
    base: file.base,
    version: file.version.version,
    description: typeof all['description'] === 'string' ? all['description'] : null,
    hash: shortHash(canonicalJson(service)),
  }
}
