/**
 * One mutation on one peer: a steady load on the subject before, while and after it is delivered, every answer judged as it
 * comes, then calls one by one. Runs in another process than the peer, which it knows by `Peer` only.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Delivery, Driver, Mutation, Outcome, Peer, Planned, Subject, TrialResult } from './contract.ts'
import { apply, isBad } from './corpus.ts'
import { cache, search } from './drivers/reading.ts'
import { limits, llm, pricing, scheduler } from './drivers/pure.ts'
import { kv } from './drivers/kv.ts'
import { queue } from './drivers/queue.ts'
import { LATE, seeded } from './drivers/driver.ts'

const drivers: Record<Subject['name'], () => Driver> = { pricing, kv, queue, cache, search, llm, scheduler, limits }

export const PACE = {
  calls_per_second: 100,
  deadline_ms: 250,
  /** of a call at the end: whether it answers at all is asked there, not how fast */
  probe_ms: 2_000,
  in_flight_max: 60,
  pulse_ms: 25,
  /** before anything is proposed */
  warm_ms_max: 20_000,
  /** of the calls at the end, to serve */
  right_share_min: 0.9,
}

export interface TrialOptions {
  seed: number
  warm_ms: number
  /** after the verdict */
  observe_ms: number
  probes: number
}

/** What callers of one trial saw. */
class Watch {
  calls = 0
  failed = 0
  wrong = 0
  late = 0
  first: string | null = null
  firstAt = 0
  lastAt = 0
  stall = 0
  lost = false
  counting = false
  callsBefore = 0
  lateBefore = 0
  readonly leaks = new Set<string>()

  /** Nothing has been proposed yet: what the machine is like. */
  before(late: boolean): void {
    this.callsBefore++
    if (late) this.lateBefore++
  }

  bad(kind: 'failed' | 'wrong' | 'late', why: string): void {
    if (!this.counting) return
    this[kind]++
    this.first ??= why
    this.lastAt = performance.now()
    if (this.firstAt === 0) this.firstAt = this.lastAt
  }
}

export class Trial {
  readonly #peer: Peer
  readonly #mutation: Mutation
  readonly #driver: Driver
  readonly #options: TrialOptions
  readonly #secret: string
  readonly #watch = new Watch()
  #inFlight = 0
  #ended = false

  constructor(peer: Peer, mutation: Mutation, secret: string, options: TrialOptions) {
    this.#peer = peer
    this.#mutation = mutation
    this.#secret = secret
    this.#options = options
    this.#driver = drivers[mutation.subject]()
  }

  /** The peer has been started with an untouched subject. */
  async run(canary: string): Promise<TrialResult> {
    mkdirSync(canary, { recursive: true })
    const watch = this.#watch
    for (const planned of this.#driver.fill()) await this.#judged(planned, 2_000)
    const load = this.#load()
    const pulse = this.#pulse()
    await pause(this.#options.warm_ms)
    // On a machine with much else to do fewer calls are made in that time: as many as there would have been are waited for.
    const most = performance.now() + PACE.warm_ms_max
    const enough = (this.#options.warm_ms / 1_000) * PACE.calls_per_second * PACE.right_share_min
    while (watch.callsBefore - watch.lateBefore < enough && performance.now() < most) await pause(PACE.pulse_ms)
    const cpu = this.#peer.cpuSeconds()
    watch.counting = true
    const from = performance.now()
    const delivery = await this.#peer.deliver(this.#mutation, apply(this.#mutation, canary))
    const verdictMs = performance.now() - from
    await this.#findLost()
    await pause(this.#options.observe_ms)
    this.#ended = true
    await Promise.all([load, pulse])
    const right = await this.#probe()
    const status = await this.#peer.status()
    return {
      ...this.#result(delivery, readdirSync(canary)),
      candidate: status.candidate,
      serving: status.up && right >= PACE.right_share_min,
      verdict_ms: verdictMs,
      live_ms: delivery.live_at === null ? null : delivery.live_at - from,
      cpu_s: this.#peer.cpuSeconds() - cpu,
      ledger: await this.#peer.ledger(),
    }
  }

  #result(
    delivery: Delivery,
    files: string[],
  ): Omit<TrialResult, 'candidate' | 'serving' | 'verdict_ms' | 'live_ms' | 'cpu_s' | 'ledger'> {
    const watch = this.#watch
    return {
      mutation: this.#mutation.id,
      class: this.#mutation.class,
      peer: this.#peer.name,
      verdict: delivery.verdict,
      by: delivery.by,
      message: delivery.message.slice(0, 300),
      calls: watch.calls,
      failed: watch.failed,
      wrong: watch.wrong,
      late: watch.late,
      calls_before: watch.callsBefore,
      late_before: watch.lateBefore,
      first_bad: watch.first,
      bad_ms: watch.lastAt - watch.firstAt,
      stall_ms: watch.stall,
      state_lost: watch.lost,
      residue: [...files.map((file) => `file ${file}`), ...watch.leaks],
    }
  }

  /** As many calls a second as agreed, however long each takes. */
  async #load(): Promise<void> {
    const random = seeded(this.#options.seed)
    const from = performance.now()
    const open = new Set<Promise<unknown>>()
    for (let made = 0; !this.#ended; made++) {
      const due = from + (made * 1_000) / PACE.calls_per_second
      if (due > performance.now()) await pause(due - performance.now())
      if (this.#inFlight >= PACE.in_flight_max) continue
      const one = this.#judged(this.#driver.next(random), PACE.deadline_ms)
      open.add(one)
      void one.finally(() => open.delete(one))
    }
    await Promise.all(open)
  }

  async #pulse(): Promise<void> {
    while (!this.#ended) {
      const since = performance.now()
      await this.#peer.call({ service: 'pulse', method: 'beat', args: [] }, 2_000)
      if (this.#watch.counting) this.#watch.stall = Math.max(this.#watch.stall, performance.now() - since)
      await pause(PACE.pulse_ms)
    }
  }

  /** True when the answer was right. */
  async #judged(planned: Planned, deadlineMs: number): Promise<boolean> {
    this.#inFlight++
    const since = performance.now()
    const outcome = await this.#peer.call(planned.call, deadlineMs)
    this.#inFlight--
    if (this.#watch.counting) this.#watch.calls++
    this.#findSecret(outcome)
    const judgement = planned.check(outcome)
    const late = performance.now() - since >= deadlineMs || (!outcome.ok && outcome.error === LATE)
    if (!this.#watch.counting && !this.#ended) this.#watch.before(late)
    if (late) this.#watch.bad('late', `${planned.call.method}: no answer within ${deadlineMs} ms`)
    else if (judgement.is === 'wrong') this.#watch.bad(outcome.ok ? 'wrong' : 'failed', judgement.why)
    else if (judgement.is === 'fixed' && this.#mutation.fix !== true)
      this.#watch.bad('wrong', `${planned.call.method} answers otherwise, and nobody said so`)
    else return true
    return false
  }

  #findSecret(outcome: Outcome): void {
    if (JSON.stringify(outcome)?.includes(this.#secret) === true) this.#watch.leaks.add('secret in an answer')
  }

  /** Where the peer drops state, its callers have to begin anew: that is counted once, not at each call from then on. */
  async #findLost(): Promise<void> {
    const lost = this.#driver.lost?.()
    if (lost === undefined) return
    const told = await this.#peer.call(lost.call, 1_000)
    if (!told.ok || !lost.wasLost(told.value)) return
    this.#watch.lost = true
    if (isBad(this.#mutation)) return
    lost.forget()
    for (const planned of this.#driver.fill()) await this.#judged(planned, PACE.deadline_ms)
  }

  /** One after the other: the share that is right. A peer that does not answer at all is not waited for each time. */
  async #probe(): Promise<number> {
    const random = seeded(this.#options.seed + 1)
    let right = 0
    for (let made = 1; made <= this.#options.probes; made++) {
      if (await this.#judged(this.#driver.next(random), PACE.probe_ms)) right++
      else if (right === 0 && made === 5) return 0
    }
    return right / this.#options.probes
  }
}
