/**
 * Telling people what is wrong on disk: each refusal and each config error once, and only when it is still there after
 * the grace period. A file that is half saved is refused too, and nobody wants to read that.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { describeError } from '../lib/errors.ts'
import type { Machine } from './machine.ts'

function servedBy({ live, lastGood }: ServiceRecord): string {
  if (lastGood?.stage === 'due' || lastGood?.stage === 'starting') return 'its last good version starts'
  return live === undefined ? 'nothing serves' : `g${live.number} goes on serving`
}

export class Reports {
  configErrors: ErrorData[] = []
  /** errors of configs that were told, as text */
  reported = new Set<string>()
  private present: ReadonlyMap<string, ErrorData> = new Map()
  private readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  refused(service: ServiceRecord, error: ErrorData, modifiedMs: number): void {
    const { clock, log } = this.machine.options
    this.afterGrace(clock.now() - modifiedMs, () => {
      if (service.refusal !== error) return
      const serving = servedBy(service)
      this.machine.events.emit('service.refused', { api: service.api, error, serving: service.live?.number ?? null })
      const fields = { service: service.api, code: error.code, hint: error.hint }
      log.error(`${service.api}  refused: ${describeError(error)}; ${serving}`, fields)
    })
  }

  /** The present list; what was told before and is still there is not told again. */
  configErrorsAre(errors: ErrorData[]): void {
    this.configErrors = errors
    const present = new Map(errors.map((error) => [describeError(error), error]))
    this.present = present
    for (const text of this.reported) if (!present.has(text)) this.reported.delete(text)
    for (const [text, error] of present) {
      if (this.reported.has(text)) continue
      this.reported.add(text)
      this.afterGrace(this.machine.planned ? 0 : Number.POSITIVE_INFINITY, () => {
        if (!this.present.has(text)) return
        this.machine.events.emit('config.error', { error })
        this.machine.options.log.error(`${text}; ${error.hint}`, { code: error.code })
      })
    }
  }

  private afterGrace(ageMs: number, tell: () => void): void {
    const left = this.machine.limits.file_grace_ms - ageMs
    if (left <= 0) tell()
    // A stamp in the future (the clock was set back) says nothing about how long it is broken.
    else this.machine.clock.after(Math.min(left, this.machine.limits.file_grace_ms), tell, { ref: false })
  }
}
