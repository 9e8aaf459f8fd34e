/** The driver of values by key: its model of the rows learns from every answer, and a write that failed leaves it unsure. */
import type { Call, Driver, Outcome, Planned } from '../contract.ts'
import { due, kindOf, LATE, pick, right, ruled, whole, wrong } from './driver.ts'

const FIXED = Array.from({ length: 40 }, (_, index) => `fixed-${String(index).padStart(2, '0')}`)

/** A call that nobody waits for any more may still be done within this time. */
const LATE_MS = 5_000

/** A row as the judge knows it; null revision: a write of it failed, so it may be either. */
interface Known {
  value: string
  revision: number | null
}

const call = (method: string, ...args: unknown[]): Call => ({ service: 'kv', method, args })

class Rows {
  readonly #rows = new Map<string, Known>()
  /** Keys with a call under way, since two of one key may overtake each other → until when; of one that came late, a while. */
  readonly #busy = new Map<string, number>()
  acknowledged = 0
  #issued = 0

  free(): string[] {
    return FIXED.filter((key) => performance.now() >= (this.#busy.get(key) ?? 0))
  }

  #begin(key: string): void {
    this.#busy.set(key, Number.POSITIVE_INFINITY)
  }

  #end(key: string, outcome: Outcome): void {
    this.#busy.set(key, !outcome.ok && outcome.error === LATE ? performance.now() + LATE_MS : 0)
  }

  put(key: string, value: string): Planned {
    this.#begin(key)
    this.#issued++
    const before = this.#rows.get(key)
    const asked = call('put', key, value)
    return {
      call: asked,
      check: (outcome) => {
        this.#end(key, outcome)
        const revision = outcome.ok ? outcome.value : null
        const expected = before === undefined ? 1 : before.revision === null ? null : before.revision + 1
        this.#rows.set(key, { value, revision: typeof revision === 'number' ? revision : null })
        if (!outcome.ok) return wrong(asked, outcome, 'a revision')
        this.acknowledged++
        return expected === null || revision === expected ? right : wrong(asked, outcome, `revision ${expected}`)
      },
    }
  }

  get(key: string): Planned {
    this.#begin(key)
    const known = this.#rows.get(key)
    const planned =
      known?.revision === null
        ? ruled(call('get', key), 'a row', (value) => value !== undefined)
        : due(call('get', key), { value: known === undefined ? null : { ...known } })
    return {
      call: planned.call,
      check: (outcome) => {
        this.#end(key, outcome)
        return planned.check(outcome)
      },
    }
  }

  stats(): Planned {
    const least = this.acknowledged
    return ruled(call('stats'), `writes from ${least} on`, (value) => {
      const { writes } = value as { writes: number }
      return writes >= least && writes <= this.#issued
    })
  }

  forget(): void {
    this.#rows.clear()
    this.#busy.clear()
    this.acknowledged = 0
    this.#issued = 0
  }
}

export function kv(): Driver {
  const rows = new Rows()
  let serial = 0
  const edges = [
    () => due(call('put', '', 'x'), { error: 'at least one character' }),
    () => rows.get(`missing-${serial++}`),
    () => rows.stats(),
    () => due(call('list', 'fixed-', 10), { value: FIXED.slice(0, 10) }),
    () => due(call('list', 'fixed-1'), { value: FIXED.filter((one) => one.startsWith('fixed-1')) }),
    () => due(call('remove', `missing-${serial++}`), { value: false }),
  ]
  return {
    fill: () => FIXED.map((key) => rows.put(key, 'first')),
    next: (random) => {
      const free = rows.free()
      const key = free.length === 0 ? `temp-${serial++}` : pick(random, free)
      switch (kindOf(random)) {
        case 'common':
          return random() < 0.4 ? rows.put(key, `v${serial++}`) : rows.get(key)
        case 'edge':
          return pick(random, edges)()
        default:
          return random() < 0.5
            ? due(call('list', 'fixed-', 0), { value: FIXED }, { value: [] })
            : rows.put(`temp-${serial++}-${'ä'.repeat(1 + whole(random, 40))}`, 'x'.repeat(2_000))
      }
    },
    lost: () => {
      const least = rows.acknowledged
      const wasLost = (value: unknown): boolean => (value as { writes: number }).writes < least
      return { call: call('stats'), wasLost, forget: () => rows.forget() }
    },
  }
}
