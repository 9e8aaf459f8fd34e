/**
 * One attack on a running world: the module is dropped in, asked what the case says, and looked at afterwards. What came of
 * it is compared with what was declared. The service is removed again; who is waiting for that is the next world's matter.
 */
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { stringify } from 'yaml'
import type { ServiceDetail } from '../../modules/contracts/kernel.ts'
import type { Handle, UntypedService } from '../../modules/contracts/module.ts'
import { codeOf, reasonOf } from '../../modules/lib/errors.ts'
import { LIMITS, sourceOf, type Attack, type Outcome } from './attack.ts'
import { isThere, type World } from './world.ts'

export interface Verdict {
  id: string
  title: string
  guard: string
  ok: boolean
  /** what came of it, in words */
  got: string
  /** declared */
  wanted: string
  /** what was left of it was as declared */
  left: string
  /** the most this process grew while it was going on */
  rss_growth_mb: number
  ms: number
  /** from the end of the guest to the first good answer of the next one */
  rebuilt_ms: number | null
}

const CALL_MS = 25_000
const REBUILT_MS = 15_000
const LOOK_MS = 10
const UNDER_WAY_MS = 100
/** More than a source in quarantine needs, fewer than end its restarts. */
const KILLS = 4

export async function tryAttack(world: World, attack: Attack): Promise<Verdict> {
  const { system } = world
  const api = `attack-${attack.id}`
  const began = performance.now()
  const rss = world.markRss()
  const first = new Promise<string>((resolve) => {
    const leave = ['service.live', 'service.refused', 'service.failed'].map((type) =>
      system.kernel.events.on(type, ({ data }) => {
        if (data['api'] !== api) return
        for (const one of leave) one()
        resolve(type === 'service.live' ? 'live' : told(data['error']))
      }),
    )
  })
  system.root.write(`modules/attacks/${attack.id}.ts`, sourceOf(attack))
  system.root.write(`configs/${api}.yml`, configOf(attack))
  const start = await within(first, CALL_MS, 'nothing')
  const trial = new Trial(world, api, attack)
  const got = start === 'live' ? await trial.outcome() : `refused ${start}`
  const { left, rebuilt_ms } = await trial.leftOf(got)
  const wrongProcess = await trial.wrongProcess()
  system.root.remove(`configs/${api}.yml`)
  const { id, title, guard, expect, after = 'refused' in expect ? 'gone' : 'lives' } = attack
  const isLeft = left === after || (after === 'answers' && (left === 'lives' || left === 'rebuilt'))
  return {
    id,
    title,
    guard,
    ok: fits(expect, got) && isLeft && wrongProcess === '',
    got,
    wanted: describe(expect),
    left: `${isLeft ? left : `${left}, not ${after}`}${wrongProcess}`,
    rss_growth_mb: world.growthSince(rss),
    ms: Math.round(performance.now() - began),
    rebuilt_ms,
  }
}

function configOf({ id, sandbox, grants, config = '' }: Attack): string {
  const values = {
    prog: `attacks/${id}`,
    sandbox: { ...LIMITS, ...sandbox },
    ...(grants === undefined ? {} : { grants }),
  }
  return `${stringify(values)}${config}\n`
}

class Trial {
  readonly #world: World
  readonly #api: string
  readonly #attack: Attack
  readonly #handle: Handle<UntypedService>
  #before: ServiceDetail | undefined
  #isBare = false

  constructor(world: World, api: string, attack: Attack) {
    this.#world = world
    this.#api = api
    this.#attack = attack
    this.#handle = world.system.getApi(api).with({ deadlineMs: CALL_MS })
  }

  async outcome(): Promise<string> {
    const { calls = [['attack']], meanwhile } = this.#attack
    this.#before = await this.#show()
    const pid = this.#before?.sandbox?.pid
    if (typeof pid === 'number') {
      this.#world.pids.add(pid)
      this.#isBare = isBare(pid)
    }
    if (meanwhile === undefined) {
      let last = ''
      for (const [method, ...args] of calls) {
        last = await this.#call(method, args)
        // What ends the guest is the outcome, wherever in the list it happens.
        if (/^code sandbox_(cpu|memory|flood|crashed|host_died)/.test(last)) break
      }
      return last
    }
    const all = calls.map(([method, ...args]) => this.#call(method, args))
    await pause(UNDER_WAY_MS)
    if (meanwhile === 'kill its process') process.kill(pid as number, 'SIGKILL')
    else this.#world.system.root.remove(`configs/${this.#api}.yml`)
    const found = new Set(await Promise.all(all))
    return found.size === 1 ? ([...found][0] as string) : `several: ${[...found].join('; ')}`
  }

  async #call(method: string, args: readonly unknown[]): Promise<string> {
    try {
      if (method === 'items') return `value ${shown(await this.#items(args.length > 0 ? 3 : Infinity))}`
      return `value ${shown(await this.#handle[method]?.(...args))}`
    } catch (thrown) {
      return `code ${told(thrown)}`
    }
  }

  async #items(most: number): Promise<unknown[]> {
    const found: unknown[] = []
    const stream = (this.#handle['items'] as unknown as () => AsyncIterable<unknown>)()
    for await (const item of stream) if (found.push(item) >= most) break
    return found
  }

  /** What is wrong with the process it ran in, in words; empty: nothing that was declared. */
  async wrongProcess(): Promise<string> {
    const pid = this.#before?.sandbox?.pid
    if (this.#attack.process === undefined || typeof pid !== 'number') return ''
    if (this.#attack.process === 'bare') return this.#isBare ? '' : ', its process was not bare'
    for (const until = performance.now() + REBUILT_MS; performance.now() < until; await pause(LOOK_MS))
      if (!isThere(pid)) return ''
    return ', its process is still there'
  }

  /** It is done again each time there is a new one. */
  async #quarantined(): Promise<boolean> {
    const { kernel } = this.#world.system
    for (let time = 0; time < KILLS; time++) {
      const until = performance.now() + REBUILT_MS
      while ((await this.#call('alive', [])) !== "value 'alive'") {
        if (kernel.status().services[this.#api]?.state === 'quarantined') return true
        if (performance.now() > until) return false
        await pause(LOOK_MS)
      }
      await this.#call('attack', [])
    }
    return false
  }

  /** Whether the same guest answers, another one does, or nothing. */
  async leftOf(got: string): Promise<{ left: string; rebuilt_ms: number | null }> {
    const { system } = this.#world
    if (this.#attack.after === 'quarantined')
      return { left: (await this.#quarantined()) ? 'quarantined' : 'still running', rebuilt_ms: null }
    if (this.#before === undefined || this.#attack.meanwhile === 'remove its config')
      return { left: (await this.#isGone()) ? 'gone' : 'still there', rebuilt_ms: null }
    const began = performance.now()
    const wasEnded = /code sandbox_(cpu|memory|flood|crashed|host_died)/.test(got) && this.#attack.after === 'rebuilt'
    for (;;) {
      const answer = await this.#call('alive', [])
      const now = await this.#show()
      const kills = Object.values(now?.sandbox?.kills ?? {}).reduce((sum, one) => sum + one, 0)
      if (answer === "value 'alive'") {
        if (typeof now?.sandbox?.pid === 'number') this.#world.pids.add(now.sandbox.pid)
        const left = kills > 0 || now?.generation !== this.#before.generation ? 'rebuilt' : 'lives'
        if (left === 'rebuilt' || !wasEnded)
          return { left, rebuilt_ms: left === 'rebuilt' ? performance.now() - began : null }
      }
      if (performance.now() - began > REBUILT_MS) return { left: `no answer: ${answer}`, rebuilt_ms: null }
      if (system.kernel.status().services[this.#api] === undefined) return { left: 'gone', rebuilt_ms: null }
      await pause(LOOK_MS)
    }
  }

  async #isGone(): Promise<boolean> {
    const { system } = this.#world
    if (this.#before === undefined) return system.kernel.status().services[this.#api]?.state !== 'live'
    for (const until = performance.now() + REBUILT_MS; performance.now() < until; await pause(LOOK_MS))
      if (system.kernel.status().services[this.#api] === undefined) return true
    return false
  }

  #show(): Promise<ServiceDetail | undefined> {
    return this.#world.system.show(this.#api).catch(() => undefined)
  }
}

/** Without an environment, and under Node's permission model. Elsewhere than on Linux nobody can look. */
function isBare(pid: number): boolean {
  if (process.platform !== 'linux') return true
  const read = (what: string): string => readFileSync(`/proc/${pid}/${what}`, 'utf8')
  return read('environ') === '' && /--(experimental-)?permission\0/.test(read('cmdline'))
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function within<T>(work: Promise<T>, ms: number, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Tells -0, NaN, own `__proto__` keys and invalid dates apart. */
const shown = (value: unknown): string =>
  inspect(value, { depth: 30, breakLength: Infinity, maxStringLength: 200, maxArrayLength: 50, sorted: true })

function fits(expect: Outcome, got: string): boolean {
  if ('value' in expect) return got === `value ${shown(expect.value)}`
  if ('code' in expect && expect.reason !== undefined && !got.includes(expect.reason)) return false
  const [word, codes] = 'code' in expect ? ['code', expect.code] : ['refused', expect.refused]
  // A step of the start that failed names the cause within its reason: `init_threw (sandbox_cpu: …)`.
  return [codes]
    .flat()
    .some((code) => got.startsWith(`${word} ${code} `) || (word === 'refused' && got.includes(`(${code}: `)))
}

const told = (error: unknown): string =>
  `${codeOf(error) ?? 'callee_error'} (${reasonOf(error)
    .replace(/^.*?: (?=sandbox_)/, '')
    .slice(0, 120)})`

const describe = (expect: Outcome): string =>
  'value' in expect
    ? `value ${shown(expect.value)}`
    : 'code' in expect
      ? `code ${[expect.code].flat().join(' or ')}`
      : `refused ${[expect.refused].flat().join(' or ')}`
