/**
 * The service `meta-loop`: watches the system and proposes. It perceives, scores, criticizes, asks the policy, checks that
 * the system stays what it is, and hands what it wants changed to `rollouts`, which is the only way it changes anything.
 * Cycles come by the cadence or are asked for; between them the watch clock looks after what was changed. All it knows
 * stands in its file and the ledger, so that versions and processes follow each other without losing a cycle.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cycle, LoopHealth, MetaLoopApi, MetaStatus } from '../../contracts/meta-loop.ts'
import type { QueuedSignal, RuleDefinition } from '../../contracts/meta-loop.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { Attempts } from './attempts.ts'
import { briefOf, briefingOf, type BriefFacts } from './brief.ts'
import { configSchema, type Config } from './config.ts'
import { evaluateLater } from './evaluations.ts'
import { isOwn } from './history.ts'
import { Inbox, type SignalInput } from './inbox.ts'
import { Judgement } from './judgement.ts'
import { AWAY_SINCE, FIRST_START, LAST_WATCH } from './kept.ts'
import { handlesOf, type Means } from './means.ts'
import { modeOf } from './mode.ts'
import { pendingReviews, writePending } from './readable.ts'
import { draftOf, type RuleChange } from './rule-draft.ts'
import { readRules } from './rules/custom.ts'
import { domainPerformance } from './rules/patterns.ts'
import { goalBars } from './scoring/bars.ts'
import { statusLine } from './scoring/status-line.ts'
import { conclusion, knownNow, readCustom } from './steps/critique.ts'
import { LoopStore, openLoop } from './store.ts'
import { loopTools } from './tools.ts'
import { heldSeen } from './uncalled.ts'
import { Watch } from './watch.ts'

export { configSchema }

const LIST_MAX = 500
const PREVIEW_MAX = 100
const REASON_CHARS_MAX = 500

interface Parts {
  means: Means
  attempts: Attempts
  watch: Watch
}

export class Module implements MetaLoopApi {
  static readonly needs = ['ledger', 'policy', 'rollouts']
  /** a whole cycle */
  static readonly drain_ms = 600_000
  readonly #kernel: KernelApi
  #config: Config
  #judgement: Judgement
  #made: Parts | undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#judgement = new Judgement(config)
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const folder = join(kernel.paths.runtime, 'control')
    const held = await kernel.hold(
      'meta-loop',
      async () => ({ connection: await openLoop(folder), isNew: true }),
      ({ connection }) => connection.close(),
    )
    const bad = new Set<number>()
    const store = new LoopStore(held.connection, (id) => {
      if (bad.has(id)) return
      bad.add(id)
      kernel.log.warn(`row ${id} of runtime/control/meta-loop.db is no cycle any more: it is left out`)
      kernel.events.emit('meta.log_bad', { row: id })
    })
    const now = { config: () => this.#config, judgement: () => this.#judgement }
    const inbox = new Inbox(join(kernel.paths.runtime, 'signals'), () => kernel.clock.now(), now.config)
    const means: Means = {
      kernel,
      get config() {
        return now.config()
      },
      get judgement() {
        return now.judgement()
      },
      store,
      inbox,
      seen: await heldSeen(kernel),
      ...handlesOf(kernel),
    }
    this.#made = { means, attempts: new Attempts(means), watch: new Watch(means) }
    if (!held.isNew) return
    held.isNew = false
    inbox.recover()
    for (const name of [FIRST_START, LAST_WATCH]) if (store.get(name) === undefined) store.set(name, kernel.clock.now())
    await this.#made.attempts.closeLeft()
  }

  /** From the next step on. */
  configure(next: Config): void {
    this.#judgement = new Judgement(next, this.#judgement.rules().custom)
    this.#config = next
  }

  /** A version follows when no cycle runs; what was asked of the next one goes on. */
  handOver(): { abort: string | null } {
    return { abort: this.#parts().attempts.aborting }
  }

  takeOver({ abort }: { abort: string | null }): void {
    if (abort !== null) this.#parts().attempts.abort(abort)
  }

  async run(): Promise<void> {
    const kernel = this.#kernel
    const { means } = this.#parts()
    const { check_ms } = this.#config.watch
    let moved = true
    kernel.events.on('proposal.*', () => {
      moved = true
    })
    kernel.every(check_ms, () => this.#told(() => this.#watch()), 'looks whether the watch is due')
    kernel.every(check_ms, () => this.#told(() => this.#cycle()), 'looks whether a cycle is due')
    const write = async (): Promise<void> => {
      if (!moved) return
      moved = false
      await writePending(means)
      await evaluateLater(means)
    }
    kernel.every(check_ms, () => this.#told(write), 'looks at what became of proposals')
  }

  trigger({ trigger = 'manual' }: { trigger?: string } = {}): Promise<Cycle> {
    return this.#parts().attempts.run(trigger)
  }

  abort(reason: string): boolean {
    const said = typeof reason === 'string' && reason.trim() !== '' ? reason : 'somebody aborted it'
    return this.#parts().attempts.abort(said.slice(0, REASON_CHARS_MAX))
  }

  async status(): Promise<MetaStatus> {
    const { means, attempts } = this.#parts()
    const errors: string[] = []
    const known = async <T>(ask: () => T | Promise<T>, otherwise: T): Promise<T> => {
      try {
        return await ask()
      } catch (thrown) {
        errors.push(reasonOf(thrown))
        return otherwise
      }
    }
    const { bot_id, goals } = this.#config
    const [last] = await known(() => means.store.cycles({ limit: 1 }), [])
    const scores = await known(async () => this.#judgement.scores(await means.metrics.operation({ bot_id })), null)
    const snapshot = await known(() => means.metrics.latest(), null)
    const status = {
      running: attempts.running,
      cadence_mode: await known(() => modeOf(means), this.#config.cadence.mode),
      last_cycle: last === undefined ? null : shownLast(last),
      pending_approvals: (await known(() => pendingReviews(means), [])).length,
      scores,
      scores_error: scores === null ? (errors[0] ?? null) : null,
      gaps: snapshot === null ? [] : this.#judgement.gaps(snapshot),
      domains: domainPerformance(snapshot?.domains ?? []),
    }
    const bars = scores === null ? [] : goalBars(scores, goals)
    return { ...status, bot_id, line: statusLine(status), bars }
  }

  async cycles({ limit = 50, before }: { limit?: number; before?: number } = {}): Promise<{ cycles: Cycle[] }> {
    return { cycles: this.#parts().means.store.cycles({ limit: Math.min(Math.max(1, limit), LIST_MAX), before }) }
  }

  async signal(given: SignalInput): Promise<{ status: 'queued'; source: string; id: string }> {
    const { id, source, priority }: QueuedSignal = this.#parts().means.inbox.push(given)
    this.#kernel.events.emit('meta.signal', { id, source, priority })
    return { status: 'queued', source, id }
  }

  async away(active: boolean): ReturnType<MetaLoopApi['away']> {
    if (typeof active !== 'boolean') throw coded('bad_arguments', { reason: 'active: true or false' })
    const { means } = this.#parts()
    const since = means.store.get(AWAY_SINCE)
    if (active) {
      if (typeof since !== 'number') means.store.set(AWAY_SINCE, this.#kernel.clock.now())
      return { mode: modeOf(means), briefing: null }
    }
    const briefing = typeof since === 'number' ? briefingOf(await this.#facts(since)) : null
    means.store.set(AWAY_SINCE, null)
    return { mode: modeOf(means), briefing }
  }

  async rules(): ReturnType<MetaLoopApi['rules']> {
    const { means } = this.#parts()
    readCustom(means, await means.metrics.catalogue())
    return this.#judgement.rules()
  }

  async preview(rule: RuleDefinition): ReturnType<MetaLoopApi['preview']> {
    const { means } = this.#parts()
    const [read] = readRules([rule], { ...(await knownNow(means)), taken: [] })
    const { snapshots } = await means.metrics.list({ limit: PREVIEW_MAX })
    return this.#judgement.preview(read ?? rule, snapshots.toReversed())
  }

  async draft(change: RuleChange): ReturnType<MetaLoopApi['draft']> {
    const { means } = this.#parts()
    const [config] = await means.system.configs(means.kernel.api)
    const file = config?.file ?? ''
    const before = readFileSync(join(means.kernel.paths.root, file), 'utf8')
    return { file, base_hash: shortHash(before), before, text: draftOf(file, before, change, await knownNow(means)) }
  }

  async findings(): ReturnType<MetaLoopApi['findings']> {
    const { means } = this.#parts()
    const snapshot = await means.metrics.latest()
    if (snapshot === null) return { snapshot: null, findings: [], silent: [] }
    const operation = await means.metrics.operation({ bot_id: this.#config.bot_id })
    const { findings, silent } = await conclusion(means, snapshot, operation)
    return { snapshot: snapshot.id, findings, silent }
  }

  health(): Promise<LoopHealth> {
    return this.#parts().watch.health()
  }

  async alerts(): ReturnType<MetaLoopApi['alerts']> {
    return { alerts: this.#parts().means.store.alerts() }
  }

  async brief(since: number): Promise<{ lines: string[] }> {
    if (!Number.isFinite(since)) throw coded('bad_arguments', { reason: 'since: epoch milliseconds' })
    const { means } = this.#parts()
    const facts = await this.#facts(since)
    return { lines: briefOf({ ...facts, mode: modeOf(means), alerts: means.store.alerts() }) }
  }

  async signals(): ReturnType<MetaLoopApi['signals']> {
    return { signals: this.#parts().means.inbox.list() }
  }

  /** As they hold now, defaults included. */
  async settings(): Promise<JsonMap> {
    return this.#config as unknown as JsonMap
  }

  getAspect(aspect: string): object | undefined {
    return aspect === 'tool' ? loopTools(this, this.#kernel) : undefined
  }

  async #facts(since: number): Promise<Omit<BriefFacts, 'mode' | 'alerts'>> {
    const { means } = this.#parts()
    const { proposals } = await means.rollouts.list({ limit: LIST_MAX })
    const changed = proposals.filter((one) => one.changed_at >= since && isOwn(means, one))
    return {
      since,
      cycles: means.store.since(since, LIST_MAX),
      proposals: changed,
      waiting: await pendingReviews(means),
    }
  }

  /** What moved suddenly is a reason for a cycle. */
  async #watch(): Promise<void> {
    const { attempts, watch, means } = this.#parts()
    if (watch.isDue() && (await watch.look()) && modeOf(means) !== 'frozen') await attempts.run('signal')
  }

  async #cycle(): Promise<void> {
    const { attempts } = this.#parts()
    if (attempts.isDue()) await attempts.run('scheduled')
  }

  async #told(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      this.#kernel.log.warn(`it is looked at again: ${reasonOf(thrown)}`)
    }
  }

  #parts(): Parts {
    if (this.#made === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#made
  }
}

const shownLast = ({ number, trigger, status, started_at, ended_at, steps_completed, identity }: Cycle) => ({
  number,
  trigger,
  status,
  started_at,
  ended_at,
  steps_completed,
  identity,
})
