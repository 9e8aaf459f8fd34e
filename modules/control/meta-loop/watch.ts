/**
 * The watch clock: looks after what was changed, at the loop itself and at what moved suddenly, and tells people. It
 * proposes nothing: what a cycle should see goes to the inbox. Each part by itself: one that fails stops no other.
 */
import type { Finding, LoopHealth, Severity } from '../../contracts/meta-loop.ts'
import type { LedgerEntry } from '../../contracts/ledger.ts'
import type { MetricSnapshot } from '../../contracts/meta-metrics.ts'
import type { Json } from '../../contracts/seams.ts'
import { reasonOf } from '../../lib/errors.ts'
import { alertsOf } from './alerts.ts'
import { settleEvaluations } from './evaluations.ts'
import { HEALTH_ACTIONS, healthOf } from './health.ts'
import { isOwn } from './history.ts'
import { LAST_WATCH, TOLD_MOVES } from './kept.ts'
import type { Means } from './means.ts'
import { writePending } from './readable.ts'
import { tell } from './tell.ts'
import { noteUncalled } from './uncalled.ts'

const SECOND_MS = 1_000
const PROPOSALS_MAX = 500
/** of one action, in one read of the ledger */
const ENTRIES_MAX = 1_000

interface ToldMove {
  at: number
  severity: Severity
}

export class Watch {
  readonly #means: Means

  constructor(means: Means) {
    this.#means = means
  }

  isDue(): boolean {
    const { store, kernel, config } = this.#means
    const last = Number(store.get(LAST_WATCH) ?? 0)
    return kernel.clock.now() - last >= config.watch.interval_seconds * SECOND_MS
  }

  /** Resolves with whether something moved so much that a cycle should look. Never rejects. */
  async look(): Promise<boolean> {
    const { store, kernel } = this.#means
    let moved = false
    store.set(LAST_WATCH, kernel.clock.now())
    await this.#each('what was changed', () => settleEvaluations(this.#means))
    await this.#each('what waits', () => writePending(this.#means))
    await this.#each('what moved', async () => {
      moved = await this.#inflections()
    })
    await this.#each('who is called', () => noteUncalled(this.#means))
    await this.#each('the alerts', () => this.#alerts())
    kernel.events.emit('meta.watched', { moved })
    return moved
  }

  async health(): Promise<LoopHealth> {
    const { ledger, kernel } = this.#means
    const read = await Promise.all(HEALTH_ACTIONS.map((action) => ledger.read({ action, limit: ENTRIES_MAX })))
    const entries: LedgerEntry[] = read.flat().sort((a, b) => a.sequence - b.sequence)
    return healthOf(entries, kernel.api)
  }

  async #each(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      this.#means.kernel.log.warn(`${what} is looked at the next time: ${reasonOf(thrown)}`)
    }
  }

  /** Against the last window that has no minute in common with this one: of those that have, little can differ. */
  async #inflections(): Promise<boolean> {
    const { metrics, judgement, inbox } = this.#means
    const after = await metrics.take()
    const { snapshots } = await metrics.list({ until: after.at - after.window_ms, limit: 1 })
    const [before] = snapshots
    if (before === undefined) return false
    const findings = this.#untold(judgement.inflections(before, after, await metrics.catalogue()), after)
    for (const { severity, description, context } of findings)
      inbox.push({
        source: 'inflection',
        priority: severity === 'critical' ? 'urgent' : 'high',
        payload: { severity, description, ...context },
      })
    return findings.some(({ severity }) => severity === 'critical')
  }

  /** A move is in sight for a whole window, and told once; again where it has become critical. */
  #untold(findings: readonly Finding[], { at, window_ms }: MetricSnapshot): Finding[] {
    const { store } = this.#means
    const kept = (store.get(TOLD_MOVES) ?? {}) as unknown as Record<string, ToldMove>
    const told = Object.entries(kept)
    const recent = new Map(told.filter(([, { at: time }]) => at - time < window_ms))
    const metricOf = ({ context }: Finding): string => String(context['metric'])
    const fresh = findings.filter((finding) => {
      const known = recent.get(metricOf(finding))
      return known === undefined || (known.severity === 'warning' && finding.severity === 'critical')
    })
    for (const finding of fresh) recent.set(metricOf(finding), { at, severity: finding.severity })
    if (fresh.length > 0) store.set(TOLD_MOVES, Object.fromEntries(recent) as unknown as Json)
    return fresh
  }

  async #alerts(): Promise<void> {
    const { store, rollouts, kernel, config } = this.#means
    const { proposals } = await rollouts.list({ limit: PROPOSALS_MAX })
    const found = alertsOf({
      cycles: store.completed(Math.max(1, config.watch.gap_cycles)),
      proposals: proposals.filter((one) => isOwn(this.#means, one)),
      proposed: store.proposedSince(0),
      limits: config.watch,
    })
    const now = kernel.clock.now()
    store.overAlerts(new Set(found.map(({ key }) => key)), now)
    for (const alert of found) if (store.alert(alert.key, alert.message, now)) await tell(this.#means, alert)
  }
}
