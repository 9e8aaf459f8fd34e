/**
 * The way of an allowed proposal onto the disk: its turn, a last look at policy, bases and plan, the ledger, the bytes
 * before into the store, all files in one go, and the services that take them; whatever one of them refuses takes all
 * of it back. Steps of one proposal come one after the other; proposals that touch the same files or services come one
 * after the other too, each when the one before has its verdict.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { PlannedChange } from '../../contracts/kernel.ts'
import type { Json } from '../../contracts/seams.ts'
import { coded, describeError, reasonOf } from '../../lib/errors.ts'
import { bytesOf, hashOf, movedFile, readFiles, writeFiles, type FileBytes } from './batch.ts'
import type { WayBack } from './back.ts'
import { foundationOf } from './foundation.ts'
import type { Means } from './means.ts'
import { questionOf, valuesIn } from './question.ts'
import type { Recorder } from './record.ts'
import { baselineOf, isTooEarly } from './measure.ts'
import type { Kept, VersionHashes } from './store.ts'
import { isOfKernel, take, versionNow, type Taken } from './taking.ts'

const LINES_MAX = 10_000

export class Course {
  readonly #means: Means
  readonly #recorder: Recorder
  readonly #back: WayBack
  readonly #lines = new Map<number, Promise<unknown>>()

  constructor(means: Means, recorder: Recorder, back: WayBack) {
    this.#means = means
    this.#recorder = recorder
    this.#back = back
  }

  /** Steps of one proposal, one after the other. */
  inLine<T>(number: number, work: () => Promise<T>): Promise<T> {
    if (this.#lines.size > LINES_MAX) throw coded('proposals_full', { limit: LINES_MAX })
    const before = this.#lines.get(number) ?? Promise.resolve()
    const done = before.then(work, work)
    this.#lines.set(number, done)
    const leave = (): void => {
      if (this.#lines.get(number) === done) this.#lines.delete(number)
    }
    void done.then(leave, leave)
    return done
  }

  /** All that may go now, oldest first. */
  async pump(): Promise<void> {
    for (const { number, proposal } of this.#means.store.open())
      if (proposal.state === 'queued') await this.inLine(number, () => this.advance(number))
  }

  /** Applies a queued one if it is its turn. */
  async advance(number: number): Promise<Kept> {
    const kept = this.#kept(number)
    if (kept.proposal.state !== 'queued') return kept
    const frozen = kept.proposal.origin === 'human' ? undefined : await this.frozen()
    const foundation = foundationOf(this.#means.store, kept.proposal)
    if (foundation.kind === 'gone') return this.#end(number, 'refused', foundation.message)
    const below = foundation.kind === 'waits' ? foundation.message : undefined
    const waits = frozen ?? below ?? this.#before(kept) ?? this.#early(kept)
    if (waits === undefined) return this.#apply(number)
    return waits === kept.proposal.message ? kept : this.#recorder.keep(number, { proposal: { message: waits } })
  }

  /** Why the system may not change itself now. */
  async frozen(): Promise<string | undefined> {
    const { frozen } = await this.#means.system.status()
    const isThere = frozen !== 'none' || existsSync(join(this.#means.kernel.paths.runtime, 'FREEZE'))
    return isThere ? 'the system is frozen: runtime/FREEZE is there' : undefined
  }

  /** Whose verdict it waits for. */
  #before({ number, proposal }: Kept): string | undefined {
    const places = placesOf(proposal)
    const other = this.#means.store.open().find((one) => {
      const { state } = one.proposal
      const isAhead = state === 'queued' ? one.number < number : state !== 'waiting'
      return one.number !== number && isAhead && placesOf(one.proposal).some((place) => places.includes(place))
    })
    return other && `it waits for ${other.proposal.id}, which changes the same`
  }

  #early({ proposal }: Kept): string | undefined {
    return isTooEarly(this.#means, proposal) ? 'its values before are being measured' : undefined
  }

  /** From here to the first `await` nobody else can begin. */
  async #apply(number: number): Promise<Kept> {
    const { store, policy, system, kernel } = this.#means
    const { proposal } = this.#recorder.keep(number, {
      proposal: { state: 'applying', message: 'it is being applied' },
    })
    const paths = proposal.edits.map(({ path }) => path)
    try {
      const files = readFiles(kernel.paths.root, paths)
      const question = questionOf(proposal, files, store.approved.bind(store))
      const verdict = await policy.check(question)
      if (verdict.tier === 'NEVER') return await this.#end(number, 'refused', `${verdict.message} (${verdict.rule})`)
      const planned = await system.plan(proposal.edits.map(({ path, text }) => ({ path, text })))
      const wrong = planned.find(({ error }) => error !== null)
      if (wrong?.error) return await this.#end(number, 'failed', `${wrong.api}: ${describeError(wrong.error)}`)
      const versions = await this.#versionsOf(planned, paths)
      const sequence = await this.#ahead(number, files)
      const moved = this.#write(number, versions, planned, sequence)
      if (moved !== undefined) return await this.#end(number, 'stale', `${moved} is not what it was made from any more`)
      return await this.#taken(number, await take(this.#means, planned, paths, versions['kernel'] ?? null))
    } catch (thrown) {
      return this.#failed(number, reasonOf(thrown))
    }
  }

  async #versionsOf(
    planned: readonly PlannedChange[],
    paths: readonly string[],
  ): Promise<Record<string, VersionHashes | null>> {
    const apis = planned.filter(({ change }) => change !== 'none').map(({ api }) => api)
    const all = isOfKernel(paths) ? [...apis, 'kernel'] : apis
    const found = await Promise.all(all.map(async (api) => [api, await versionNow(this.#means, api)] as const))
    return Object.fromEntries(found)
  }

  #ahead(number: number, files: readonly FileBytes[]): Promise<number> {
    const { proposal } = this.#kept(number)
    const written = proposal.edits.map((edit, index): Json => {
      const [before, after] = [hashOf(files[index]?.bytes ?? null), hashOf(bytesOf(edit).bytes)]
      return { path: edit.path, before, after }
    })
    return this.#recorder.ahead(proposal, {
      action: 'change_applied',
      outcome: 'pending',
      actor: proposal.approved_by ?? proposal.actor,
      origin: proposal.approved_by === null ? proposal.origin : 'human',
      reason: proposal.reason ?? proposal.intent,
      payload: { files: written, rule: proposal.verdict?.rule ?? '' },
    })
  }

  /** In one tick: a last look at the files, what is there into the store, and the files onto the disk. */
  #write(
    number: number,
    versions: Record<string, VersionHashes | null>,
    planned: readonly PlannedChange[],
    sequence: number,
  ): string | undefined {
    const { store, kernel } = this.#means
    const { proposal, inside } = this.#kept(number)
    const { root } = kernel.paths
    const files = readFiles(
      root,
      proposal.edits.map(({ path }) => path),
    )
    const moved = movedFile(proposal.edits, files)
    if (moved !== undefined) return moved
    const touches = planned.filter(({ change }) => change !== 'none').map(({ api }) => api)
    const { before, baseline } = baselineOf(this.#means, proposal, touches)
    const question = questionOf(proposal, files, store.approved.bind(store))
    this.#recorder.keep(number, {
      proposal: { before, touches, ledger: [...proposal.ledger, sequence] },
      inside: { ...inside, versions, baseline, values: valuesIn(question.changes) },
      also: () => store.keepOriginals(number, files),
    })
    writeFiles(root, proposal.edits.map(bytesOf))
    return undefined
  }

  async #taken(number: number, taken: readonly Taken[]): Promise<Kept> {
    const refused = taken.find(({ error }) => error !== null)
    if (refused?.error) return this.#failed(number, `${refused.api} refused it: ${describeError(refused.error)}`)
    const live = taken.filter(({ generation }) => generation !== null)
    const generations = Object.fromEntries(live.map(({ api, generation }) => [api, generation as number]))
    const { proposal } = this.#kept(number)
    this.#means.since.set(proposal.id, this.#means.kernel.clock.monotonic())
    return this.#recorder.told(number, {
      proposal: {
        state: 'watching',
        generations,
        live_at: this.#means.kernel.clock.now(),
        message: 'it is live, and being measured',
      },
      step: {
        action: 'change_live',
        outcome: 'ok',
        actor: proposal.approved_by ?? proposal.actor,
        origin: proposal.origin,
        payload: { generations },
      },
      also: () => this.#approve(number),
    })
  }

  /** What a person let through is where distances are measured from; what the system did by itself is not. */
  #approve(number: number): void {
    const { proposal, inside } = this.#kept(number)
    for (const { file, key, old, approved, new: next } of inside.values) {
      if (next === undefined || old === undefined) continue
      const isByPerson = proposal.approved_by !== null || proposal.origin === 'human'
      this.#means.store.approve(file, key, isByPerson ? next : (approved ?? old), next)
    }
  }

  /** Not applied: nothing was written, or all of it goes back. */
  async #failed(number: number, reason: string): Promise<Kept> {
    const kept = this.#kept(number)
    if (this.#means.store.originals(number).length === 0) return this.#end(number, 'failed', reason)
    const { origin } = kept.proposal
    return this.#back.go(number, { to: 'failed', reason, by: this.#means.kernel.api, origin })
  }

  #end(number: number, state: 'refused' | 'failed' | 'stale', message: string): Promise<Kept> {
    const { proposal } = this.#kept(number)
    return this.#recorder.told(number, {
      proposal: { state, message },
      step: {
        action: `change_${state}`,
        outcome: 'refused',
        actor: this.#means.kernel.api,
        origin: proposal.origin,
        reason: message,
      },
    })
  }

  #kept(number: number): Kept {
    const kept = this.#means.store.get(number)
    if (kept === undefined) throw coded('proposal_missing', { proposal: `c${number}` })
    return kept
  }
}

/** Files and services it has to itself. */
const placesOf = ({ service, touches, edits }: Kept['proposal']): string[] => [
  `service ${service}`,
  ...touches.map((api) => `service ${api}`),
  ...edits.map(({ path }) => `file ${path}`),
]
