/**
 * The callers of the reload storm: in the process, over HTTP, and readers of streams. Each call carries an id of its
 * own and is checked where it is made: its answer, the version that gave it, and that this version was the live one
 * when the call went in. Nothing is tried again. Used by reload-storm.ts.
 */
import { Agent, request } from 'node:http'
import type { Handle } from '../../modules/contracts/module.ts'
import type { Answer, Module } from '../fixtures/storm/module.ts'
import type { Random } from './load.ts'
import type { TestSystem } from './system.ts'

export interface StormCounts {
  now: number
  slow: number
  stream: number
  http: number
  failed: string[]
}

export const total = (counts: StormCounts): number => counts.now + counts.slow + counts.stream + counts.http

export interface Storm {
  readonly system: TestSystem
  readonly apis: readonly string[]
  readonly random: Random
  readonly counts: StormCounts
  /** calls to each service, by its name */
  readonly made: Map<string, number>
  /** ends the callers once they are through with what they began */
  readonly stop: AbortSignal
  nextId: number
  /** those who wait for a number of calls to have been made */
  readonly waiting: Set<{ calls: number; go: () => void }>
}

/** Resolves when this many calls have been made. */
export const made = (storm: Storm, calls: number): Promise<void> =>
  new Promise((resolve) => {
    storm.waiting.add({ calls, go: resolve })
  })

/** A service whose calls wait while it is reloaded: its streams are short, or everybody would wait for them. */
export const isCalm = (api: string): boolean => api.startsWith('calm')

export const SHARE = { http: 0.05, stream: 0.01 }

interface Begun {
  api: string
  id: number
  /** the live version when the call was made */
  from: number
}

const generationOf = (storm: Storm, api: string): number =>
  storm.system.kernel.services.get(api)?.live?.number ?? Number.NaN

function begin(storm: Storm): Begun {
  const api = storm.apis[storm.random.between(0, storm.apis.length - 1)] as string
  storm.made.set(api, (storm.made.get(api) ?? 0) + 1)
  for (const waiting of storm.waiting) {
    if (storm.nextId < waiting.calls) continue
    storm.waiting.delete(waiting)
    waiting.go()
  }
  return { api, id: storm.nextId++, from: generationOf(storm, api) }
}

function check(storm: Storm, call: Begun, kind: string, answer: Answer, reported = answer.generation): void {
  const wrong = (what: string): void => void storm.counts.failed.push(`${kind} ${call.api} ${call.id}: ${what}`)
  if (answer.id !== call.id) wrong(`answered for ${answer.id}`)
  if (answer.ended) wrong(`by version ${answer.generation}, which was ending`)
  if (answer.generation !== reported) wrong(`by version ${answer.generation}, reported as ${reported}`)
  if (answer.generation < call.from) wrong(`by version ${answer.generation}, when ${call.from} was live`)
  if (answer.generation > generationOf(storm, call.api)) wrong(`by version ${answer.generation}, not live yet`)
}

const failed = (storm: Storm, call: Begun, kind: string) => (error: unknown) => {
  storm.counts.failed.push(`${kind} ${call.api} ${call.id}: ${String(error)}`)
}

type Called = Handle<Module>

function callNow(storm: Storm): Promise<void> {
  storm.counts.now++
  const call = begin(storm)
  const answer = storm.system.getApi<Module>(call.api).now(call.id)
  return answer.then((given) => check(storm, call, 'now', given), failed(storm, call, 'now'))
}

function callSlow(storm: Storm): Promise<void> {
  storm.counts.slow++
  const call = begin(storm)
  const handle: Called = storm.system.getApi<Module>(call.api)
  const ms = storm.random.between(0, 50)
  if (call.id % 4 !== 0)
    return handle.slow(call.id, ms).then((given) => check(storm, call, 'slow', given), failed(storm, call, 'slow'))
  const detailed = handle.with({ detail: true })['slow']?.(call.id, ms)
  return Promise.resolve(detailed).then(
    (given) => {
      if (given !== undefined) check(storm, call, 'detailed', given.result as Answer, given.generation)
    },
    failed(storm, call, 'detailed'),
  )
}

/** Most are short; one in ten goes on for up to two seconds. */
async function readStream(storm: Storm): Promise<void> {
  storm.counts.stream++
  const call = begin(storm)
  const { random } = storm
  const [items, ms] =
    random.next() < 0.1 && !isCalm(call.api) ? [20, random.between(20, 100)] : [random.between(1, 8), 2]
  let expected = 0
  let version = Number.NaN
  try {
    for await (const answer of storm.system.getApi<Module>(call.api).stream(call.id, items, ms)) {
      check(storm, call, 'stream', answer)
      if (answer.at !== expected++) throw new Error(`item ${answer.at} instead of ${expected - 1}`)
      if (expected > 1 && answer.generation !== version) throw new Error('it went on in another version')
      version = answer.generation
    }
    if (expected !== items) throw new Error(`it ended after ${expected} of ${items} items`)
  } catch (error) {
    failed(storm, call, 'stream')(error)
  }
}

/** One of the callers in the process: calls at once, calls that wait, and now and then a stream, side by side. */
export async function callInside(storm: Storm): Promise<void> {
  const { counts, stop } = storm
  while (!stop.aborted) {
    const calls: Promise<void>[] = []
    if (counts.stream < total(counts) * SHARE.stream) calls.push(readStream(storm))
    for (let n = 0; n < 14; n++) calls.push(callSlow(storm))
    for (let n = 0; n < 38; n++) calls.push(callNow(storm))
    await Promise.all(calls)
    // HTTP costs many times as much: it is not to fall behind its share.
    while (!stop.aborted && counts.http < total(counts) * SHARE.http) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

/** One of the callers over HTTP. */
export async function callOutside(storm: Storm, keepAlive: boolean): Promise<void> {
  const { root } = storm.system
  const { url } = JSON.parse(root.read('runtime/http.json')) as { url: string }
  const token = root.read('runtime/token').trim()
  const agent = new Agent({ keepAlive, maxSockets: 1 })
  while (!storm.stop.aborted) {
    storm.counts.http++
    const call = begin(storm)
    const [method, args] = call.id % 2 === 0 ? ['now', [call.id]] : ['slow', [call.id, storm.random.between(0, 10)]]
    try {
      const { status, body } = await post(`${url}/api/services/${call.api}/call`, agent, token, { method, args })
      if (status === 200) check(storm, call, 'http', body.result as Answer, body.generation)
      else failed(storm, call, 'http')(`${status} ${JSON.stringify(body)}`)
    } catch (error) {
      failed(storm, call, 'http')(error)
    }
  }
  agent.destroy()
}

interface Posted {
  status: number
  body: { result?: unknown; generation?: number }
}

function post(url: string, agent: Agent, token: string, body: unknown): Promise<Posted> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Posted['body'] }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}
