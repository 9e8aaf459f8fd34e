/**
 * Each attempt at a cycle: one at a time, within the cadence, with a row in the file and a line in the ledger whatever
 * becomes of it. The begin stands in both before anything else is done: an attempt that cannot be recorded is none.
 */
import type { Cycle, MetaLoopApi } from '../../contracts/meta-loop.ts'
import type { LedgerInput } from '../../contracts/ledger.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { DAY_MS, isDue, mayRun } from './cadence.ts'
import { begunCycle } from './begun-cycle.ts'
import { runCycle, type Ended } from './cycle.ts'
import { settleEvaluations } from './evaluations.ts'
import { FIRST_START } from './kept.ts'
import type { Means } from './means.ts'
import { modeOf } from './mode.ts'
import { writePending } from './readable.ts'
import { idsOf, proposalsOf } from './steps/persist.ts'
import { summaryOf } from './summary.ts'

export type Trigger = NonNullable<NonNullable<Parameters<MetaLoopApi['trigger']>[0]>['trigger']>
const TRIGGERS: readonly Trigger[] = ['manual', 'scheduled', 'emergency', 'signal']
const SUMMARY_CHARS_MAX = 4_000
const LISTED_MAX = 50

export class Attempts {
  readonly #means: Means
  #running = false
  #abort: string | null = null

  constructor(means: Means) {
    this.#means = means
  }

  get running(): boolean {
    return this.#running
  }

  /** Why the next cycle, or the one that runs, is to end; null: it is not. */
  get aborting(): string | null {
    return this.#abort
  }

  /** True: one runs, and ends after its step. False: the next ends after its first. */
  abort(reason: string): boolean {
    this.#abort = reason
    return this.#running
  }

  /**
   * What a process that ended in the middle has left: it failed, and the ledger says so. One that ended before the ledger
   * had the end of it, or with a ledger that took nothing, gets its line now. Called while no cycle runs; never rejects
   * for the ledger.
   */
  async closeLeft(): Promise<void> {
    const { store, kernel } = this.#means
    const ended_at = kernel.clock.now()
    for (const { id, cycle, ended } of store.unsettled())
      if (!ended) store.end(id, { ...cycle, ended_at, summary: summaryOf(cycle, null) })
    for (const { id, cycle } of store.unsettled()) if (!(await this.#record(id, cycle))) return
  }

  isDue(): boolean {
    const { store, kernel, config } = this.#means
    const last = Math.max(store.lastAttempt(), Number(store.get(FIRST_START) ?? 0))
    return !this.#running && isDue(modeOf(this.#means), kernel.clock.now(), last, config.cadence)
  }

  async run(trigger: unknown): Promise<Cycle> {
    if (!TRIGGERS.includes(trigger as Trigger)) throw coded('trigger_unknown', { trigger: String(trigger) })
    const known = trigger as Trigger
    const now = this.#means.kernel.clock.now()
    if (this.#running) return notBegun(known, now, 'skipped', 'cycle already running')
    this.#running = true
    try {
      const refusal = this.#refusal(known, now)
      return await (refusal === undefined ? this.#begin(known, now) : this.#throttle(known, now, refusal))
    } finally {
      this.#running = false
    }
  }

  #refusal(trigger: Trigger, now: number): string | undefined {
    const { store, config } = this.#means
    if (trigger === 'scheduled' && modeOf(this.#means) === 'frozen') return 'the cadence is frozen'
    return mayRun(trigger, now, store.begun(now - DAY_MS), config.cadence)
  }

  async #throttle(trigger: Trigger, now: number, reason: string): Promise<Cycle> {
    const cycle = notBegun(trigger, now, 'throttled', reason)
    const id = this.#means.store.add(cycle, true, this.#means.config.kept_max)
    await this.#record(id, cycle)
    return cycle
  }

  async #begin(trigger: Trigger, now: number): Promise<Cycle> {
    const { store, config } = this.#means
    await this.closeLeft()
    const begun = begunCycle(store.nextNumber(), trigger, now)
    const id = store.add(begun, false, config.kept_max)
    const ended = await this.#work(begun)
    const cycle = await this.#whole(begun, ended)
    store.end(id, cycle)
    this.#means.inbox.done()
    this.#abort = null
    await this.#record(id, cycle)
    this.#means.kernel.events.emit('meta.cycle_ended', {
      number: cycle.number,
      trigger,
      status: cycle.status,
      reason: cycle.reason,
      summary: cycle.summary,
    })
    return cycle
  }

  async #work({ number, trigger }: Cycle): Promise<Ended | { failed: string }> {
    const name = nameOf(number)
    try {
      await this.#means.ledger.append(
        entryOf('cycle_begun', name, this.#means.kernel.api, 'running', { number, trigger }),
      )
    } catch (thrown) {
      return { failed: `it cannot be recorded: ${reasonOf(thrown)}` }
    }
    await settleEvaluations(this.#means).catch((thrown: unknown) => {
      this.#means.kernel.log.warn(`what was changed is evaluated later: ${reasonOf(thrown)}`)
    })
    return runCycle(this.#means, { number, trigger, name }, () => this.#abort)
  }

  /** All that is known of it, as it goes to its row. */
  async #whole(begun: Cycle, ended: Ended | { failed: string }): Promise<Cycle> {
    const { kernel, store } = this.#means
    const ended_at = kernel.clock.now()
    if ('failed' in ended) {
      const failed: Cycle = { ...begun, reason: ended.failed, ended_at }
      return { ...failed, summary: summaryOf(failed, null) }
    }
    const { all, applied, pending } = await proposalsOf(this.#means, begun.number)
    const cycle: Cycle = {
      ...begun,
      ...gathered(ended),
      ended_at,
      proposals: idsOf(all),
      applied: idsOf(applied),
      pending: idsOf(pending),
    }
    const before = store.cycles({ limit: LISTED_MAX }).find(({ status }) => status === 'completed')
    if (all.length > 0) await writePending(this.#means).catch(() => undefined)
    return { ...cycle, summary: summaryOf(cycle, before ?? null) }
  }

  /** What has happened is told, once. False: it cannot be, and it is too late to not do it; it is told before the next. */
  async #record(id: number, cycle: Cycle): Promise<boolean> {
    const { ledger, kernel, store } = this.#means
    const { action, name } = endOf(id, cycle)
    try {
      const told = await ledger.read({ cycle: name })
      if (!told.some((entry) => entry.action === action))
        await ledger.append(entryOf(action, name, kernel.api, cycle.status, payloadOf(cycle), cycle.reason))
      store.settle(id)
      return true
    } catch (thrown) {
      kernel.log.error(`the ledger has no line of ${name} yet: ${reasonOf(thrown)}`)
      return false
    }
  }
}

/** What the ledger calls the end of an attempt. */
const endOf = (id: number, { number, status }: Cycle): { action: string; name: string } =>
  status === 'throttled'
    ? { action: 'cycle_throttled', name: `meta-loop throttled ${id}` }
    : { action: 'cycle_ended', name: nameOf(number) }

export const nameOf = (number: number): string => `meta-loop ${number}`

function notBegun(trigger: Trigger, now: number, status: 'skipped' | 'throttled', reason: string): Cycle {
  const cycle: Cycle = { ...begunCycle(0, trigger, now), status, reason }
  return { ...cycle, summary: summaryOf(cycle, null) }
}

function gathered({ status, reason, steps_completed, staged }: Ended): Partial<Cycle> {
  const { perception, critic, changes, silent, shadow_test, identity, requeries, identity_rounds, drift_restart } =
    staged
  return {
    status,
    reason,
    steps_completed,
    snapshot: perception?.snapshot.id ?? null,
    operation: perception?.operation ?? null,
    scores: perception?.scores ?? null,
    gaps: perception?.gaps ?? [],
    signals: perception?.signals ?? [],
    queued_signals: staged.queued,
    signals_expired: staged.expired,
    findings: critic?.findings ?? [],
    silent,
    critic: critic === null ? null : ({ ...critic, findings: undefined } as Cycle['critic']),
    changes: changes.map(({ fingerprint: _fingerprint, ...change }) => change),
    identity,
    requeries,
    identity_rounds,
    drift_restart,
    shadow_test,
    notes: staged.notes,
    last_commit: perception?.last_commit ?? null,
  }
}

function entryOf(
  action: string,
  cycle: string,
  actor: string,
  outcome: string,
  payload: JsonMap,
  reason: string | null = null,
): LedgerInput {
  const entry = { actor, origin: 'self' as const, action, resource: 'service:meta-loop', outcome, cycle, payload }
  return reason === null ? entry : { ...entry, reason: reason.slice(0, SUMMARY_CHARS_MAX) }
}

/** Numbers, names and the summary: what the health of the loop is read from. */
function payloadOf(cycle: Cycle): JsonMap {
  const { findings, silent, scores } = cycle
  const asked = silent.filter(({ reason }) => reason !== 'disabled' && reason !== 'no_data')
  return {
    number: cycle.number,
    trigger: cycle.trigger,
    steps_completed: cycle.steps_completed,
    snapshot: cycle.snapshot,
    identity: cycle.identity,
    aggregate: scores?.aggregate ?? null,
    below_threshold: scores?.below_threshold ?? [],
    findings: findings.slice(0, LISTED_MAX).map(({ rule, fingerprint }) => ({ rule, fingerprint })),
    rules_held: findings.length,
    rules_asked: findings.length + asked.length,
    changes: cycle.changes
      .slice(0, LISTED_MAX)
      .map(({ file, key, old, new: next, tier }) => ({ file, key, old, new: next, tier })),
    proposals: cycle.proposals.slice(0, LISTED_MAX),
    applied: cycle.applied.slice(0, LISTED_MAX),
    pending: cycle.pending.slice(0, LISTED_MAX),
    signals: cycle.queued_signals.length,
    signals_expired: cycle.signals_expired,
    summary: cycle.summary.slice(0, SUMMARY_CHARS_MAX),
  }
}
