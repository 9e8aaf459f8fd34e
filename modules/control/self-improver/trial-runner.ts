/**
 * What the facade of a trial does in the isolate, as text: calls one after the other on the instance that serves there or
 * on a new one, each told with what it came to and what it asked of others. What others answer is asked for once and kept:
 * the bench answers the same question always alike. Part of the module that `trial-world.ts` writes. Pure.
 */

/** A run gives back what it has after so long; the rest is asked for again. */
const BATCH_MS = 4_000
/** The processor time of one entry is limited: a new one begins after so long. */
const ENTRY_MS = 30
/** Every so many calls of a long run one has an argument that was never there before. */
const FRESH_EVERY = 3

/** Of a whole trial; after them only what one call logs beyond so many lines goes out. */
const LINES_TOLD = 100
const LINES_A_CALL_MAX = 10

export const runnerText = `
const LATE = Symbol('late')
const blank = () => ({ effects: [], unanswered: false, alike: false, lines: 0 })
let current = blank()
const text = (value) => { try { return JSON.stringify(value) } catch { return undefined } }

/** What JSON tells whole is copied by it, which is the quickest way. */
function isPlain(value, depth = 0) {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || depth > 20) return false
  if (Array.isArray(value)) return value.every((one) => isPlain(one, depth + 1))
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every((one) => isPlain(one, depth + 1))
}

function copier(value) {
  if (!isPlain(value)) return () => structuredClone(value)
  const kept = text(value)
  return () => JSON.parse(kept)
}

const answers = new Map()
const alikes = new Map()
let isAlone = false

function kernelOf(kernel) {
  const handles = new Map()
  const getApi = (api) => {
    const name = String(api)
    if (!handles.has(name)) handles.set(name, handleOf(kernel.getApi(name), name, 'default'))
    return handles.get(name)
  }
  return Object.freeze({ ...kernel, getApi, log: logOf(kernel.log) })
}

let lines = 0

/** A line a call is no flood where calls come a thousand times as fast as in life; a hundred a call are one. */
function logOf(log) {
  const level = (name) => (...args) => {
    lines++
    current.lines++
    if (lines <= ${LINES_TOLD} || current.lines > ${LINES_A_CALL_MAX}) log[name](...args)
  }
  return Object.freeze({ debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') })
}

function handleOf(target, api, aspect) {
  const own = {
    as: (other) => handleOf(target.as(String(other)), api, String(other)),
    with: () => handleOf(target, api, aspect),
    toString: () => '[handle ' + api + ']',
  }
  return new Proxy(own, {
    get: (known, name) => typeof name === 'symbol' || name === 'then' ? undefined : known[name] ?? (async (...args) => ask(target, api, aspect, name, args)),
  })
}

async function ask(target, api, aspect, method, args) {
  const call = current
  const key = text([api, aspect, method, args])
  const kind = api + '@' + aspect + '.' + method
  call.effects.push(key ?? kind)
  if (key !== undefined && call.given !== undefined && Object.hasOwn(call.given, key)) {
    call.alike = true
    return structuredClone(call.given[key])
  }
  let known = key === undefined ? undefined : answers.get(key)
  if (known === undefined && isAlone) known = alikes.get(kind)
  if (known === undefined) {
    known = target[method](...args).then(({ found, value }) => ({ found, copy: copier(value) }), (error) => ({ error }))
    if (key !== undefined && answers.size < 5000) answers.set(key, known)
  }
  const { found, copy, error } = await known
  if (found === 'alike') {
    call.alike = true
    alikes.set(kind, known)
  }
  if (error?.code === 'replay_unanswered') call.unanswered = true
  if (error !== undefined) throw error
  return copy()
}

function aspectOf(of, name) {
  const found = Object.hasOwn(of, 'getAspect') ? of.getAspect : real.Module.prototype.getAspect
  if (typeof found !== 'function') return undefined
  try { return Reflect.apply(found, of, [name]) ?? undefined } catch { return undefined }
}

const coded = (code, message) => Object.assign(new Error(message), { name: 'CodedError', code })

function targetOf(of, aspect, method) {
  const self = aspect === 'default' ? aspectOf(of, 'default') ?? of : aspectOf(of, aspect)
  const found = self?.[method]
  if (aspect !== 'tool' || found === undefined) {
    if (typeof found !== 'function' || method.startsWith('_') || method === 'constructor') throw coded('method_not_found', method)
    return (args) => Reflect.apply(found, self, args)
  }
  const fn = typeof found === 'function' ? found : found.run
  return ([given, context]) => {
    const checked = found.params
    if (typeof checked?.safeParse !== 'function') return Reflect.apply(fn, found, [given ?? {}, context])
    const read = checked.safeParse(given ?? {})
    if (!read.success) throw coded('bad_params', read.error.issues[0]?.message ?? '')
    return Reflect.apply(fn, found, [read.data, context])
  }
}

/** Most calls are done within a few turns: no timer is set for these. */
async function inTime(promise, ms) {
  let isDone = false
  const done = () => { isDone = true }
  promise.then(done, done)
  for (let turn = 0; turn < 40 && !isDone; turn++) await null
  if (isDone) return promise
  let timer
  const late = new Promise((_, reject) => { timer = later(() => reject(LATE), ms) })
  try { return await Promise.race([promise, late]) } finally { forget(timer) }
}

async function whole(value) {
  if (typeof value?.[Symbol.asyncIterator] !== 'function') return structuredClone(value)
  const items = []
  for await (const one of value) if (items.push(one) >= 1000) break
  return structuredClone(items)
}

const failure = (thrown) => thrown === LATE
  ? { outcome: 'deadline_exceeded' }
  : { outcome: typeof thrown?.code === 'string' ? thrown.code : 'callee_error', name: String(thrown?.name ?? 'Error').slice(0, 100), message: String(thrown?.message ?? thrown).slice(0, 1000) }

async function once([aspect, method, args, at, given], ms) {
  const call = current = { ...blank(), given }
  putClock(at)
  const was = args.map(text)
  const since = clock()
  let came
  try {
    came = { outcome: 'ok', value: await inTime((async () => whole(await targetOf(made.main, aspect, method)(args)))(), ms) }
  } catch (thrown) {
    came = failure(thrown)
  }
  const spent = clock() - since
  if (args.some((one, index) => text(one) !== was[index])) mutated.add(method)
  const { effects, unanswered, alike } = call
  return { ...came, ms: spent, effects: [...effects], unanswered, alike }
}

const pause = (ms) => new Promise((resolve) => later(resolve, ms))

/** On the instance that serves in here. May end before the last; \`settle_ms\`: so long before each its background works. */
async function run(calls, ms, settle_ms) {
  isAlone = false
  const begun = clock()
  let entered = begun
  const outcomes = []
  for (const call of calls) {
    if (settle_ms > 0) await pause(settle_ms)
    outcomes.push(await once(call, ms))
    if (clock() - begun > ${BATCH_MS}) break
    if (clock() - entered < ${ENTRY_MS}) continue
    await pause(0)
    entered = clock()
  }
  putClock(undefined)
  return outcomes
}

/** From here on another instance serves in there, with the state of another version if there is one. */
async function renew(state, version) {
  made.main = new real.Module(made.kernel, made.config)
  await made.main.init?.()
  if (state !== undefined) await made.main.takeOver(state.value, version)
}

function digest(value) {
  const of = String(value)
  let hash = 0x811c9dc5
  for (let index = 0; index < of.length; index++) hash = Math.imul(hash ^ of.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/** The first text among its arguments becomes one that was never there. */
function freshen(args, serial) {
  const fresh = [...args]
  const at = fresh.findIndex((one) => typeof one === 'string')
  if (at >= 0) fresh[at] += '~' + serial
  else {
    const map = fresh.findIndex((one) => typeof one === 'object' && one !== null && !Array.isArray(one))
    const key = map < 0 ? undefined : Object.keys(fresh[map]).find((name) => typeof fresh[map][name] === 'string')
    if (key !== undefined) fresh[map] = { ...fresh[map], [key]: fresh[map][key] + '~' + serial }
  }
  return fresh
}

/** A result without the places that are not the same twice. */
function without(value, places, path) {
  if (places.has(path) || places.has(path + '#')) return null
  if (Array.isArray(value)) return value.map((one) => without(one, places, path + '.*'))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, without(one, places, path + '.' + (/^\\d+$/.test(key) ? '*' : key))]))
}

/** What a call of a long run is made with, by its number: the same on every version. */
function argsOf(number) {
  const args = pool[number % pool.length].copy()
  return number >= pool.length && number % ${FRESH_EVERY} === 0 ? freshen(args, number) : args
}

let told = []
let pool = []
let alone

/** What the last stretch came to, as it was then. */
const tellOf = (index) => {
  const { args, outcome, name, message, effects, unanswered, alike, json } = told[index] ?? {}
  return outcome === undefined ? undefined : { args, outcome, name, message, effects, unanswered, alike, ms: 0, value: json === undefined ? undefined : JSON.parse(json) }
}

async function begin(calls, isMain) {
  pool = calls.map(([aspect, method, args]) => ({ aspect, method, copy: copier(args) }))
  alone = isMain ? made.main : new real.Module(made.kernel, made.config)
  if (!isMain) await alone.init?.()
}

/** From a number on, so many calls of one pool, each as a number that stands for what it came to. */
async function long({ calls, isMain, from, count, at, each_ms, ms, isNoisy, places = [], isTold }) {
  isAlone = true
  if (calls !== undefined) await begin(calls, isMain)
  const { aspect, method } = pool[0]
  const target = targetOf(alone, aspect, method)
  told = []
  const noisy = new Set(places)
  const steady = (json) => noisy.size === 0 || json === undefined ? json : text(without(JSON.parse(json), noisy, ''))
  const digests = []
  const begun = clock()
  let entered = begun
  for (let number = from; number < from + count; number++) {
    const given = argsOf(number)
    const call = current = blank()
    putClock(at + (number - from) * each_ms)
    let came
    try {
      let value = target(given)
      if (typeof value?.then === 'function') value = await inTime(value, ms)
      came = { outcome: 'ok', json: text(typeof value?.[Symbol.asyncIterator] === 'function' ? await whole(value) : value) }
    } catch (thrown) {
      came = failure(thrown)
    }
    // Otherwise nothing of a call is kept: what is measured is the memory of the version.
    if (isTold) told.push(Object.assign(came, call, { args: given }))
    const { effects } = call
    digests.push(isNoisy ? digest(came.outcome) : digest(came.outcome + ' ' + (steady(came.json) ?? came.name) + ' ' + (effects.length > 1 ? effects.sort().join() : effects[0])))
    const now = clock()
    if (now - begun > ${BATCH_MS}) break
    if (now - entered < ${ENTRY_MS}) continue
    await pause(0)
    entered = clock()
  }
  putClock(undefined)
  return digests
}
`
