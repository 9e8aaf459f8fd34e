/**
 * The service `rollouts`: leads every change somebody proposes along its way. Judged by the policy, approved by a person
 * where that is needed, recorded, applied as one batch with the bytes before kept, taken by the services, measured, and
 * kept or restored. Everything stands in its own file before it happens, so that a process that ends anywhere is gone on
 * from there: what was half applied goes back, what was measured is measured again, what was on its way back goes on.
 */
import { join } from 'node:path'
import type { KernelApi } from '../../contracts/module.ts'
import type { Proposal, ProposalInput, ProposalState, RolloutsApi } from '../../contracts/proposals.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { processorTime } from '../../lib/processor-time.ts'
import { checkOperator } from '../../lib/operator.ts'
import { bytesOf, hashOf, readFiles } from './batch.ts'
import { WayBack } from './back.ts'
import { configSchema, LIST_MAX, type Config } from './config.ts'
import { Course } from './course.ts'
import { Entrance } from './entrance.ts'
import { builtOn } from './foundation.ts'
import { numberOf } from './made.ts'
import { handlesOf, type Means, type Since } from './means.ts'
import { Missed } from './missed.ts'
import { Recorder } from './record.ts'
import { look, noteCall, nothingSeen, type Seen } from './samples.ts'
import { openRollouts, RolloutStore, type Kept } from './store.ts'
import { Watch } from './watch.ts'

export { configSchema }

/** Held over versions; another name where its shape changes. */
const HELD = 'rollouts 2'

interface Held {
  seen: Seen
  since: Since
}

interface Parts {
  means: Means
  recorder: Recorder
  back: WayBack
  course: Course
  entrance: Entrance
  watch: Watch
}

export class Module implements RolloutsApi {
  static readonly needs = ['ledger', 'policy', 'approvals']
  readonly #kernel: KernelApi
  readonly #config: Config
  #made: Parts | undefined
  #moved = true

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const folder = join(kernel.paths.runtime, 'control')
    const connection = await kernel.hold(
      'rollouts',
      () => openRollouts(folder),
      (opened) => opened.close(),
    )
    const held = await kernel.hold(
      HELD,
      (): Held => ({ seen: nothingSeen(), since: new Map() }),
      () => undefined,
    )
    const { seen } = held
    const means: Means = {
      kernel,
      config: this.#config,
      store: new RolloutStore(connection),
      seen,
      missed: new Missed(),
      since: held.since,
      ...handlesOf(kernel),
    }
    const recorder = new Recorder(means)
    const back = new WayBack(means, recorder)
    const course = new Course(means, recorder, back)
    const entrance = new Entrance(means, recorder, course)
    this.#made = { means, recorder, back, course, entrance, watch: new Watch(means, recorder, back) }
    kernel.observe({
      ended(call) {
        const now = kernel.clock.monotonic()
        noteCall(seen, call, now)
        means.missed.note(call, now)
      },
    })
  }

  /** Nothing is under way while one version follows another: all that is known stands in the file. */
  handOver(): null {
    return null
  }

  takeOver(): void {
    this.#parts().means.store.forget()
  }

  async run(): Promise<void> {
    const { means, back, course } = this.#parts()
    // What a process left half applied is suspect: it goes back.
    for (const { number, proposal, inside } of means.store.open()) {
      if (inside.going_back === null && proposal.state === 'applying')
        await course.inLine(number, () =>
          back.go(number, {
            to: 'failed',
            reason: 'the process ended while it was applied',
            by: this.#kernel.api,
            origin: 'system',
          }),
        )
    }
    for (const { number, proposal } of means.store.open()) if (proposal.state === 'waiting') await this.#reflect(number)
    this.#kernel.events.on('approval.rejected', ({ data }) => void this.#rejected(String(data['id'])))
    // Files have changed: what waits may have been made from others.
    for (const type of ['service.*', 'config.error'])
      this.#kernel.events.on(type, () => {
        this.#moved = true
      })
    const { check_ms, kept_max } = this.#config
    this.#kernel.every(check_ms, () => this.#look(), 'looks at services and at what is measured')
    means.store.prune(kept_max)
  }

  submit(proposal: ProposalInput, operator?: { token: string }): Promise<Proposal> {
    if ((proposal as ProposalInput | undefined)?.origin === 'human')
      checkOperator(this.#kernel.paths.runtime, operator?.token, 'propose as a person')
    return this.#parts().entrance.submit(proposal)
  }

  async list(
    query: { state?: ProposalState; service?: string; limit?: number } = {},
  ): Promise<{ proposals: Proposal[] }> {
    const { state, service, limit = 100 } = query
    return { proposals: this.#parts().means.store.list({ state, service }, Math.min(Math.max(1, limit), LIST_MAX)) }
  }

  async show(id: string): Promise<Proposal> {
    return this.#kept(id).proposal
  }

  /** What `approvals` calls when somebody has decided. */
  resume(payload: unknown, approval: unknown): Promise<{ proposal: string; state: ProposalState; message: string }> {
    return this.#parts().entrance.resume(payload, approval)
  }

  async undo(id: string, { by, reason = '' }: { by: string; reason?: string }): Promise<Proposal> {
    this.#kept(id)
    if (typeof by !== 'string' || by.trim() === '' || typeof reason !== 'string')
      throw coded('bad_arguments', { reason: 'by: say who takes it back' })
    const { course, means } = this.#parts()
    const above = builtOn(means.store, id)
    // Where one of them cannot go, all stay.
    const rewritten = new Set<string>()
    for (const { proposal } of [...above, this.#kept(id)]) {
      this.#checkLive(proposal, rewritten)
      for (const { path } of proposal.edits) rewritten.add(path)
    }
    for (const kept of above) await this.#undoOne(kept.proposal.id, by, `${id}, which it builds on, is taken back`)
    const done = await this.#undoOne(id, by, reason)
    await course.pump()
    return done.proposal
  }

  #undoOne(id: string, by: string, reason: string): Promise<Kept> {
    const { number } = this.#kept(id)
    const { course, back } = this.#parts()
    return course.inLine(number, async () => {
      this.#checkLive(this.#kept(id).proposal)
      const why = reason.trim() === '' ? `${by} took it back` : `${by} took it back: ${reason}`
      return back.go(number, { to: 'undone', reason: why, by, origin: 'human' })
    })
  }

  /** Throws `proposal_not_live`, `file_changed`. `rewritten`: files that will be as it left them when its turn comes. */
  #checkLive({ id, state, message, edits }: Proposal, rewritten: ReadonlySet<string> = new Set()): void {
    if (state !== 'watching' && state !== 'confirmed')
      throw coded('proposal_not_live', { proposal: id, state, reason: message })
    const { root } = this.#parts().means.kernel.paths
    const files = readFiles(
      root,
      edits.map(({ path }) => path),
    )
    const moved = edits.find(
      (edit, index) => !rewritten.has(edit.path) && hashOf(files[index]?.bytes ?? null) !== hashOf(bytesOf(edit).bytes),
    )
    if (moved !== undefined) throw coded('file_changed', { file: moved.path })
  }

  /** Each by itself: what goes wrong with one is told, and looked at again the next time. */
  async #look(): Promise<void> {
    const { means, recorder, course } = this.#parts()
    const processor = this.#config.heed_other_work ? processorTime() : undefined
    look(means.seen, await means.system.services(), this.#kernel.clock.monotonic(), processor)
    const moved = this.#moved
    this.#moved = false
    const open = means.store.open()
    for (const id of means.since.keys()) if (!open.some(({ proposal }) => proposal.id === id)) means.since.delete(id)
    await Promise.all(open.map((kept) => this.#lookAt(kept, moved)))
    await course.pump()
    if (means.store.owed().length > 0) await recorder.pay()
  }

  async #lookAt({ number, proposal, inside }: Kept, moved: boolean): Promise<void> {
    const { course, back, watch, entrance } = this.#parts()
    try {
      if (inside.going_back !== null) await course.inLine(number, () => back.goOn(number))
      else if (proposal.state === 'watching') await course.inLine(number, () => watch.look(number))
      else if (proposal.state === 'waiting' && this.#isDue(inside.approval_until)) await this.#reflect(number)
      else if (proposal.state === 'waiting' && moved) await entrance.checkBases(number)
    } catch (thrown) {
      this.#kernel.log.warn(`${proposal.id} is looked at again: ${reasonOf(thrown)}`)
    }
  }

  #isDue(until: number | null): boolean {
    return until === null || until <= this.#kernel.clock.now()
  }

  async #rejected(approvalId: string): Promise<void> {
    const { means } = this.#parts()
    const kept = means.store.open().find(({ proposal }) => proposal.approval_id === approvalId)
    if (kept !== undefined) await this.#reflect(kept.number)
  }

  async #reflect(number: number): Promise<void> {
    try {
      await this.#parts().entrance.reflect(number)
    } catch (thrown) {
      this.#kernel.log.warn(`c${number}: what was decided is not known: ${reasonOf(thrown)}`)
    }
  }

  #kept(id: string): Kept {
    const kept = this.#parts().means.store.get(numberOf(String(id)))
    if (kept === undefined) throw coded('proposal_missing', { proposal: String(id) })
    return kept
  }

  #parts(): Parts {
    if (this.#made === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#made
  }
}
