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

interface Candidate {
  file: ConfigText
  base: string
  version: VersionName
}

export interface ConfigOptions {
  /** laid under every config */
  defaults: JsonMap
  bytes_max: number
}

/** What one file asks for; no service when it is switched off. */
type Reading = { error: ErrorData } | { error: undefined; service: DesiredService | undefined }

/**
 * Remembers what was worked out from each file, by the identity of its text: with a thousand files, one save is the
 * work of one file. Equal texts and defaults give the very same `DesiredService` object again.
 */
export class ConfigParser {
  private readonly names = new WeakMap<ConfigText, Candidate | 'invalid' | undefined>()
  private readonly parses = new WeakMap<ConfigText, { bytesMax: number; parsed: ParsedConfig }>()
  private readings = new WeakMap<ConfigText, Reading>()
  /** what the readings were made with */
  private basis = ''

  /** undefined when the file is no config of a service. */
  nameOf(file: ConfigText): Candidate | 'invalid' | undefined {
    let named = this.names.get(file)
    if (named === undefined && !this.names.has(file)) {
      named = nameFile(file)
      this.names.set(file, named)
    }
    return named
  }

  readAll(candidates: readonly Candidate[], options: ConfigOptions): Map<Candidate, Reading> {
    const basis = `${options.bytes_max} ${canonicalJson(options.defaults)}`
    if (basis !== this.basis) {
      this.readings = new WeakMap()
      this.basis = basis
    }
    const found = new Map<Candidate, Reading>()
    for (const candidate of candidates) {
      let reading = this.readings.get(candidate.file)
      if (reading === undefined) {
        reading = this.read(candidate, options)
        this.readings.set(candidate.file, reading)
      }
      found.set(candidate, reading)
    }
    return found
  }

  private read(candidate: Candidate, { defaults, bytes_max: bytesMax }: ConfigOptions): Reading {
    const { file } = candidate
    const known = this.parses.get(file)
    const parsed =
      known?.bytesMax === bytesMax ? known.parsed : parseConfig(`configs/${file.path}`, file.text, bytesMax)
    this.parses.set(file, { bytesMax, parsed })
    return parsed.ok
      ? { error: undefined, service: toDesired(candidate, parsed.value, defaults) }
      : { error: parsed.error }
  }
}

/** Dot files and dot folders are off; files called meta* at the top belong to the kernel. */
export const isServiceConfig = (path: string): boolean =>
  /\.ya?ml$/.test(path) && !/(^|\/)\./.test(path) && !isMetaConfig(path)

export const isMetaConfig = (path: string): boolean => /^meta[^/]*\.ya?ml$/.test(path)

export function resolveConfigs(
  files: readonly ConfigText[],
  parser: ConfigParser,
  options: ConfigOptions,
): DesiredState {
  const state: DesiredState = { services: new Map(), errors: [], broken: new Map(), contested: new Map() }
  const chosen = chooseVersions(files, parser, state)
  const claims = new Map<string, DesiredService[]>()
  for (const [{ base }, reading] of parser.readAll(chosen, options)) {
    if (reading.error !== undefined) {
      state.errors.push(reading.error)
      state.broken.set(base, reading.error)
    } else if (reading.service !== undefined) {
      addTo(claims, reading.service.api, reading.service)
    }
  }
  for (const [api, services] of claims) settleClaim(api, services, state)
  state.errors.sort((a, b) => ((a.file ?? '') < (b.file ?? '') ? -1 : 1))
  return state
}

function addTo<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
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

function nameFile(file: ConfigText): Candidate | 'invalid' | undefined {
  if (!isServiceConfig(file.path)) return undefined
  const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1)
  const version = parseVersionName(file.path.slice(folder.length))
  return version === undefined || version === 'invalid' ? version : { file, base: folder + version.name, version }
}

/** The highest version of each base name; a tie is an error for that base. */
function chooseVersions(files: readonly ConfigText[], parser: ConfigParser, state: DesiredState): Candidate[] {
  const bases = new Map<string, Candidate[]>()
  for (const file of files) {
    const named = parser.nameOf(file)
    if (named === undefined) continue
    if (named === 'invalid') {
      const name = file.path.slice(file.path.lastIndexOf('/') + 1)
      state.errors.push(toErrorData(coded('config_name', { name }, { file: `configs/${file.path}` })))
      continue
    }
    addTo(bases, named.base, named)
  }
  const chosen: Candidate[] = []
  for (const [base, candidates] of bases) {
    candidates.sort((a, b) => compareVersions(b.version, a.version) || (a.file.path < b.file.path ? -1 : 1))
    const [best, second] = candidates
    if (best === undefined) continue
    if (second !== undefined && compareVersions(best.version, second.version) === 0) {
      const names = [best, second].map((one) => `configs/${one.file.path}`)
      const error = toErrorData(coded('config_version_tie', { files: names.join(', ') }, { file: names[0] ?? '' }))
      state.errors.push(error)
      state.broken.set(base, error)
      continue
    }
    chosen.push(best)
  }
  return chosen.sort((a, b) => (a.file.path < b.file.path ? -1 : 1))
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

const RESERVED = new Set<string>([...RESERVED_KEYS, 'params'])

function toDesired(candidate: Candidate, own: JsonMap, defaults: JsonMap): DesiredService | undefined {
  const all = overlay(defaults, own)
  if (all['enabled'] === false) return undefined
  const params: JsonMap = {}
  for (const [key, value] of Object.entries(all)) if (!RESERVED.has(key)) params[key] = value
  for (const [key, value] of Object.entries(asMap(all['params']))) params[key] = value
  const service = {
    api: typeof all['api'] === 'string' ? all['api'] : candidate.base,
    prog: typeof all['prog'] === 'string' ? all['prog'] : candidate.base,
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
    file: `configs/${candidate.file.path}`,
    base: candidate.base,
    version: candidate.version.version,
    description: typeof all['description'] === 'string' ? all['description'] : null,
    hash: shortHash(canonicalJson(service)),
  }
}
