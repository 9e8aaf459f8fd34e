/**
 * The way back of a proposal: its exact bytes from before, on disk and running, checked. It is written down before the
 * first byte moves, so that a process that ends in between goes on with it. It needs no leave: not of the policy, not of
 * a limit, and not of a ledger that is closed. What somebody else has written meanwhile is left alone. Where the way back
 * fails, people are told at once, the system is frozen for changes of its own, and the way is tried again.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Proposal } from '../../contracts/proposals.ts'
import { reasonOf } from '../../lib/errors.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { bytesOf, hashOf, readFiles, writeFiles, type FileBytes } from './batch.ts'
import type { Means } from './means.ts'
import type { Recorder } from './record.ts'
import type { GoingBack, Kept } from './store.ts'
import { takeBack } from './taking.ts'

const ACTIONS = { restored: 'change_restored', undone: 'change_undone', failed: 'change_failed' } as const

export class WayBack {
  readonly #means: Means
  readonly #recorder: Recorder

  constructor(means: Means, recorder: Recorder) {
    this.#means = means
    this.#recorder = recorder
  }

  /** Where it fails, it is tried again at the next look. Rejects only where not even that can be written down. */
  async go(number: number, back: GoingBack): Promise<Kept> {
    const { by, origin, reason, to } = back
    const step = { action: ACTIONS[to], outcome: 'pending', actor: by, origin, reason }
    this.#recorder.keep(number, { inside: { going_back: back }, step })
    return this.goOn(number)
  }

  /** Of one that is on its way. */
  async goOn(number: number): Promise<Kept> {
    const { store } = this.#means
    const kept = store.get(number) as Kept
    const back = kept.inside.going_back as GoingBack
    try {
      const foreign = this.#write(kept)
      if (foreign !== undefined) return await this.#left(number, back, foreign)
      for (const [api, version] of Object.entries(kept.inside.versions)) await takeBack(this.#means, api, version)
      this.#check(kept)
    } catch (thrown) {
      return this.#alarm(kept, back, reasonOf(thrown))
    }
    const { to, reason, by, origin } = back
    return this.#recorder.told(number, {
      proposal: { state: to, message: reason },
      inside: { going_back: null, alarmed: false },
      step: { action: ACTIONS[to], outcome: 'ok', actor: by, origin, reason },
      also: () => this.#unapprove(kept),
    })
  }

  /** A file that is neither what the proposal made of it nor what it was. Then nothing is written. */
  #write({ number, proposal }: Kept): string | undefined {
    const { store, kernel } = this.#means
    const { root } = kernel.paths
    const before = store.originals(number)
    const now = readFiles(
      root,
      before.map(({ path }) => path),
    )
    const made = new Map(proposal.edits.map((edit) => [edit.path, hashOf(bytesOf(edit).bytes)]))
    const changed: FileBytes[] = []
    for (const [index, file] of before.entries()) {
      const hash = hashOf(now[index]?.bytes ?? null)
      if (hash === hashOf(file.bytes)) continue
      if (hash !== made.get(file.path)) return file.path
      changed.push(file)
    }
    if (changed.length > 0) writeFiles(root, changed)
    return undefined
  }

  #check({ number }: Kept): void {
    const before = this.#means.store.originals(number)
    const now = readFiles(
      this.#means.kernel.paths.root,
      before.map(({ path }) => path),
    )
    const other = before.find((file, index) => hashOf(file.bytes) !== hashOf(now[index]?.bytes ?? null))
    if (other !== undefined) throw new Error(`${other.path} is not what it was`)
  }

  /** Somebody goes on from here: what he wrote is his. */
  #left(number: number, { by, origin, reason }: GoingBack, path: string): Promise<Kept> {
    const message = `${path} was changed meanwhile, so nothing was put back. It should have been: ${reason}`
    return this.#recorder.told(number, {
      proposal: { state: 'stale', message },
      inside: { going_back: null },
      step: { action: 'change_left', outcome: 'refused', actor: by, origin, reason: message },
    })
  }

  /** Distances are measured from where they were measured before. */
  #unapprove({ inside }: Kept): void {
    for (const { file, key, old, approved } of inside.values)
      if (old !== undefined) this.#means.store.approve(file, key, approved ?? old, old)
  }

  async #alarm({ number, proposal, inside }: Kept, { by, origin }: GoingBack, reason: string): Promise<Kept> {
    const message = `it could not be taken back: ${reason}. It is tried again; the system may not change itself meanwhile`
    if (inside.alarmed) return this.#recorder.keep(number, { proposal: { message } })
    const { events, log } = this.#means.kernel
    log.error(`${proposal.id} ${message}`, { service: proposal.service })
    events.emit('proposal.alarm', { id: proposal.id, service: proposal.service, priority: 'urgent', message })
    this.#freeze(proposal, message)
    return this.#recorder.told(number, {
      proposal: { message },
      inside: { alarmed: true },
      step: { action: 'change_stuck', outcome: 'failed', actor: by, origin, reason: message },
    })
  }

  /** As an operator would, and only an operator ends it. */
  #freeze({ id }: Proposal, message: string): void {
    const file = join(this.#means.kernel.paths.runtime, 'FREEZE')
    try {
      if (!existsSync(file)) writeWhole(file, `self\n${id} ${message.replaceAll(/\ball\b/g, 'every')}\n`)
    } catch (thrown) {
      this.#means.kernel.log.error(`runtime/FREEZE could not be written: ${reasonOf(thrown)}`)
    }
  }
}
