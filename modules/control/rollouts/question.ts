/**
 * A proposal in the words of the policy: single values where a config changes only in values, files everywhere else,
 * and the way back. Distances are measured from the value a person approved last (`approved`), which is known here. Pure.
 */
import type { Change, PolicyQuestion, UndoStep, ValueChange } from '../../contracts/policy.ts'
import type { ProposalInput, ProposedEdit } from '../../contracts/proposals.ts'
import type { Json, JsonMap } from '../../contracts/seams.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { readYaml } from '../../lib/yaml.ts'
import type { FileBytes } from './batch.ts'

/** The value a person approved last; undefined: nobody has moved it since a person wrote it. */
export type Approved = (file: string, key: string, now: Json | undefined) => Json | undefined

const CONFIG = /^configs\/(?!meta[^/]*$).+\.ya?ml$/
const LIMITS = { bytes_max: 1_048_576, tokens_max: 200_000 }
/** What a service may do is a grant, not a value. */
const GRANTS = 'grants'

export function questionOf(
  { origin, actor, edits, review }: Pick<ProposalInput, 'origin' | 'actor' | 'edits' | 'review'>,
  files: readonly FileBytes[],
  approved: Approved,
): PolicyQuestion {
  const changes = edits.flatMap((edit, index) => changesOf(edit, files[index]?.bytes ?? null, approved))
  const undo = edits.map(({ path }, index): UndoStep => {
    const isNew = (files[index]?.bytes ?? null) === null
    return { operation: isNew ? 'remove_file' : 'restore_file', target: path }
  })
  return { origin, actor, changes, undo, ...(review === undefined ? {} : { review }) }
}

export const valuesIn = (changes: readonly Change[]): ValueChange[] => changes.filter((one) => one.kind === 'value')

function changesOf({ path, text }: ProposedEdit, before: Buffer | null, approved: Approved): Change[] {
  const operation = before === null ? 'create' : text === null ? 'delete' : 'modify'
  const values = operation === 'modify' && CONFIG.test(path) ? valueChanges(path, before, text, approved) : undefined
  return values ?? [{ kind: 'file', path, operation, ...(text === null ? {} : { text }) }]
}

/** undefined when it is more than values, or nobody can say. */
function valueChanges(
  path: string,
  before: Buffer | null,
  after: string | null,
  approved: Approved,
): Change[] | undefined {
  const [old, next] = [valuesOf(path, before?.toString('utf8')), valuesOf(path, after)]
  if (old === undefined || next === undefined) return undefined
  const keys = [...new Set([...old.keys(), ...next.keys()])]
  const differing = keys.filter((key) => canonicalJson(old.get(key) ?? null) !== canonicalJson(next.get(key) ?? null))
  if (differing.length === 0) return undefined
  return differing.flatMap((key): Change[] => {
    const [was, is] = [old.get(key), next.get(key)]
    const known = approved(path, key, was)
    const change: Change = { kind: 'value', file: path, key, old: was, new: is }
    const value: Change = known === undefined ? change : { ...change, approved: known }
    return [value, ...(key === GRANTS ? newGrants(String(next.get('api') ?? path), was, is) : [])]
  })
}

function newGrants(service: string, was: Json | undefined, is: Json | undefined): Change[] {
  const had = new Set(Array.isArray(was) ? was.map(canonicalJson) : [])
  const now = Array.isArray(is) ? is : is === undefined ? [] : [is]
  return now
    .filter((grant) => !had.has(canonicalJson(grant)))
    .map((grant) => ({ kind: 'grant', service, grant: typeof grant === 'string' ? grant : canonicalJson(grant) }))
}

/** `limits.drain_ms` → value, for every value that is no map. */
function valuesOf(file: string, text: string | null | undefined): Map<string, Json> | undefined {
  if (typeof text !== 'string') return undefined
  const read = readYaml(file, text, LIMITS)
  if (!read.ok || (read.value !== null && !isMap(read.value))) return undefined
  const values = new Map<string, Json>()
  if (read.value !== null) collect(read.value, '', values)
  return values
}

function collect(map: JsonMap, prefix: string, values: Map<string, Json>): void {
  for (const [key, value] of Object.entries(map)) {
    if (isMap(value)) collect(value, `${prefix}${key}.`, values)
    else values.set(prefix + key, value)
  }
}

const isMap = (value: Json): value is JsonMap => typeof value === 'object' && value !== null && !Array.isArray(value)
