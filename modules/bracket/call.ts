/**
 * From the members of a block that was read to what it says: a call, a result, or why it is neither. Also reads the
 * forms in which other protocols write a call. Used by the scanner.
 */
import type { Json, JsonMap } from '../contracts/seams.ts'
import type { Frames } from './frames.ts'
import { badName, noHead, twice, unknownHead, wrongFence } from './mistakes.ts'
import type { BracketWarning, CallPart, ResultPart } from './types.ts'
import { setOwn } from './words.ts'

/** What a name is made of: 1 at its start too, 2 behind that only. */
const NAME_CHARS = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  return /[A-Za-z_]/.test(char) ? 1 : /[0-9.:/-]/.test(char) ? 2 : 0
})

function isName(text: string): boolean {
  if (NAME_CHARS[text.charCodeAt(0)] !== 1) return false
  for (let at = 1; at < text.length; at++) if (!((NAME_CHARS[text.charCodeAt(at)] ?? 0) > 0)) return false
  return true
}

/** Where a block was read, and how. */
export interface Reading {
  at: number
  source: string
  /** the fence around is one for results */
  results: boolean
  repair: boolean
}

/** What a block that was read to its end holds. */
type Held = Pick<Frames, 'members' | 'first' | 'head'>

/** Throws a `Refusal`. */
export function toPart(held: Held, warnings: BracketWarning[], reading: Reading): CallPart | ResultPart {
  const { members, first, head } = held
  const { at, source, results } = reading
  if (first === undefined) throw noHead(at, true)
  if (first !== 'call' && first !== 'result') {
    const call = reading.repair && !results ? foreignCall(members) : undefined
    if (call === undefined) throw unknownHead(at, first)
    const warning = { code: 'foreign_form' as const, message: 'a call in the form of another protocol', offset: at }
    return withWarnings({ kind: 'call', ...call, source }, [...warnings, warning])
  }
  const name = nameOf(head, reading, warnings)
  if (results !== (first === 'result')) throw wrongFence(at, first)
  if (first === 'result') return withWarnings({ kind: 'result', name, body: members, source }, warnings)
  return toCall(name, members, reading, warnings)
}

function nameOf(head: Json | undefined, { at, repair }: Reading, warnings: BracketWarning[]): string {
  if (typeof head !== 'string') throw badName(at, head)
  if (isName(head)) return head
  const name = head.replaceAll('\\_', '_')
  if (!repair || !isName(name)) throw badName(at, head)
  warnings.push({ code: 'escaped_underscore', message: '`\\_` was read as `_`', offset: at })
  return name
}

/** Members beside `params` and `id` are parameters written without the wrapper. */
function toCall(name: string, members: JsonMap, { at, source }: Reading, warnings: BracketWarning[]): CallPart {
  const { params, id } = members
  const lifted = besides(members)
  if (!isMap(params)) {
    if (params !== undefined || id !== undefined || lifted.length > 0) warnings.push(liftedAt(at))
    return withWarnings({ kind: 'call', name, params: members, id: undefined, source }, warnings)
  }
  const again = lifted.find((key) => Object.hasOwn(params, key))
  if (again !== undefined) throw twice(at, again)
  if (lifted.length > 0) warnings.push(liftedAt(at))
  for (const key of lifted) setOwn(params, key, members[key] ?? null)
  return withWarnings({ kind: 'call', name, params, id: typeof id === 'string' ? id : undefined, source }, warnings)
}

const NONE: readonly string[] = []

/** Its keys, without those that a call has. */
function besides(members: JsonMap): readonly string[] {
  const keys = Object.keys(members)
  if (keys.length === 1 && keys[0] === 'params') return NONE
  return keys.filter((key) => key !== 'params' && key !== 'id')
}

const liftedAt = (offset: number): BracketWarning => ({
  code: 'lifted',
  message: 'what stood beside `params` was read as parameters',
  offset,
})

function withWarnings<P extends CallPart | ResultPart>(part: P, warnings: readonly BracketWarning[]): P {
  return warnings.length === 0 ? part : { ...part, warnings }
}

const NAMES = ['name', 'tool', 'function']
const ARGUMENTS = ['arguments', 'parameters', 'params', 'args', 'input']
const BESIDE = new Set(['id', 'type'])

/** `{"name": …, "arguments": {…}}` and its kin; undefined for anything that is not exactly one of them. */
function foreignCall(members: JsonMap): Pick<CallPart, 'name' | 'params' | 'id'> | undefined {
  const keys = Object.keys(members).filter((key) => !BESIDE.has(key))
  const nameKey = keys.find((key) => NAMES.includes(key))
  if (nameKey === undefined) return undefined
  const named = members[nameKey]
  const id = typeof members['id'] === 'string' ? members['id'] : undefined
  if (isMap(named) && keys.length === 1) {
    const inner = foreignCall(named)
    return inner && { ...inner, id }
  }
  const others = keys.filter((key) => key !== nameKey)
  const [argumentsKey] = others
  if (typeof named !== 'string' || !isName(named) || others.length > 1) return undefined
  if (argumentsKey === undefined || !ARGUMENTS.includes(argumentsKey)) return undefined
  const params = argumentsOf(members[argumentsKey])
  return params && { name: named, params, id }
}

/** A map, or the JSON text of one. */
function argumentsOf(value: Json | undefined): JsonMap | undefined {
  if (typeof value !== 'string') return isMap(value) ? value : undefined
  try {
    const read = JSON.parse(value) as Json
    return isMap(read) ? read : undefined
  } catch {
    return undefined
  }
}

const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
