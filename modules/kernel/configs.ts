/**
 * Config files → desired state. Pure: the same files give the same services and the same errors, in any order.
 * Picks the highest version of each base name, derives `api` and `prog` from the path, applies the meta file's
 * `defaults:`, and names both files of every conflict.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { ContentCache, JsonMap } from '../contracts/seams.ts'
import type { DesiredService } from '../contracts/state.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { shortHash } from '../lib/hash.ts'
import { compareVersions, parseVersionName, type VersionName } from '../lib/version-name.ts'
import type { YamlLimits } from '../lib/yaml.ts'
import { configFromValue, parseConfig, RESERVED_KEYS, YAML_VERSION, type ParsedConfig } from './config-file.ts'

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

export interface ConfigOptions extends YamlLimits {
  /** laid under every config */
  defaults: JsonMap
}

/** What one file asks for; no service when it is switched off. */
type Reading = { error: ErrorData; service?: undefined } | { error: undefined; service: DesiredService | undefined }

/** All that is known of one text. */
interface Memo {
  named: Candidate | 'invalid' | undefined
  parsed: ParsedConfig | undefined
  reading: Reading | undefined
  /** what it was parsed within */
  limits: string
  /** what the reading was made with */
  basis: string
}

const limitsOf = ({ bytes_max, tokens_max }: YamlLimits): string => `${bytes_max} ${tokens_max}`

/** A whole result, and what it was made from. */
interface Last {
  files: readonly ConfigText[]
  basis: string
  state: DesiredState
}

/**
 * Remembers what was worked out from each file, by the identity of its text: with a thousand files, one save is the
 * work of one file. Equal texts and defaults give the very same `DesiredService` object again.
 */
export class ConfigParser {
  private readonly memos = new WeakMap<ConfigText, Memo>()
  private readonly cache: ContentCache | undefined
  private last: Last | undefined

  /** `cache` knows values of texts that were read before, perhaps by another process. */
  constructor(cache?: ContentCache) {
    this.cache = cache
    cache?.keep('configs', () => this.valuesInUse())
  }

  remember(last: Last): void {
    this.last = last
  }

  /**
   * The last result with the changed texts put in, when each of them asks for the same one service as before: a save.
   * undefined when there is more to it.
   */
  patch(files: readonly ConfigText[], options: ConfigOptions, basis: string): DesiredState | undefined {
    const { last } = this
    if (last === undefined || last.basis !== basis || last.files.length !== files.length) return undefined
    const state = copyOf(last.state)
    for (let index = 0; index < files.length; index++) {
      const [file, before] = [files[index], last.files[index]]
      if (file === before) continue
      if (file === undefined || before === undefined || file.path !== before.path) return undefined
      const [named, was] = [this.name(file), this.memos.get(before)?.reading?.service]
      if (typeof named !== 'object' || was === undefined || state.services.get(was.api) !== was) return undefined
      const { service } = this.read(named, options, basis)
      if (service?.api !== was.api) return undefined
      state.services.set(service.api, service)
    }
    return state
  }

  /** undefined when the file is no config of a service. */
  name(file: ConfigText): Candidate | 'invalid' | undefined {
    return this.memoOf(file).named
  }

  /** `basis` stands for the options: equal options have equal ones. */
  read(candidate: Candidate, options: ConfigOptions, basis: string): Reading {
    const memo = this.memoOf(candidate.file)
    if (memo.reading !== undefined && memo.basis === basis) return memo.reading
    if (memo.parsed === undefined || memo.limits !== limitsOf(options)) {
      memo.parsed = this.parse(candidate.file, options)
      memo.limits = limitsOf(options)
    }
    memo.basis = basis
    memo.reading = memo.parsed.ok
      ? { error: undefined, service: toDesired(candidate, memo.parsed.value, options.defaults) }
      : { error: memo.parsed.error }
    return memo.reading
  }

  private parse({ path, text, hash }: ConfigText, limits: YamlLimits): ParsedConfig {
    const [value] = (text.length <= limits.bytes_max ? this.cache?.get(valueKey(hash)) : undefined) ?? []
    const known = value === undefined ? undefined : configFromValue(JSON.parse(value) as JsonMap)
    return known ?? parseConfig(`configs/${path}`, text, limits)
  }

  private *valuesInUse(): Iterable<readonly [key: string, texts: readonly string[]]> {
    for (const file of this.last?.files ?? []) {
      const parsed = this.memos.get(file)?.parsed
      if (parsed?.ok === true) yield [valueKey(file.hash), [JSON.stringify(parsed.value)]]
    }
  }

  private memoOf(file: ConfigText): Memo {
    let memo = this.memos.get(file)
    if (memo === undefined) {
      memo = { named: nameFile(file), parsed: undefined, reading: undefined, limits: '', basis: '' }
      this.memos.set(file, memo)
    }
    return memo
  }
}

const valueKey = (hash: string): string => `${YAML_VERSION} ${hash}`

/** Dot files and dot folders are off; files called meta* at the top belong to the kernel. */
export const isServiceConfig = (path: string): boolean =>
  /\.ya?ml$/.test(path) && !/(^|\/)\./.test(path) && !isMetaConfig(path)

export const isMetaConfig = (path: string): boolean => /^meta[^/]*\.ya?ml$/.test(path)

export function resolveConfigs(
  files: readonly ConfigText[],
  parser: ConfigParser,
  options: ConfigOptions,
): DesiredState {
  const basis = `${limitsOf(options)} ${canonicalJson(options.defaults)}`
  const state = parser.patch(files, options, basis) ?? resolveAll(files, parser, options, basis)
  parser.remember({ files, basis, state })
  return copyOf(state)
}

/** The maps are the caller's to change. */
const copyOf = ({ services, errors, broken, contested }: DesiredState): DesiredState => ({
  services: new Map(services),
  errors: [...errors],
  broken: new Map(broken),
  contested: new Map(contested),
})

function resolveAll(
  files: readonly ConfigText[],
  parser: ConfigParser,
  options: ConfigOptions,
  basis: string,
): DesiredState {
  const state: DesiredState = { services: new Map(), errors: [], broken: new Map(), contested: new Map() }
  const rivals = new Map<string, DesiredService[]>()
  for (const candidate of chooseVersions(files, parser, state)) {
    const { error, service } = parser.read(candidate, options, basis)
    if (error !== undefined) {
      state.errors.push(error)
      state.broken.set(candidate.base, error)
    } else if (service !== undefined) {
      claim(state.services, rivals, service.api, service)
    }
  }
  for (const [api, services] of rivals) contest(api, services, state)
  state.errors.sort((a, b) => ((a.file ?? '') < (b.file ?? '') ? -1 : 1))
  return state
}

/** The first to claim a key has it; from the second on, all of them are rivals. No list for the many that are alone. */
function claim<T>(taken: Map<string, T>, rivals: Map<string, T[]>, key: string, one: T): void {
  const first = taken.get(key)
  if (first === undefined) {
    taken.set(key, one)
    return
  }
  const list = rivals.get(key)
  if (list === undefined) rivals.set(key, [first, one])
  else list.push(one)
}

function contest(api: string, services: readonly DesiredService[], state: DesiredState): void {
  const files = services.map((service) => service.file).sort()
  const error = toErrorData(coded('config_api_taken', { api, files: files.join(', ') }, { file: files[0] ?? '' }))
  state.services.delete(api)
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
  const chosen = new Map<string, Candidate>()
  const rivals = new Map<string, Candidate[]>()
  for (const file of files) {
    const named = parser.name(file)
    if (named === undefined) continue
    if (named === 'invalid') {
      const name = file.path.slice(file.path.lastIndexOf('/') + 1)
      state.errors.push(toErrorData(coded('config_name', { name }, { file: `configs/${file.path}` })))
      continue
    }
    claim(chosen, rivals, named.base, named)
  }
  for (const [base, candidates] of rivals) {
    candidates.sort((a, b) => compareVersions(b.version, a.version) || (a.file.path < b.file.path ? -1 : 1))
    const [best, second] = candidates
    if (best === undefined || second === undefined) continue
    chosen.set(base, best)
    if (compareVersions(best.version, second.version) !== 0) continue
    const names = [best, second].map((one) => `configs/${one.file.path}`)
    const error = toErrorData(coded('config_version_tie', { files: names.join(', ') }, { file: names[0] ?? '' }))
    chosen.delete(base)
    state.errors.push(error)
    state.broken.set(base, error)
  }
  return [...chosen.values()].sort((a, b) => (a.file.path < b.file.path ? -1 : 1))
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
