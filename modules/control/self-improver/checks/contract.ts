/**
 * Is all still there that others call? Methods, streams, aspects, tools and their parameters may be added to; what narrows
 * them is refused. So is what makes public what was private.
 */
import type { JsonMap } from '../../../contracts/seams.ts'
import type { ToolContract } from '../../../contracts/state.ts'
import type { Trial, TrialContract } from '../../../contracts/trial.ts'
import { failed, passed, skipped, type ServiceCheck } from '../check.ts'
import { FACADE_METHODS } from '../trial-world.ts'

export const contractCheck: ServiceCheck = {
  name: 'contract',
  of: 'service',
  async run({ bench, subject }) {
    if ((await bench.untried()) !== null) return skipped('the version that serves cannot be tried in a sandbox')
    const { live, next } = await bench.three()
    const [was, is] = [ownContract(live.trial.contract), ownContract(next.trial.contract)]
    const source = Object.values(subject.before).join('\n')
    const narrowed = [
      ...narrowedIn(was, is),
      ...(await lostAspects(live.trial, next.trial, source)),
      ...uncovered(is, was, source),
    ]
    if (narrowed.length > 0) return failed(`${narrowed.join('; ')}: others rely on it`, { narrowed })
    const added = is.methods.filter(({ name }) => !was.methods.some((one) => one.name === name))
    const tools = is.tools.length - was.tools.length
    if (added.length === 0 && tools === 0) return passed('the same methods and tools')
    return passed(`added: ${[...added.map(({ name }) => name), ...(tools > 0 ? [`${tools} tools`] : [])].join(', ')}`)
  },
}

/** Without the methods of the facade they are tried behind. */
const ownContract = (contract: TrialContract): TrialContract => ({
  ...contract,
  methods: contract.methods.filter(({ name }) => !FACADE_METHODS.has(name)),
})

/** What the later of two contracts takes away. Pure. */
export function narrowedIn(was: TrialContract, is: TrialContract): string[] {
  const found: string[] = []
  for (const { name, kind, length } of was.methods) {
    const now = is.methods.find((one) => one.name === name)
    if (now === undefined) found.push(`the method \`${name}\` is gone`)
    else if (now.kind !== kind) found.push(`\`${name}\` was a ${kind} and is a ${now.kind}`)
    else if (now.length > length) found.push(`\`${name}\` takes ${now.length} arguments and took ${length}`)
  }
  for (const name of was.lifecycle)
    if (!is.lifecycle.includes(name) && name !== 'selfTest') found.push(`\`${name}()\` is gone`)
  for (const tool of was.tools) {
    const now = is.tools.find((one) => one.method === tool.method)
    if (now === undefined) found.push(`the tool \`${tool.method}\` is gone`)
    else found.push(...narrowedTool(tool, now))
  }
  return found
}

function narrowedTool(was: ToolContract, is: ToolContract): string[] {
  const found = narrowedSchema(was.schema, is.schema, `the tool \`${was.method}\``)
  if (was.read_only !== true && is.read_only === true) found.push(`the tool \`${was.method}\` says that it only reads`)
  return found
}

const mapAt = (schema: JsonMap, key: string): JsonMap => {
  const value = schema[key]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}
const listAt = (schema: JsonMap, key: string): string[] => {
  const value = schema[key]
  return Array.isArray(value) ? value.map((one) => JSON.stringify(one)) : []
}

/** Bounds that only let fewer values through when they grow, or shrink. */
const LOWER_BOUNDS = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems']
const UPPER_BOUNDS = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems']

/** Every value the former schema takes, the latter has to take. Pure; what it cannot compare has to be equal. */
export function narrowedSchema(was: JsonMap, is: JsonMap, where: string): string[] {
  const found: string[] = []
  const before = mapAt(was, 'properties')
  const after = mapAt(is, 'properties')
  const required = listAt(was, 'required')
  for (const name of listAt(is, 'required'))
    if (!required.includes(name)) found.push(`${where} requires ${name}, which it did not`)
  for (const [name, one] of Object.entries(before)) {
    const now = after[name]
    if (now === undefined) {
      if (is['additionalProperties'] !== false && Object.keys(after).length === 0) continue
      found.push(`${where} no longer takes \`${name}\``)
    } else found.push(...narrowedSchema(one as JsonMap, now as JsonMap, `\`${name}\` of ${where}`))
  }
  found.push(...narrowedValue(was, is, where))
  return found
}

function narrowedValue(was: JsonMap, is: JsonMap, where: string): string[] {
  const found: string[] = []
  const types = (schema: JsonMap): string[] => [schema['type'] ?? []].flat().map(String)
  const [before, after] = [types(was), types(is)]
  const takes = (type: string): boolean => after.includes(type) || (type === 'integer' && after.includes('number'))
  if (after.length > 0 && (before.length === 0 || !before.every(takes)))
    found.push(`${where} was ${before.join(' or ') || 'anything'} and is ${after.join(' or ')}`)
  const values = listAt(is, 'enum')
  if (values.length > 0) {
    const gone = listAt(was, 'enum').filter((one) => !values.includes(one))
    if (was['enum'] === undefined) found.push(`${where} takes only ${values.join(', ')}`)
    else if (gone.length > 0) found.push(`${where} no longer takes ${gone.join(', ')}`)
  }
  const num = (schema: JsonMap, key: string): number | undefined =>
    typeof schema[key] === 'number' ? schema[key] : undefined
  for (const key of LOWER_BOUNDS) {
    const now = num(is, key)
    if (now !== undefined && now > (num(was, key) ?? -Infinity)) found.push(`${where} has ${key} ${now}`)
  }
  for (const key of UPPER_BOUNDS) {
    const now = num(is, key)
    if (now !== undefined && now < (num(was, key) ?? Infinity)) found.push(`${where} has ${key} ${now}`)
  }
  if (is['pattern'] !== undefined && is['pattern'] !== was['pattern']) found.push(`${where} has another pattern`)
  if (typeof was['items'] === 'object' && typeof is['items'] === 'object')
    found.push(...narrowedSchema(was['items'] as JsonMap, is['items'] as JsonMap, `an item of ${where}`))
  return found
}

/** Aspects are listed nowhere: those the source names are looked for. */
async function lostAspects(live: Trial, next: Trial, source: string): Promise<string[]> {
  if (!live.contract.lifecycle.includes('getAspect')) return []
  const names = new Set([...source.matchAll(/['"`]([A-Za-z][\w-]{0,40})['"`]/g)].map(([, name = '']) => name))
  const found: string[] = []
  for (const name of [...names].filter((one) => one !== 'default' && one !== 'tool').slice(0, 40)) {
    const was = await live.aspect(name)
    if (was === null) continue
    const is = await next.aspect(name)
    if (is === null) found.push(`the aspect \`${name}\` is gone`)
    const missing = was.filter((one) => is !== null && !is.some((now) => now.name === one.name))
    found.push(...missing.map((one) => `\`${name}.${one.name}\` is gone`))
  }
  return found
}

/** A method whose name was that of a private member. */
function uncovered(is: TrialContract, was: TrialContract, source: string): string[] {
  return is.methods
    .filter(({ name }) => !was.methods.some((one) => one.name === name))
    .filter(({ name }) => new RegExp(`(?:[#_]|\\bprivate\\s+)${name.replace(/\$/g, '\\$')}\\b`).test(source))
    .map(({ name }) => `\`${name}\` was private and is public`)
}
