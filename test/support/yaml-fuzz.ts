/**
 * Hostile texts through the config parser of the kernel, one by one: each has to end in a service or in a coded error
 * with its place, within its time, and leave every prototype alone. Every seventh text is compared with what the plain
 * YAML library makes of it, so that the limits refuse what they say and nothing else.
 */
import { isDeepStrictEqual } from 'node:util'
import { parseDocument, type Document } from 'yaml'
import { ERRORS, type ErrorData } from '../../modules/contracts/errors.ts'
import { ConfigParser, resolveConfigs } from '../../modules/kernel/configs.ts'
import { LIMITS } from '../../modules/kernel/limits.ts'
import { readYaml } from '../../modules/lib/yaml.ts'
import { caseText } from './yaml-cases.ts'

const WITHIN = { bytes_max: LIMITS.config_bytes_max, tokens_max: LIMITS.config_tokens_max }
const OPTIONS = { ...WITHIN, defaults: {} }
const SLOW_MS = 100
const COMPARE_ONE_IN = 7
const PROTOTYPES_ONE_IN = 500

export interface FuzzReport {
  valid: number
  refused: Record<string, number>
  compared: number
  /** what went wrong, each with its seed and number */
  problems: string[]
  /** cases over the limit; their seed and number */
  slow: string[]
  slowest_ms: number
  all_ms: number
}

export function fuzzYaml(seed: number, cases: number): FuzzReport {
  const report: FuzzReport = { valid: 0, refused: {}, compared: 0, problems: [], slow: [], slowest_ms: 0, all_ms: 0 }
  const prototypes = new Prototypes()
  for (let n = 0; n < cases && report.problems.length < 5; n++) {
    const name = `seed ${seed} case ${n}`
    const text = caseText(seed, n)
    const problem = runCase(name, text, report) ?? (n % COMPARE_ONE_IN === 0 ? compare(text, report) : undefined)
    if (problem !== undefined) report.problems.push(`${name}: ${problem}`)
    if (n % PROTOTYPES_ONE_IN > 0 && n < cases - 1) continue
    for (const changed of prototypes.changed()) report.problems.push(`${name} or one before: ${changed} was changed`)
  }
  return report
}

interface Outcome {
  error: ErrorData | undefined
  params: object | undefined
}

function parse(text: string): Outcome {
  const { services, errors } = resolveConfigs([{ path: 'a.yml', text, hash: '' }], new ConfigParser(), OPTIONS)
  return { error: errors[0], params: services.values().next().value?.params }
}

/**
 * What is over the limit by the wall clock may have waited for another program: then the processor's time decides, at
 * the fastest of three, since the work of other threads (collecting, compiling) counts in it.
 */
function slowness(text: string, wall_ms: number): number {
  let fastest = wall_ms
  for (let again = 0; again < 3 && fastest > SLOW_MS; again++) {
    const before = process.cpuUsage()
    parse(text)
    const { user, system } = process.cpuUsage(before)
    fastest = Math.min(fastest, (user + system) / 1000)
  }
  return fastest
}

function runCase(name: string, text: string, report: FuzzReport): string | undefined {
  let outcome: Outcome
  const begun = performance.now()
  try {
    outcome = parse(text)
  } catch (thrown) {
    return `it threw ${String(thrown)}`
  }
  const { error, params } = outcome
  const wall_ms = performance.now() - begun
  const ms = slowness(text, wall_ms)
  report.all_ms += wall_ms
  report.slowest_ms = Math.max(report.slowest_ms, ms)
  if (ms > SLOW_MS) report.slow.push(`${name}: ${ms} ms`)
  if (error === undefined) {
    report.valid++
    return params === undefined ? undefined : oddPrototype(params, 'params')
  }
  report.refused[error.code] = (report.refused[error.code] ?? 0) + 1
  return wrongError(error, text)
}

function wrongError({ code, file, line, column, message, hint }: ErrorData, text: string): string | undefined {
  const lines = text.split(/\r\n|\n/).length
  if (!Object.hasOwn(ERRORS, code)) return `the code ${code} is not in the table`
  if (file !== 'configs/a.yml' || message === '' || hint === '') return `${code} lacks its file, message or hint`
  const isPlace = (one: number | undefined, max: number): boolean => one !== undefined && one >= 1 && one <= max
  return isPlace(line, lines) && isPlace(column, text.length + 1)
    ? undefined
    : `${code} at ${line}:${column}, of ${lines} lines: ${message}`
}

/** Where a value is not what JSON would give. */
function oddPrototype(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const expected = Array.isArray(value) ? Array.prototype : Object.prototype
  if (Object.getPrototypeOf(value) !== expected) return `${path} has a prototype of its own`
  for (const key of Object.keys(value)) {
    const found = oddPrototype((value as Record<string, unknown>)[key], `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** What this parser refuses on top of what the library does. */
const OWN = /a second time|deep|stands for itself|must be text|NUL|no anchor|be text/

/** Small texts only: the library has no limits. */
function compare(text: string, report: FuzzReport): string | undefined {
  if (text.length > 2_000) return undefined
  report.compared++
  const ours = readYaml('configs/a.yml', text, WITHIN)
  const error = ours.ok ? undefined : ours.error
  if (error !== undefined && (error.code !== 'config_syntax' || OWN.test(error.message))) return undefined
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true })
  const [first] = document.errors
  if (error !== undefined) {
    return first !== undefined || valueOf(document) === undefined
      ? undefined
      : `the library reads it; here: ${error.message}`
  }
  if (first !== undefined) return `the library refuses it (${first.message}); here it is read`
  const theirs = valueOf(document)
  if (!ours.ok || isDeepStrictEqual(ours.value, theirs)) return undefined
  return `${JSON.stringify(ours.value)}; the library: ${JSON.stringify(theirs)}`
}

/** undefined when the library itself cannot say. */
function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: -1 }) ?? null
  } catch {
    return undefined
  }
}

/** The prototypes that all code shares, as they were. */
class Prototypes {
  private readonly before = [
    Object,
    Array,
    Function,
    String,
    Number,
    Boolean,
    Map,
    Set,
    Date,
    RegExp,
    Error,
    Promise,
  ].map(({ prototype, name }) => ({ name, prototype: prototype as object, was: snapshot(prototype as object) }))

  changed(): string[] {
    return this.before
      .filter(({ prototype, was }) => !isDeepStrictEqual(snapshot(prototype), was))
      .map(({ name }) => `${name}.prototype`)
  }
}

const snapshot = (of: object): unknown[] =>
  Reflect.ownKeys(of).map((key) => [key, Object.getOwnPropertyDescriptor(of, key)])
