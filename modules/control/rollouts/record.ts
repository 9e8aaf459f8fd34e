/**
 * How the steps of a proposal are told. What is about to be decided or done is appended to the ledger first (`ahead`),
 * and without that it does not happen. What has happened is kept with the state in one step (`told`) and paid to the
 * ledger when it can be: a ledger that is closed keeps no change on its way back from getting there. Each state is an event.
 */
import type { LedgerInput } from '../../contracts/ledger.ts'
import type { Proposal } from '../../contracts/proposals.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import type { Means } from './means.ts'
import type { Inside, Kept } from './store.ts'

export interface Step {
  /** as `change_live` */
  action: string
  outcome: string
  actor: string
  origin: LedgerInput['origin']
  reason?: string | undefined
  payload?: JsonMap
}

export interface Changed {
  proposal?: Partial<Proposal>
  inside?: Partial<Inside>
  step?: Step
  /** written in the same step */
  also?: () => void
}

const REASON_CHARS_MAX = 2_000

export const entryOf = ({ id, service, title }: Proposal, step: Step): LedgerInput => {
  const { reason, payload = {}, ...rest } = step
  const entry = { ...rest, resource: `change:${id}`, cycle: id, payload: { service, title, ...payload } }
  return reason === undefined || reason === '' ? entry : { ...entry, reason: reason.slice(0, REASON_CHARS_MAX) }
}

export class Recorder {
  readonly #means: Means
  #paying: Promise<void> = Promise.resolve()
  #failing = false
  /** of the process: what was paid and not struck off before it is found in the ledger */
  #first = true

  constructor(means: Means) {
    this.#means = means
  }

  /** Rejects with what the ledger rejects with. Resolves with the sequence. */
  async ahead(proposal: Proposal, step: Step): Promise<number> {
    return (await this.#means.ledger.append(entryOf(proposal, step))).sequence
  }

  /** What it is from now on, and what the ledger is told of that. Resolves when it has been told, or is owed. */
  async told(number: number, change: Changed): Promise<Kept> {
    const [before, next] = this.#save(number, change)
    await this.pay()
    if (next.proposal.state !== before.proposal.state) this.announce(next.proposal)
    return this.#kept(number)
  }

  /** The same, in one tick: the ledger is told later. */
  keep(number: number, change: Changed): Kept {
    const [before, next] = this.#save(number, change)
    if (next.proposal.state !== before.proposal.state) this.announce(next.proposal)
    return next
  }

  #save(number: number, { proposal = {}, inside = {}, step, also }: Changed): [before: Kept, next: Kept] {
    const { store, kernel } = this.#means
    const before = this.#kept(number)
    const next: Kept = {
      number,
      proposal: { ...before.proposal, ...proposal, changed_at: kernel.clock.now() },
      inside: { ...before.inside, ...inside },
    }
    store.save(next, step === undefined ? [] : [entryOf(next.proposal, step)], also)
    return [before, next]
  }

  #kept(number: number): Kept {
    const kept = this.#means.store.get(number)
    if (kept === undefined) throw coded('proposal_missing', { proposal: `c${number}` })
    return kept
  }

  announce({ id, service, title, state, message, approval_id }: Proposal): void {
    const { events, log } = this.#means.kernel
    events.emit(`proposal.${state}`, { id, service, title, state, message, approval_id })
    const isBad = state === 'restored' || state === 'failed' || state === 'stale'
    log[isBad ? 'warn' : 'info'](`${id} ${state}: ${message}`, { service })
  }

  /** In the order it happened. Never rejects: what cannot be told yet is told later. */
  pay(): Promise<void> {
    this.#paying = this.#paying.then(() => this.#payNow()).catch((thrown: unknown) => this.#warn(thrown))
    return this.#paying
  }

  #warn(thrown: unknown): void {
    if (!this.#failing) this.#means.kernel.log.warn(`the ledger is told later: ${reasonOf(thrown)}`)
    this.#failing = true
  }

  async #payNow(): Promise<void> {
    const { store, ledger } = this.#means
    for (const { id, number, entry } of store.owed()) {
      const mark = `owed ${id}`
      const known = this.#first ? await this.#paid(entry, mark) : undefined
      const sequence = known ?? (await ledger.append({ ...entry, payload: { ...entry.payload, mark } })).sequence
      const kept = store.get(number)
      store.paid(id, kept && { ...kept, proposal: { ...kept.proposal, ledger: [...kept.proposal.ledger, sequence] } })
      this.#first = false
    }
    this.#first = false
    this.#failing = false
  }

  async #paid({ cycle }: LedgerInput, mark: string): Promise<number | undefined> {
    const entries = await this.#means.ledger.read(cycle === undefined ? {} : { cycle })
    return entries.find(({ payload }) => payload?.['mark'] === mark)?.sequence
  }
}
