/**
 * A whole new text of a config, said as what it changes: value by value, and the powers it asks for. So it makes no
 * difference whether a key is edited or its file is written anew. Pure.
 */
import type { Change, FileChange } from '../../contracts/policy.ts'
import type { Json, JsonMap } from '../../contracts/seams.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { shortJson } from '../../lib/short-json.ts'
import { readYaml } from '../../lib/yaml.ts'

/** Keys that say whether a service is there, what it is and may do: one that changes is a grant. */
const POWERS = [
  'api',
  'prog',
  'enabled',
  'grants',
  'sandbox',
  'trusted',
  'needs',
  'hooks',
  'tokens',
  'allow',
  'hosts',
] as const
const LIMITS = { bytes_max: 1_048_576, tokens_max: 200_000 }

export const isPower = (key: string): boolean => POWERS.some((power) => key === power || key.startsWith(`${power}.`))

/** A value that is a power is one of both. */
export function valueChange(file: string, service: string, key: string, old?: Json, next?: Json): Change[] {
  const change: Change = { kind: 'value', file, key, old, new: next }
  return isPower(key) ? [change, { kind: 'grant', service, grant: `${key} ${shortJson(next)}` }] : [change]
}

/** Undefined: one of the texts cannot be read, so nothing can be said of it. */
export function configChanges({ path, text }: FileChange, before: string | undefined): Change[] | undefined {
  if (text === undefined || before === undefined) return undefined
  const [old, next] = [valuesOf(path, before), valuesOf(path, text)]
  if (old === undefined || next === undefined) return undefined
  const service = String(next.get('api') ?? path)
  const keys = [...new Set([...old.keys(), ...next.keys()])]
  return keys
    .filter((key) => !isSame(old.get(key), next.get(key)))
    .flatMap((key) => valueChange(path, service, key, old.get(key), next.get(key)))
}

/** Texts that are kept read: of a question, one is what stands on disk, and it is asked again. */
const KEPT_MAX = 64
const KEPT_CHARS_MAX = 16_384
const kept = new Map<string, ReadonlyMap<string, Json>>()

/** `limits.drain_ms` → value, for every value that is no map. The same text says the same: it is read once. */
function valuesOf(file: string, text: string): ReadonlyMap<string, Json> | undefined {
  const known = kept.get(text)
  if (known !== undefined) return known
  const values = readValues(file, text)
  if (values === undefined || text.length > KEPT_CHARS_MAX) return values
  kept.set(text, values)
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value ?? '')
  return values
}

function readValues(file: string, text: string): Map<string, Json> | undefined {
  const read = readYaml(file, text, LIMITS)
  if (!read.ok) return undefined
  const values = new Map<string, Json>()
  if (read.value === null) return values
  if (!isMap(read.value)) return undefined
  collect(read.value, '', values)
  return values
}

/** What `kernel.configs` tells of a service, with what stands one level down: `harness.retry_limit`. */
export function flatValues(told: readonly { key: string; value: Json }[]): Map<string, Json> {
  const values = new Map<string, Json>()
  for (const { key, value } of told) {
    values.set(key, value)
    if (isMap(value)) collect(value, `${key}.`, values)
  }
  return values
}

function collect(map: JsonMap, prefix: string, values: Map<string, Json>): void {
  for (const [key, value] of Object.entries(map)) {
    if (isMap(value)) collect(value, `${prefix}${key}.`, values)
    else values.set(prefix + key, value)
  }
}

const isSame = (one: Json | undefined, other: Json | undefined): boolean =>
  one === undefined || other === undefined ? one === other : canonicalJson(one) === canonicalJson(other)

const isMap = (value: Json): value is JsonMap => typeof value === 'object' && value !== null && !Array.isArray(value)
