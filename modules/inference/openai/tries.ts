/**
 * One call of a provider as several tries: gives each its time, waits between them, and makes the one error that a
 * caller is told. Everything a provider says passes here on its way out, without the key.
 */
import type { KernelApi } from '../../contracts/module.ts'
import { codeOf, coded } from '../../lib/errors.ts'
import { CallTime, type TryTime } from './call-time.ts'
import type { Config } from './config.ts'
import { failureOf, isAnswer, type Failure } from './failure.ts'
import { redact } from './key.ts'
import { pauseBefore, spread } from './retry.ts'

/** Said by this module itself: another try would bring the same. */
const FINAL = new Set(['provider_empty', 'provider_failed', 'provider_unready'])

export class Tries {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #key: string | undefined

  constructor(kernel: KernelApi, config: Config, key: string | undefined) {
    this.#kernel = kernel
    this.#config = config
    this.#key = key
  }

  begin(caller: AbortSignal | undefined): CallTime {
    const { timeout_seconds, connect_seconds, idle_seconds } = this.#config
    const times = { total_ms: timeout_seconds * 1000, connect_ms: connect_seconds * 1000, idle_ms: idle_seconds * 1000 }
    const late = (): Error => this.#failed(`no whole answer within ${timeout_seconds} s`)
    return new CallTime(times, caller, () => this.#kernel.clock.monotonic(), late)
  }

  /**
   * Waits until the try after `tried` ones is due; throws what the caller is told when there is none. `last`: there
   * may be none, because the caller has seen a part of the answer.
   */
  async next(thrown: unknown, tried: number, { late }: TryTime, call: CallTime, last: boolean): Promise<void> {
    call.signal.throwIfAborted()
    if (FINAL.has(codeOf(thrown) ?? '') && !isAnswer(thrown)) throw thrown
    const failure: Failure =
      late === undefined ? failureOf(thrown, this.#kernel.clock.now()) : { reason: late, passing: true }
    const pause = last ? undefined : pauseBefore(failure, tried, this.#config, call.leftMs, spread())
    const reason = redact(failure.reason, this.#key)
    if (pause === undefined) throw this.#failed(tried > 1 ? `${reason} (try ${tried})` : reason)
    this.#kernel.log.info(`try ${tried} failed, the next one begins in ${Math.round(pause)} ms: ${reason}`)
    await this.#kernel.sleep(pause, call.signal).catch((stopped: unknown) => {
      call.signal.throwIfAborted()
      throw stopped
    })
  }

  #failed(reason: string): Error {
    return coded('provider_failed', { provider: this.#kernel.api, reason })
  }
}
