/**
 * How a proposal comes in: read, compared with those that are open, judged by the policy, recorded; then it is refused,
 * waits for a person with all he needs to decide, or takes its turn. And how a person's word comes back: only for exactly
 * what was parked, and only from the service that keeps decisions, which is asked again.
 */
import type { Approval } from '../../contracts/approvals.ts'
import type { Proposal, ProposalInput } from '../../contracts/proposals.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { hashOf, movedFile, readFiles } from './batch.ts'
import type { Course } from './course.ts'
import { checkFoundation } from './foundation.ts'
import { contentOf, readInput } from './input.ts'
import { madeStep, numberOf, proposalOf } from './made.ts'
import type { Means } from './means.ts'
import { questionOf, valuesIn } from './question.ts'
import type { Recorder } from './record.ts'
import type { Kept } from './store.ts'

const MINUTE_MS = 60_000

export class Entrance {
  readonly #means: Means
  readonly #recorder: Recorder
  readonly #course: Course
  #entering: Promise<unknown> = Promise.resolve()
  /** questions to a person that are on their way */
  readonly #asking = new Map<number, Promise<Kept>>()

  constructor(means: Means, recorder: Recorder, course: Course) {
    this.#means = means
    this.#recorder = recorder
    this.#course = course
  }

  async submit(given: unknown): Promise<Proposal> {
    const input = readInput(given, this.#means.config)
    // One after the other: two that are the same are one.
    const entering = this.#entering.then(() => this.#enter(input))
    this.#entering = entering.catch(() => undefined)
    const { number, proposal } = await entering
    if (proposal.state === 'waiting' && proposal.approval_id === null) return (await this.ask(number)).proposal
    if (proposal.state === 'queued')
      return (await this.#course.inLine(number, () => this.#course.advance(number))).proposal
    return proposal
  }

  async #enter(input: ProposalInput): Promise<Kept> {
    const { store, policy, system, kernel } = this.#means
    const content = contentOf(input)
    const known = input.key === undefined ? this.#open(content) : store.byKey(input.key)
    if (known !== undefined)
      return this.#recorder.keep(known.number, { proposal: { occurrences: known.proposal.occurrences + 1 } })
    await this.#checkOpen(input)
    checkFoundation(store, input)
    const files = readFiles(
      kernel.paths.root,
      input.edits.map(({ path }) => path),
    )
    const moved = movedFile(input.edits, files)
    if (moved !== undefined) throw coded('file_changed', { file: moved })
    if (input.edits.every(({ text }, index) => hashOf(text) === hashOf(files[index]?.bytes ?? null)))
      throw coded('bad_arguments', { reason: 'edits: they change nothing' })
    const question = questionOf(input, files, store.approved.bind(store))
    const verdict = await policy.admit(question)
    const planned = await system.plan(input.edits.map(({ path, text }) => ({ path, text })))
    const number = store.nextNumber()
    const proposal = proposalOf(`c${number}`, input, { verdict, planned, files, now: kernel.clock.now() })
    const sequence = await this.#recorder.ahead(proposal, madeStep(proposal))
    const inside = {
      content,
      approval_until: null,
      values: valuesIn(question.changes),
      versions: {},
      baseline: {},
      going_back: null,
      alarmed: false,
    }
    const kept: Kept = { number, proposal: { ...proposal, ledger: [sequence] }, inside }
    store.add(kept)
    this.#recorder.announce(kept.proposal)
    return kept
  }

  #open(content: string): Kept | undefined {
    return this.#means.store.open().find(({ inside }) => inside.content === content)
  }

  async #checkOpen({ origin }: ProposalInput): Promise<void> {
    const { store, config, kernel } = this.#means
    if (store.open().length >= config.open_max) throw coded('proposals_full', { limit: config.open_max })
    if (origin === 'human') return
    const frozen = await this.#course.frozen()
    if (frozen !== undefined) throw coded('frozen', { reason: frozen })
    const count = store.restoredSince(kernel.clock.now() - config.pause_ms)
    if (count >= config.restores_max)
      throw coded('changes_paused', { count, minutes: Math.ceil(config.pause_ms / MINUTE_MS) })
  }

  /** Parks it. The same request for the same proposal, however often. */
  ask(number: number): Promise<Kept> {
    const known = this.#asking.get(number)
    if (known !== undefined) return known
    const asking = this.#askNow(number).finally(() => this.#asking.delete(number))
    this.#asking.set(number, asking)
    return asking
  }

  async #askNow(number: number): Promise<Kept> {
    const { approvals, kernel, store } = this.#means
    const { proposal, inside } = store.get(number) as Kept
    try {
      const approval = await approvals.request({
        class: `change_${proposal.verdict?.altitude ?? 'code'}`,
        target: proposal.service,
        title: proposal.title,
        actor: proposal.actor,
        reason: proposal.reason ?? proposal.intent,
        ...(proposal.verdict === null
          ? {}
          : { impact: proposal.verdict.impact, confirm_twice: proposal.verdict.confirm_twice }),
        diff: proposal.diff,
        base_hash: inside.content,
        bases: proposal.edits.map(({ path, base_hash }) => ({ path, hash: base_hash })),
        cycle: proposal.id,
        evidence: await this.#evidenceOf(proposal),
        ...(proposal.cost_usd === undefined ? {} : { cost_usd: proposal.cost_usd }),
        key: `${kernel.api} ${proposal.id} ${inside.content}`,
        action: { service: kernel.api, method: 'resume', payload: { proposal: proposal.id, content: inside.content } },
      })
      return this.#recorder.keep(number, {
        proposal: { approval_id: approval.id },
        inside: { approval_until: approval.expires_at },
      })
    } catch (thrown) {
      const message = `nobody can be asked: ${reasonOf(thrown)}`
      const step = {
        action: 'change_refused',
        outcome: 'refused',
        actor: kernel.api,
        origin: proposal.origin,
        reason: message,
      }
      return this.#recorder.told(number, { proposal: { state: 'refused', message }, step })
    }
  }

  /** The blast radius, and what the checks said. */
  async #evidenceOf({ edits, evidence = [], expected, intent, verdict, lineage }: Proposal): Promise<JsonMap> {
    const planned = await this.#means.system.plan(edits.map(({ path, text }) => ({ path, text })))
    const touched = planned.filter(({ change }) => change !== 'none')
    const services = touched.map(({ api, change, callers, in_flight, together_with, state, mode }) => {
      return { service: api, change, callers, in_flight, together_with, state, mode }
    })
    const told = {
      files: edits.map(({ path }) => path),
      services,
      rule: verdict?.rule ?? null,
      intent,
      expected,
      lineage,
    }
    return JSON.parse(JSON.stringify({ ...told, checks: evidence })) as JsonMap
  }

  /** Called by `approvals` with what was parked. Whoever else calls it learns that nothing was approved. */
  async resume(
    payload: unknown,
    given: unknown,
  ): Promise<{ proposal: string; state: Proposal['state']; message: string }> {
    const { proposal: id, content } = (payload ?? {}) as { proposal?: unknown; content?: unknown }
    const approvalId = (given as { id?: unknown } | null | undefined)?.id
    const number = numberOf(String(id))
    const kept = this.#means.store.get(number)
    if (kept === undefined) throw coded('proposal_missing', { proposal: String(id) })
    const approval = await this.#approvalOf(kept, String(approvalId))
    if (approval === undefined || content !== kept.inside.content)
      throw coded('proposal_not_approved', { proposal: kept.proposal.id })
    const { state, message } = (await this.#goOn(number, approval)).proposal
    if (state === 'stale') throw coded('file_changed', { file: message.split(' ')[0] })
    if (state === 'failed' || state === 'refused')
      throw coded('proposal_failed', { proposal: id, state, reason: message })
    return { proposal: kept.proposal.id, state, message }
  }

  #goOn(number: number, { id, decided_by }: Approval): Promise<Kept> {
    return this.#course.inLine(number, async () => {
      const now = this.#means.store.get(number) as Kept
      if (now.proposal.state !== 'waiting') return now
      const message = 'it was approved, and takes its turn'
      const approved_by = decided_by ?? 'somebody'
      this.#recorder.keep(number, { proposal: { state: 'queued', approved_by, approval_id: id, message } })
      return this.#course.advance(number)
    })
  }

  async #approvalOf({ proposal, inside }: Kept, id: string): Promise<Approval | undefined> {
    const { approvals, kernel } = this.#means
    const approval = await approvals.show(id)
    const { service, method, payload } = approval.action
    const parked = payload as { proposal?: unknown; content?: unknown } | null
    const isThis = parked?.proposal === proposal.id && parked.content === inside.content
    return approval.state === 'approved' && service === kernel.api && method === 'resume' && isThis
      ? approval
      : undefined
  }

  /** What became of the question where nobody was called back: rejected, expired, or decided when a process ended. */
  async reflect(number: number): Promise<void> {
    const { store, approvals } = this.#means
    const { approval_id } = (store.get(number) as Kept).proposal
    if (approval_id === null) {
      await this.ask(number)
      return
    }
    const approval = await approvals.show(approval_id)
    if (approval.state === 'approved') await this.#goOn(number, approval)
    if (approval.state !== 'rejected' && approval.state !== 'expired') return
    const { state, decided_by, decision_reason } = approval
    const message = state === 'expired' ? 'nobody decided in time' : `${decided_by} said no: ${decision_reason}`
    await this.#leave(number, state, message)
  }

  /** Nobody can decide any more on what was made from other files. */
  async checkBases(number: number): Promise<void> {
    const { edits } = (this.#means.store.get(number) as Kept).proposal
    const paths = edits.map(({ path }) => path)
    const moved = movedFile(edits, readFiles(this.#means.kernel.paths.root, paths))
    if (moved !== undefined) await this.#leave(number, 'stale', `${moved} is not what it was made from any more`)
  }

  #leave(number: number, state: 'rejected' | 'expired' | 'stale', message: string): Promise<void> {
    return this.#course.inLine(number, async () => {
      if ((this.#means.store.get(number) as Kept).proposal.state === 'waiting')
        this.#recorder.keep(number, { proposal: { state, message } })
    })
  }
}
