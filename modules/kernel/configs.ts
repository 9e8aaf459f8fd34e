/**
 * Config files → desired state. Pure: the same files give the same services and the same errors, in any order.
 * Picks the highest version of each base name, derives `api` and `prog` from the path, applies the meta file's
 * `defaults:`, and names both files of every conflict.
 */
import type { DesiredService } from '../contracts/state.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { codedData } from '../lib/errors.ts'
import { compareVersions } from '../lib/version-name.ts'
import type { Place } from '../lib/yaml.ts'
import {
  copyOf,
  limitsOf,
  type Candidate,
  type ConfigOptions,
  type ConfigParser,
  type ConfigText,
  type DesiredState,
} from './config-parser.ts'

export { ConfigParser, isMetaConfig, type ConfigText, type DesiredState } from './config-parser.ts'

/** Where a mistake is told that is in the file's name. */
const TOP = { line: 1, column: 1 }

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
  for (const [api, services] of rivals) contest(api, services, state, (file) => parser.placeOfApi(textOf(files, file)))
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

type PlaceOf = (file: string) => Place

function contest(api: string, services: readonly DesiredService[], state: DesiredState, placeOf: PlaceOf): void {
  const files = services.map(({ file }) => file).sort()
  const [file = ''] = files
  const error = codedData('config_api_taken', { api, files: files.join(', ') }, { file, ...placeOf(file) })
  state.services.delete(api)
  state.errors.push(error)
  state.contested.set(api, error)
  for (const service of services) state.broken.set(service.base, error)
}

const textOf = (files: readonly ConfigText[], file: string): ConfigText | undefined =>
  files.find(({ path }) => `configs/${path}` === file)

/** The highest version of each base name; a tie is an error for that base. */
function chooseVersions(files: readonly ConfigText[], parser: ConfigParser, state: DesiredState): Candidate[] {
  const chosen = new Map<string, Candidate>()
  const rivals = new Map<string, Candidate[]>()
  for (const file of files) {
    const named = parser.name(file)
    if (named === undefined) {
      // A folder that cannot be listed.
      if (file.error !== undefined) state.errors.push(file.error)
      continue
    }
    if (named === 'invalid') {
      const name = file.path.slice(file.path.lastIndexOf('/') + 1)
      state.errors.push(codedData('config_name', { name }, { file: `configs/${file.path}`, ...TOP }))
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
    const error = codedData('config_version_tie', { files: names.join(', ') }, { file: names[0] ?? '', ...TOP })
    chosen.delete(base)
    state.errors.push(error)
    state.broken.set(base, error)
  }
  return [...chosen.values()].sort((a, b) => (a.file.path < b.file.path ? -1 : 1))
}
