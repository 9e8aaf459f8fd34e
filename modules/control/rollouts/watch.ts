/**
 * What becomes of a change that is live: looked at again and again until its window is over, then judged. Back at once:
 * so many errors that chance does not make them, or a service that fails or has gone back by itself. A window in which
 * too little is seen, nothing gets better, or calls take longer is followed by one more; after that the bytes before come back.
 */
import type { ServiceDetail } from '../../contracts/kernel.ts'
import type { Verification } from '../../contracts/proposals.ts'
import { bytesOf, hashOf, readFiles } from './batch.ts'
import type { WayBack } from './back.ts'
import { isLatency, TIMES_MIN } from './compare.ts'
import type { Means } from './means.ts'
import { servicesOf, windowOf } from './measure.ts'
import type { Recorder } from './record.ts'
import { sampleOf, type Sample } from './samples.ts'
import type { Kept, VersionHashes } from './store.ts'
import { isSameVersion, standingOf, versionOf, wrongKernel } from './taking.ts'
import { burst, judge, type Watched } from './verdict.ts'

const ROUNDS = 2

const OFF = new Set(['failed', 'tripped', 'quarantined'])

export class Watch {
  readonly #means: Means
  readonly #recorder: Recorder
  readonly #back: WayBack

  constructor(means: Means, recorder: Recorder, back: WayBack) {
    this.#means = means
    this.#recorder = recorder
    this.#back = back
  }

  /** One look at one that is live. */
  async look(number: number): Promise<void> {
    const kept = this.#means.store.get(number)
    if (kept?.proposal.state !== 'watching') return
    const { proposal } = kept
    if (await this.#isMoved(kept)) return
    const now = this.#means.kernel.clock.monotonic()
    const since = this.#means.since.get(proposal.id) ?? now
    const found = await this.#wrong(kept, since)
    const wrong = found === 'later' && this.#isOverdue(kept) ? 'its version was never taken' : found
    // A probation ends by itself, however long it is.
    if (wrong === 'later' || wrong === 'probation') return
    this.#means.since.set(proposal.id, since)
    const watched = this.#watched(kept, since, now)
    const bad = wrong ?? burst(watched)
    if (bad !== undefined)
      return this.#over(number, { verdict: 'regressed', message: bad, target: null, guards: [] }, since)
    const { window_ms } = windowOf(proposal, this.#means.config)
    const round = proposal.verifications.length + 1
    if (now - since < window_ms * round) return
    await this.#over(number, judge(watched), since)
  }

  /** Somebody went on from here: back to the bytes before, or to others. Nothing is measured any more. */
  async #isMoved({ number, proposal }: Kept): Promise<boolean> {
    const files = readFiles(
      this.#means.kernel.paths.root,
      proposal.edits.map(({ path }) => path),
    )
    const hashes = files.map(({ bytes }) => hashOf(bytes))
    const moved = proposal.edits.findIndex((edit, index) => hashes[index] !== hashOf(bytesOf(edit).bytes))
    if (moved < 0) return false
    const isBack = proposal.edits.every(({ base_hash }, index) => hashes[index] === base_hash)
    const message = isBack
      ? 'somebody put the files back by hand'
      : `${proposal.edits[moved]?.path} was changed while it was measured: it is left as it is`
    const state = isBack ? 'undone' : 'stale'
    this.#means.since.delete(proposal.id)
    await this.#recorder.told(number, {
      proposal: { state, message },
      step: {
        action: `change_${isBack ? 'undone' : 'left'}`,
        outcome: 'ok',
        actor: 'somebody',
        origin: 'human',
        reason: message,
      },
    })
    return true
  }

  /** `later`: its version does not serve yet; `probation`: it is a kernel on probation. */
  async #wrong({ proposal, inside }: Kept, since: number): Promise<string | undefined> {
    for (const api of proposal.touches) {
      const service = await standingOf(this.#means, api)
      if (service === undefined) {
        const missed = this.#means.missed.since(api, since)
        // A person may want a service gone that others call.
        if (missed > 0 && proposal.origin !== 'human') return `${missed} calls of ${api} came, which is gone`
        continue
      }
      const found = wrongOf(service, inside.versions[api] ?? null)
      if (found !== undefined) return found
    }
    const paths = proposal.edits.map(({ path }) => path)
    return wrongKernel(this.#means, paths, inside.versions['kernel'] ?? null)
  }

  #isOverdue({ proposal }: Kept): boolean {
    const { kernel, config } = this.#means
    const { window_ms } = windowOf(proposal, config)
    return kernel.clock.now() - (proposal.live_at ?? 0) > window_ms * ROUNDS + config.take_ms
  }

  #watched({ proposal, inside }: Kept, since: number, now: number): Watched {
    const { seen, config } = this.#means
    const { service, touches, expected, verifications } = proposal
    const [first] = verifications
    const after = servicesOf(proposal, touches).map((api): [string, Sample] => {
      const whole = sampleOf(seen, api, since, now, since + config.settle_ms)
      if (first === undefined || !seemedSlower(first)) return [api, whole]
      const own = sampleOf(seen, api, since, now, since + first.window_ms)
      return [api, own.times.length < TIMES_MIN ? whole : own]
    })
    const isNew = (api: string): boolean => api in inside.versions && inside.versions[api] === null
    const { samples_min } = windowOf(proposal, config)
    const tolerances = { ...config, samples_min }
    const round = verifications.length + 1
    const { baseline: before } = inside
    return { service, touches, isNew, before, after: Object.fromEntries(after), expected, tolerances, round }
  }

  async #over(
    number: number,
    judged: Pick<Verification, 'verdict' | 'message' | 'target' | 'guards'>,
    since: number,
  ): Promise<void> {
    const { kernel, store } = this.#means
    const { proposal } = store.get(number) as Kept
    const round = proposal.verifications.length + 1
    const window_ms = Math.round(kernel.clock.monotonic() - since)
    const verification: Verification = { ...judged, window_ms, round, at: kernel.clock.now() }
    const { verdict, message } = judged
    const isLast = verdict !== 'inconclusive' || round >= ROUNDS
    const verifications = [...proposal.verifications, verification]
    const step = {
      action: 'change_verified',
      outcome: verdict,
      actor: kernel.api,
      origin: 'system' as const,
      reason: message,
    }
    const state = verdict === 'confirmed' ? { state: 'confirmed' as const } : {}
    if (isLast) this.#means.since.delete(proposal.id)
    await this.#recorder.told(number, {
      proposal: { ...state, verifications, message: told(verification, isLast) },
      step,
    })
    if (isLast && verdict !== 'confirmed')
      await this.#back.go(number, {
        to: 'restored',
        reason: told(verification, true),
        by: kernel.api,
        origin: 'system',
      })
  }
}

/** Then times of the window after that decide, where there are enough. */
const seemedSlower = ({ guards, target }: Verification): boolean =>
  [...guards, ...(target === null ? [] : [target])].some(
    ({ metric, outcome }) => outcome === 'worse' && isLatency(metric),
  )

const told = ({ verdict, message }: Verification, isLast: boolean): string =>
  verdict === 'inconclusive' ? `inconclusive: ${message}${isLast ? '' : '; measured once more'}` : message

function wrongOf(service: ServiceDetail, before: VersionHashes | null): string | undefined {
  const { api, state, stale, last_error, last_good } = service
  if (OFF.has(state)) return `${api} is ${state}: ${last_error?.message ?? 'no reason is known'}`
  if (last_good !== null) return `${api} does not start with it; its last good version serves`
  if (state !== 'live') return 'later'
  if (!stale) return undefined
  const isBack = isSameVersion(versionOf(service), before)
  return isBack && last_error !== null ? `${api} went back by itself: ${last_error.message}` : 'later'
}
