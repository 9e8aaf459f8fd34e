/**
 * One YAML config: text → values, with the place of every mistake. Pure. Reserved keys are checked here; a module's
 * own keys are checked later, against its `configSchema`.
 */
import { wrongRecord } from '../lib/record-option.ts'
import type { ErrorCode, ErrorData } from '../contracts/errors.ts'
import type { Json, JsonMap } from '../contracts/seams.ts'
import { RESERVED_KEYS } from '../lib/desired-service.ts'
import { codedData, type ErrorPlace } from '../lib/errors.ts'
import { readYaml, type YamlLimits } from '../lib/yaml.ts'
import { wrongGrants, wrongSandbox, type WrongValue } from '../lib/sandbox-config.ts'
import { SERVICE_LIMITS } from './limits.ts'

export type ParsedConfig = { ok: true; value: JsonMap } | { ok: false; error: ErrorData }

const NAME = /^[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$/

function refuse(code: ErrorCode, details: Record<string, unknown>, place: ErrorPlace): ParsedConfig {
  return { ok: false, error: codedData(code, details, place) }
}

/** Changes when an equal text may be read as another value. */
export const YAML_VERSION = 'yaml 2.9.1, 2'

/** A value that was read from a text before; undefined when it is wrong, and its place is needed. */
export const configFromValue = (value: JsonMap): ParsedConfig | undefined =>
  wrongReservedKey(value) === undefined ? { ok: true, value } : undefined

/** An empty file is an empty map: everything has a default. */
export function parseConfig(file: string, text: string, limits: YamlLimits): ParsedConfig {
  const yaml = readYaml(file, text, limits)
  if (!yaml.ok) return yaml
  const { value } = yaml
  if (value === null) return { ok: true, value: {} }
  if (typeof value !== 'object' || Array.isArray(value)) {
    const found = Array.isArray(value) ? 'a list' : `a ${typeof value}`
    return refuse('config_not_map', { found }, { file, line: 1, column: 1 })
  }
  const wrong = wrongReservedKey(value)
  if (wrong !== undefined) {
    const { path, reason } = wrong
    return refuse('config_key', { key: path.join('.'), reason }, { file, ...yaml.placeOf(path) })
  }
  return { ok: true, value }
}

/** Of a value that is a map or a list, what is wrong may stand deeper. */
type Check = (value: Json) => string | WrongValue | undefined
type TextCheck = (value: Json) => string | undefined

const isMapValue = (value: Json): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const name: TextCheck = (value) =>
  typeof value === 'string' && NAME.test(value)
    ? undefined
    : 'it must be a name of letters, digits and _ . / : - (at most 128)'
const text: TextCheck = (value) => (typeof value === 'string' ? undefined : 'it must be text')

const KERNEL_NAME = '`kernel` is the name of the built-in service'

const CHECKS: Record<(typeof RESERVED_KEYS)[number], Check> = {
  api: (value) => (value === 'kernel' ? KERNEL_NAME : name(value)),
  prog: name,
  enabled: (value) => (typeof value === 'boolean' ? undefined : 'it must be true or false'),
  domain: text,
  needs: (value) =>
    Array.isArray(value) && value.every((one) => name(one) === undefined) ? undefined : 'it must be a list of names',
  sandbox: wrongSandbox,
  grants: wrongGrants,
  reload: (value) => (value === 'overlap' || value === 'quiesce' ? undefined : 'it must be overlap or quiesce'),
  restart: (value) => (typeof value === 'boolean' || isMapValue(value) ? undefined : 'it must be a map or a boolean'),
  limits: (value) => {
    if (!isMapValue(value)) return 'it must be a map of numbers'
    const unknown = Object.keys(value).find((key) => !(SERVICE_LIMITS as readonly string[]).includes(key))
    if (unknown !== undefined) return `\`${unknown}\` is not one of ${SERVICE_LIMITS.join(', ')}`
    const wrong = Object.entries(value).find(([, one]) => typeof one !== 'number' || !(one >= 0))
    return wrong === undefined ? undefined : `\`${wrong[0]}\` must be a number of milliseconds or calls`
  },
  record: wrongRecord,
  description: text,
}

/** What is wrong with the name of a service or module. */
export const wrongName = (key: 'api' | 'prog', value: string): string | undefined =>
  key === 'api' && value === 'kernel' ? KERNEL_NAME : name(value)

function wrongReservedKey(value: JsonMap): WrongValue | undefined {
  for (const key of RESERVED_KEYS) {
    if (!Object.hasOwn(value, key)) continue
    const wrong = CHECKS[key](value[key] as Json)
    if (typeof wrong === 'string') return { path: [key], reason: wrong }
    if (wrong !== undefined) return { path: [key, ...wrong.path], reason: wrong.reason }
  }
  if (Object.hasOwn(value, 'params') && value['params'] !== null && !isMapValue(value['params'] as Json)) {
    return { path: ['params'], reason: 'it must be a map' }
  }
  return undefined
}
