/**
 * The source a version is tried under: a facade before its methods, which makes many calls in there at once, each at a
 * time of its own, and notices what an isolate hides from outside: that arguments are changed, which are clones there, and
 * that what all code shares is. Text, because it is evaluated with the module's own graph. Pure.
 */
import { basename, dirname, join } from 'node:path'
import { runnerText } from './trial-runner.ts'

/** Methods of the facade; not among those of the service. */
export const REPORT_METHOD = 'trialReport'
export const RUN_METHOD = 'trialRun'
export const LONG_METHOD = 'trialLong'
export const TOLD_METHOD = 'trialTold'
export const ARGS_METHOD = 'trialArgs'
export const RENEW_METHOD = 'trialRenew'
export const GIVE_METHOD = 'trialGive'
export const COLLECT_METHOD = 'trialCollect'
export const FACADE_METHODS: ReadonlySet<string> = new Set([
  REPORT_METHOD,
  RUN_METHOD,
  LONG_METHOD,
  TOLD_METHOD,
  ARGS_METHOD,
  RENEW_METHOD,
  GIVE_METHOD,
  COLLECT_METHOD,
])

export interface WorldReport {
  /** methods that changed an argument */
  mutated: string[]
  /** names of shared objects that were changed */
  polluted: string[]
}

/** Paths from the root, for `TrialRequest.texts` and `entry`. */
export function worldOf(entry: string): { entry: string; texts: Record<string, string> } {
  const stem = join(dirname(entry), basename(entry).replace(/\.[^.]+$/, ''))
  const world = `${stem}.trial-world.ts`
  const facade = `${stem}.trial.ts`
  return {
    entry: facade,
    texts: {
      [world]: WORLD,
      [facade]: facadeText(`./${basename(entry)}`, `./${basename(world)}`),
    },
  }
}

/**
 * The clock stands where the run puts it for each call, so that what depends on it is the same for every version; it moves
 * on by steps of 50 ms of real time, so that who waits for it to move comes to an end.
 */
const WORLD = `
const SHARED = { Object, Array, Function, String, Number, Boolean, Promise, Map, Set, Date, RegExp, Error, JSON, Math, Reflect, Symbol, globalThis }
const OWN_OF_PACKAGES = /^__zod_/
const STEP_MS = 50
const members = (of) => new Map(Reflect.ownKeys(of).map((key) => [key, Object.getOwnPropertyDescriptor(of, key)]))
export const { now: clock } = Date
export const later = setTimeout
export const forget = clearTimeout
const Bytes = ArrayBuffer
/** What is asked for and cannot be had makes the collector look for room everywhere first. */
export const collect = () => { try { new Bytes(2 ** 31) } catch { return true } return false }
let put
export const putClock = (at) => { put = at === undefined ? undefined : { at, since: clock() } }
const Real = Date
const now = () => put === undefined ? clock() : put.at + Math.floor((clock() - put.since) / STEP_MS) * STEP_MS
const Shifted = function Date(...args) {
  if (new.target === undefined) return new Real(now()).toString()
  return Reflect.construct(Real, args.length === 0 ? [now()] : args, new.target === Shifted ? Real : new.target)
}
Shifted.prototype = Real.prototype
Object.defineProperties(Shifted, { now: { value: now, writable: true, configurable: true }, parse: { value: Real.parse, writable: true, configurable: true }, UTC: { value: Real.UTC, writable: true, configurable: true } })
Object.defineProperty(globalThis, 'Date', { value: Shifted, writable: true, configurable: true })
const before = Object.entries(SHARED).flatMap(([name, of]) => [[name, of], ...(typeof of === 'function' && of.prototype ? [[name + '.prototype', of.prototype]] : [])]).map(([name, of]) => [name, of, members(of)])
export function polluted() {
  const found = []
  for (const [name, of, known] of before) {
    const now = members(of)
    for (const [key, one] of now) {
      if (of === globalThis && OWN_OF_PACKAGES.test(String(key))) continue
      const was = known.get(key)
      if (was === undefined || was.value !== one.value || was.get !== one.get || was.set !== one.set) found.push(name + '.' + String(key))
    }
    for (const key of known.keys()) if (!now.has(key)) found.push(name + '.' + String(key))
  }
  return found.slice(0, 50)
}
export const mutated = new Set()
`

const facadeText = (entry: string, world: string): string => `
import { clock, collect, forget, later, mutated, polluted, putClock } from '${world}'
import * as real from '${entry}'
export const configSchema = real.configSchema
const made = {}
export class Module extends real.Module {
  constructor(kernel, config) {
    const given = kernelOf(kernel)
    super(given, config)
    made.kernel = given
    made.config = config
    made.main = this
  }
  getAspect(name) {
    const found = typeof super.getAspect === 'function' ? super.getAspect(name) : undefined
    return name === 'default' ? facadeOf(found ?? this) : found
  }
}
const OWN = new Set(['constructor', 'init', 'run', 'selfTest', 'configure', 'handOver', 'takeOver', 'shutdown', 'getAspect', 'as', 'with', 'getStats', 'then'])
const facades = new WeakMap()
function facadeOf(self) {
  if (facades.has(self)) return facades.get(self)
  const facade = {}
  for (let level = self; level !== null && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const name of Object.getOwnPropertyNames(level)) {
      const value = Object.getOwnPropertyDescriptor(level, name)?.value
      if (name in facade || name.startsWith('_') || OWN.has(name) || typeof value !== 'function') continue
      // A bound one is still a stream, where it is one.
      facade[name] = Object.defineProperty(value.bind(self), 'length', { value: value.length })
    }
  }
  facade.${REPORT_METHOD} = () => ({ mutated: [...mutated], polluted: polluted() })
  facade.${RUN_METHOD} = run
  facade.${LONG_METHOD} = long
  facade.${TOLD_METHOD} = tellOf
  facade.${ARGS_METHOD} = (numbers) => numbers.map(argsOf)
  facade.${RENEW_METHOD} = renew
  facade.${COLLECT_METHOD} = collect
  facade.${GIVE_METHOD} = () => made.main.handOver()
  facades.set(self, facade)
  return facade
}
${runnerText}
`
