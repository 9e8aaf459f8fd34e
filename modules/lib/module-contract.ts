/**
 * Reads what an instance offers: public methods of its aspects, and its tools with their JSON Schemas. Read once,
 * before a version goes live; property values are looked at through descriptors, so that no getter runs.
 */
import { z } from 'zod'
import type { JsonMap } from '../contracts/seams.ts'
import type { AspectContract, Contract, Method, ToolContract } from '../contracts/state.ts'
import type { ToolContext } from '../contracts/tool.ts'
import { coded, reasonOf } from './errors.ts'
import { shortJson } from './short-json.ts'
import { foldToolName, signatureOf } from './tool-name.ts'

export const LIFECYCLE_NAMES = new Set([
  'constructor',
  'init',
  'run',
  'selfTest',
  'configure',
  'handOver',
  'takeOver',
  'shutdown',
  'getAspect',
])

/** Names that belong to the handle. */
export const RESERVED_METHODS = new Set(['as', 'with', 'getStats', 'then'])

type AnyFunction = (...args: unknown[]) => unknown

const StreamFunction = Object.getPrototypeOf(async function* () {}).constructor as unknown
const isStream = (fn: AnyFunction): boolean =>
  (Object.getPrototypeOf(fn) as { constructor: unknown } | null)?.constructor === StreamFunction ||
  fn.constructor === StreamFunction

/** Public functions of an object and its classes; the nearest definition wins. */
export function readAspect(self: object): AspectContract {
  const aspect: AspectContract = { methods: new Map(), values: new Set() }
  for (
    let level: object | null = self;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name.startsWith('_') || LIFECYCLE_NAMES.has(name)) continue
      if (aspect.methods.has(name) || aspect.values.has(name)) continue
      const value: unknown = Object.getOwnPropertyDescriptor(level, name)?.value
      if (typeof value !== 'function') {
        aspect.values.add(name)
        continue
      }
      if (RESERVED_METHODS.has(name)) throw coded('reserved_method', { method: name })
      aspect.methods.set(name, method(name, value as AnyFunction, self))
    }
  }
  return aspect
}

function method(name: string, fn: AnyFunction, self: unknown, length = fn.length): Method {
  return { info: { name, kind: isStream(fn) ? 'stream' : 'call', length }, fn, self }
}

/** The names besides `default` and `tool` are not listed anywhere: they are read when a handle first asks. */
export function readContract(instance: object, api: string): Contract {
  const getAspect = (instance as { getAspect?: unknown }).getAspect
  const contract: Contract = {
    aspects: new Map([['default', readAspect(aspectOf(instance, 'default') ?? instance)]]),
    tools: [],
  }
  if (typeof getAspect !== 'function') return contract
  const tools = aspectOf(instance, 'tool')
  if (tools === undefined) return contract
  const aspect: AspectContract = { methods: new Map(), values: new Set() }
  for (const [name, definition] of Object.entries(tools)) {
    if (name.startsWith('_')) continue
    if (RESERVED_METHODS.has(name)) throw coded('reserved_method', { method: name })
    const { info, run } = readTool(api, name, definition, tools)
    contract.tools.push(info)
    aspect.methods.set(name, method(name, run, undefined, 1))
  }
  contract.aspects.set('tool', aspect)
  return contract
}

/** undefined when the module has no such aspect; a module may say so by throwing, as in the paper. */
export function aspectOf(instance: object, name: string): object | undefined {
  const { getAspect } = instance as { getAspect?: (name: string) => unknown }
  if (typeof getAspect !== 'function') return name === 'default' ? instance : undefined
  let found: unknown
  try {
    found = getAspect.call(instance, name)
  } catch {
    return name === 'default' ? instance : undefined
  }
  if (found === undefined || found === null) return name === 'default' ? instance : undefined
  if (typeof found !== 'object' && typeof found !== 'function') {
    throw coded('aspect_invalid', { aspect: name, reason: `it is a ${typeof found}` })
  }
  if (found instanceof Promise) throw coded('aspect_invalid', { aspect: name, reason: 'it is a Promise' })
  return found
}

interface LooseTool {
  description?: unknown
  params?: unknown
  run?: unknown
  deadline_ms?: unknown
  read_only?: unknown
}

interface Issue {
  path: PropertyKey[]
  message: string
}

interface Schema {
  safeParse(value: unknown): { success: true; data: unknown } | { success: false; error: { issues: Issue[] } }
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && typeof (value as { safeParse?: unknown }).safeParse === 'function'

/** The schema as it is shown, and the check of arguments. `wrong` makes the error of this tool. */
function readParams(
  params: unknown,
  wrong: (reason: string) => Error,
): { schema: JsonMap; parse: Schema['safeParse'] } {
  if (!isSchema(params)) return readJsonSchema(params, wrong)
  let schema: JsonMap
  try {
    schema = z.toJSONSchema(params as unknown as z.ZodType, { target: 'draft-7', io: 'input' }) as JsonMap
  } catch (error) {
    throw wrong(`has \`params\` without a JSON Schema: ${reasonOf(error)}`)
  }
  if (schema['type'] !== 'object') throw wrong('has `params` that are no object')
  delete schema['$schema']
  return { schema, parse: (given) => params.safeParse(given) }
}

/** Made for somebody else's tool, who checks again: what zod cannot read of it is not checked here. */
function readJsonSchema(
  params: unknown,
  wrong: (reason: string) => Error,
): { schema: JsonMap; parse: Schema['safeParse'] } {
  if (typeof params !== 'object' || params === null || (params as JsonMap)['type'] !== 'object')
    throw wrong('has `params` that are neither a zod object nor a JSON Schema of an object')
  const { $schema: _draft, ...schema } = params as JsonMap
  let zod: Schema = z.looseObject({})
  try {
    zod = z.fromJSONSchema(params as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    // It has a keyword that zod does not know.
  }
  const parse: Schema['safeParse'] = (given) => {
    const result = zod.safeParse(given)
    return result.success ? { success: true, data: given } : result
  }
  return { schema, parse }
}

function readTool(
  api: string,
  name: string,
  definition: unknown,
  owner: object,
): { info: ToolContract; run: AnyFunction } {
  const wrong = (reason: string): Error => coded('aspect_invalid', { aspect: 'tool', reason: `\`${name}\` ${reason}` })
  const loose = definition as LooseTool
  const run = typeof definition === 'function' ? definition : loose.run
  if (typeof run !== 'function') throw wrong('has no function `run`')
  if (typeof loose.description !== 'string' || loose.description === '') throw wrong('has no `description`')
  const { schema, parse } = readParams(loose.params ?? z.object({}), wrong)
  const { deadline_ms } = loose
  if (deadline_ms !== undefined && !(typeof deadline_ms === 'number' && deadline_ms > 0))
    throw wrong('has a `deadline_ms` that is no positive number')
  const checked = (given: unknown, context: ToolContext): unknown => {
    const result = parse(given ?? {})
    if (result.success)
      return (run as AnyFunction).call(typeof definition === 'function' ? owner : definition, result.data, context)
    const tool = foldToolName(api, name)
    throw coded('bad_params', {
      tool,
      ...whatIsWrong(result.error.issues, given),
      signature: signatureOf(tool, schema),
    })
  }
  const info: ToolContract = { method: name, description: loose.description, schema }
  if (deadline_ms !== undefined) info.deadline_ms = deadline_ms
  if (loose.read_only === true) info.read_only = true
  return { info, run: checked as AnyFunction }
}

const ISSUES_TOLD = 5

/** The first wrong parameter by its path, what came there, and the others after it. */
function whatIsWrong(issues: readonly Issue[], given: unknown): { param: string; reason: string } {
  const [first, ...others] = issues.slice(0, ISSUES_TOLD).map(({ path, message }) => ({
    param: path.map(String).join('.') || '(all)',
    reason: `${message}, came ${shortJson(path.reduce<unknown>((at, key) => (at as never)?.[key], given))}`,
  }))
  const more = others.map(({ param, reason }) => `; also \`${param}\`: ${reason}`).join('')
  return { param: first?.param ?? '(all)', reason: `${first?.reason ?? 'it does not fit'}${more}` }
}
