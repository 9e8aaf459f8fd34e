/**
 * What one config asks for, from its values. Pure. It stands here because its hash is part of what kernels pass to each
 * other: two kernels that read the same file have to come to the same hash, or the second would build everything anew.
 */
import type { JsonMap } from '../contracts/seams.ts'
import type { DesiredService } from '../contracts/state.ts'
import { canonicalJson } from './canonical-json.ts'
import { shortHash } from './hash.ts'

export const RESERVED_KEYS = [
  'api',
  'prog',
  'enabled',
  'domain',
  'needs',
  'sandbox',
  'grants',
  'reload',
  'restart',
  'limits',
  'record',
  'description',
] as const

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

/** A config's name, cut into its parts. */
export interface ConfigName {
  /** path under configs/, with `/` */
  readonly file: { readonly path: string }
  /** the path without version and extension */
  readonly base: string
  readonly version: { readonly version: string | null }
}

/** undefined when it is switched off. Reserved keys must have been checked. */
export function toDesired(candidate: ConfigName, own: JsonMap, defaults: JsonMap): DesiredService | undefined {
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
