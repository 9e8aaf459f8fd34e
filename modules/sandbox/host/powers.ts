/**
 * What one service was granted, did and was refused, over all its versions: counted, and a refusal is logged once a
 * window for each power. Asked before each call of a guest to another service; shown by `mm show`.
 */
import type { GrantText, PowersReport } from '../../contracts/sandbox.ts'
import type { Clock, Log } from '../../contracts/seams.ts'
import { coded } from '../../lib/errors.ts'
import { powerText, type Grant } from '../../lib/grant-text.ts'
import { isGranted, leastGrant, type AskedCall } from './grants.ts'

interface Count {
  count: number
  /** epoch milliseconds */
  last_at: number
  /** refusals that were not logged, and when one was (monotonic) */
  untold: number
  toldAt: number
}

/** A guest chooses the names: so many are told apart, the rest is one entry. */
const POWERS_MAX = 200
const OTHERS = '(others)'
const TOLD_MS = 60_000

export class Powers {
  private readonly api: string
  private readonly clock: Pick<Clock, 'now' | 'monotonic'>
  private readonly log: Log
  private readonly used = new Map<string, Count>()
  private readonly refused = new Map<string, Count>()

  constructor(api: string, clock: Pick<Clock, 'now' | 'monotonic'>, log: Log) {
    this.api = api
    this.clock = clock
    this.log = log
  }

  /** Throws `grant_denied`. A service may always call itself, and tell events that begin with its own name. */
  check(grants: readonly Grant[], call: AskedCall, configFile: string): void {
    if (call.service === this.api || isGranted(grants, call)) this.note(this.used, powerText(call))
    else throw this.deny(call, configFile)
  }

  private deny(call: AskedCall, configFile: string): Error {
    const power = powerText(call)
    const count = this.note(this.refused, power)
    const details = { api: this.api, power, grant: leastGrant(call), config: configFile }
    const error = coded('grant_denied', details)
    const now = this.clock.monotonic()
    if (now - count.toldAt < TOLD_MS) {
      count.untold++
      return error
    }
    const more = count.untold === 0 ? '' : ` (and ${count.untold} times since the last one told)`
    Object.assign(count, { toldAt: now, untold: 0 })
    this.log.warn(`${error.message}${more}. ${error.hint}`, { service: this.api, code: error.code })
    return error
  }

  private note(counts: Map<string, Count>, power: string): Count {
    const key = counts.has(power) || counts.size < POWERS_MAX ? power : OTHERS
    let count = counts.get(key)
    if (count === undefined) {
      count = { count: 0, last_at: 0, untold: 0, toldAt: Number.NEGATIVE_INFINITY }
      counts.set(key, count)
    }
    count.count++
    count.last_at = this.clock.now()
    return count
  }

  report(granted: readonly GrantText[]): PowersReport {
    const list = (counts: Map<string, Count>): PowersReport['used'] =>
      Array.from(counts, ([power, { count, last_at }]) => ({ power, count, last_at }))
    return { granted: [...granted], used: list(this.used), refused: list(this.refused) }
  }
}
