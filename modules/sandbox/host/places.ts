/**
 * Which process a guest runs in. `group`: one for all of a trust group; `own`: one for each version; `inline`: this one.
 * While anybody runs, a spare stands ready, so that a start does not wait for a process. A process that no guest is left
 * in is ended: what ran there may have left something. At most `processes_max` groups and modules have processes; there is
 * one spare more, and a version that drains keeps its own until it has ended.
 */
import type { ErrorData } from '../../contracts/errors.ts'
import type { GuestPlace, Isolation, SandboxEngine } from '../../contracts/sandbox.ts'
import { coded, fromErrorData, toErrorData } from '../../lib/errors.ts'

/** Resident memory of a process, unless a guest in it may have more. */
const RSS_MB_MAX = 512
/** What a process needs besides its isolates. */
const RSS_MB_BASE = 128

export interface Wish {
  isolation: Isolation
  api: string
  group: string
  memory_mb: number
  processes_max: number
  /** nobody waits for it: it gives way to others, in a process of its own */
  isTrial?: boolean
}

/** A place for one guest, to be given back. */
export interface Lease {
  readonly place: GuestPlace
  release(): void
}

interface Shared {
  place: Promise<GuestPlace>
  leases: number
}

export class Places {
  private readonly engine: SandboxEngine
  private readonly shared = new Map<string, Shared>()
  /** group or module → leases */
  private readonly holders = new Map<string, number>()
  private readonly running = new Set<GuestPlace>()
  private spare: Promise<GuestPlace> | undefined
  private inline: GuestPlace | undefined
  private closed = false

  constructor(engine: SandboxEngine) {
    this.engine = engine
  }

  /** Rejects with `sandbox_unavailable` or `sandbox_full`. */
  async take(wish: Wish): Promise<Lease> {
    const missing = this.engine.available()
    if (missing !== undefined) throw fromErrorData(missing)
    if (wish.isolation === 'inline') return { place: this.inlineNow(), release: () => undefined }
    const holder = wish.isolation === 'own' ? `own ${wish.api}` : `group ${wish.group}`
    this.admit(holder, wish)
    try {
      const lease = wish.isolation === 'own' ? await this.takeOwn(wish) : await this.takeShared(holder, wish)
      return { place: lease.place, release: once(() => this.leave(holder, lease)) }
    } catch (thrown) {
      this.forget(holder)
      throw thrown
    }
  }

  /** Ends all processes. */
  close(reason: ErrorData): void {
    this.closed = true
    for (const place of this.running) place.kill(reason)
    this.inline?.kill(reason)
    this.endSpare(reason)
  }

  private inlineNow(): GuestPlace {
    this.inline ??= this.engine.inline()
    return this.inline
  }

  private admit(holder: string, { processes_max: limit }: Wish): void {
    if (!this.holders.has(holder) && this.holders.size >= limit)
      throw coded('sandbox_full', { limit, holders: [...this.holders.keys()].join(', ') })
    this.holders.set(holder, (this.holders.get(holder) ?? 0) + 1)
  }

  private forget(holder: string): void {
    const left = (this.holders.get(holder) ?? 1) - 1
    if (left > 0) this.holders.set(holder, left)
    else this.holders.delete(holder)
  }

  private leave(holder: string, lease: Lease): void {
    this.forget(holder)
    lease.release()
    // Nobody is left who could need it soon.
    if (this.holders.size === 0) this.endSpare(unused())
  }

  private endSpare(reason: ErrorData): void {
    void this.spare?.then((place) => place.kill(reason)).catch(() => undefined)
    this.spare = undefined
  }

  private async takeOwn({ memory_mb, isTrial }: Wish): Promise<Lease> {
    const place = await this.process(rssFor(memory_mb))
    if (isTrial === true) place.giveWay()
    return { place, release: () => place.kill(unused()) }
  }

  /** Guests with other needs of memory get a process of their own group beside it. */
  private async takeShared(holder: string, { memory_mb }: Wish): Promise<Lease> {
    const rss = rssFor(memory_mb)
    const key = `${holder} ${rss}`
    let entry = this.shared.get(key)
    if (entry === undefined) {
      entry = { place: this.process(rss), leases: 0 }
      this.shared.set(key, entry)
    }
    const mine = entry
    mine.leases++
    const drop = (): void => {
      if (this.shared.get(key) === mine) this.shared.delete(key)
    }
    try {
      const place = await mine.place
      void place.ended.then(drop)
      const release = (): void => {
        if (--mine.leases > 0) return
        drop()
        place.kill(unused())
      }
      return { place, release }
    } catch (thrown) {
      drop()
      throw thrown
    }
  }

  private async process(rss_mb_max: number): Promise<GuestPlace> {
    if (this.closed) throw coded('stopped')
    const spare = rss_mb_max === RSS_MB_MAX ? this.spare : undefined
    if (spare !== undefined) this.spare = undefined
    const ready = await spare?.catch(() => undefined)
    const place = ready?.pid === undefined ? await this.start(rss_mb_max) : ready
    this.refill()
    return place
  }

  /** One that does not start is told to who needs it next. */
  private refill(): void {
    if (this.spare !== undefined || this.closed) return
    const spare = this.start(RSS_MB_MAX)
    this.spare = spare
    const gone = (): void => {
      if (this.spare === spare) this.spare = undefined
    }
    spare.then((place) => place.ended).then(gone, gone)
  }

  private async start(rss_mb_max: number): Promise<GuestPlace> {
    const place = await this.engine.startProcess({ rss_mb_max })
    if (this.closed) place.kill(toErrorData(coded('stopped')))
    this.running.add(place)
    void place.ended.then(() => this.running.delete(place))
    return place
  }
}

const rssFor = (memory_mb: number): number => Math.max(RSS_MB_MAX, RSS_MB_BASE + 2 * memory_mb)

const unused = (): ErrorData => toErrorData(coded('stopped'))

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}
