/**
 * One config file → what it asks for, remembered by the identity of its text: with a thousand files, one save is the
 * work of one file. Pure. `configs.ts` puts the files together.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { ContentCache, JsonMap } from '../contracts/seams.ts'
import type { DesiredService } from '../contracts/state.ts'
import { toDesired } from '../lib/desired-service.ts'
import { codedData } from '../lib/errors.ts'
import { parseVersionName, type VersionName } from '../lib/version-name.ts'
import { locate, type Place, type YamlLimits } from '../lib/yaml.ts'
import { configFromValue, parseConfig, wrongName, YAML_VERSION, type ParsedConfig } from './config-file.ts'

export interface ConfigText {
  /** path under configs/, with `/` */
  path: string
  text: string
  hash: string
  /** why the text could not be read */
  error?: ErrorData
}

export interface DesiredState {
  services: Map<string, DesiredService>
  errors: ErrorData[]
  /** bases whose file cannot be used now: what runs from them keeps running */
  broken: Map<string, ErrorData>
  /** apis that two files claim: the incumbent keeps running */
  contested: Map<string, ErrorData>
}

/** The maps are the caller's to change. */
export const copyOf = ({ services, errors, broken, contested }: DesiredState): DesiredState => ({
  services: new Map(services),
  errors: [...errors],
  broken: new Map(broken),
  contested: new Map(contested),
})

export interface Candidate {
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
  /** where its key `api` stands */
  place: Place | undefined
}

export const limitsOf = ({ bytes_max, tokens_max }: YamlLimits): string => `${bytes_max} ${tokens_max}`

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
  private memos = new WeakMap<ConfigText, Memo>()
  private readonly cache: ContentCache | undefined
  private last: Last | undefined

  /** `cache` knows values of texts that were read before, perhaps by another process. */
  constructor(cache?: ContentCache) {
    this.cache = cache
    cache?.keep('configs', () => this.valuesInUse())
  }

  /** One that knows the same texts, for what is only thought of: its results are not those of this one. */
  apart(): ConfigParser {
    const other = new ConfigParser()
    other.memos = this.memos
    return other
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
    memo.reading = memo.parsed.ok ? readingOf(candidate, memo.parsed.value, options) : { error: memo.parsed.error }
    return memo.reading
  }

  /** The top of a file that names no `api`. */
  placeOfApi(file: ConfigText | undefined): Place {
    if (file === undefined) return { line: 1, column: 1 }
    const memo = this.memoOf(file)
    memo.place ??= locate(file.text, ['api'])
    return memo.place
  }

  private parse({ path, text, hash, error }: ConfigText, limits: YamlLimits): ParsedConfig {
    if (error !== undefined) return { ok: false, error }
    const [value] = (text.length <= limits.bytes_max ? this.cache?.get(valueKey(hash)) : undefined) ?? []
    const known = value === undefined ? undefined : configFromValue(JSON.parse(value) as JsonMap)
    return known ?? parseConfig(`configs/${path}`, text, limits)
  }

  private *valuesInUse(): Iterable<readonly [key: string, texts: () => readonly string[]]> {
    for (const file of this.last?.files ?? []) {
      const parsed = this.memos.get(file)?.parsed
      if (parsed?.ok === true) yield [valueKey(file.hash), () => [JSON.stringify(parsed.value)]]
    }
  }

  private memoOf(file: ConfigText): Memo {
    let memo = this.memos.get(file)
    if (memo === undefined) {
      memo = { named: nameFile(file), parsed: undefined, reading: undefined, limits: '', basis: '', place: undefined }
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

function nameFile(file: ConfigText): Candidate | 'invalid' | undefined {
  if (!isServiceConfig(file.path)) return undefined
  const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1)
  const version = parseVersionName(file.path.slice(folder.length))
  return version === undefined || version === 'invalid' ? version : { file, base: folder + version.name, version }
}

/** A name that comes from the path has to be one too. */
function readingOf(candidate: Candidate, own: JsonMap, { defaults }: ConfigOptions): Reading {
  const service = toDesired(candidate, own, defaults)
  for (const key of ['api', 'prog'] as const) {
    const wrong = service === undefined ? undefined : wrongName(key, service[key])
    if (wrong === undefined) continue
    const reason = `without it the file's path is the name, and ${wrong}`
    const place = { file: `configs/${candidate.file.path}`, line: 1, column: 1 }
    return { error: codedData('config_key', { key, reason }, place) }
  }
  return { error: undefined, service }
}
