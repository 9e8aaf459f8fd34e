/** The driver of the queue: a number that was given out is given once, and what was pushed is done within a second. */
import type { Call, Driver, Outcome, Planned } from '../contract.ts'
import { due, kindOf, pick, right, ruled, wrong } from './driver.ts'

const DONE_WITHIN_MS = 1_000
const KNOWN_MAX = 400

/** FNV-1a in another way than the subject computes it. */
function fnv(text: string): string {
  let hash = 2_166_136_261n
  for (const letter of text) hash = ((hash ^ BigInt(letter.charCodeAt(0))) * 16_777_619n) & 0xffffffffn
  return hash.toString(16)
}

const call = (method: string, ...args: unknown[]): Call => ({ service: 'queue', method, args })

class Jobs {
  #jobs: { id: number; text: string; at: number }[] = []
  acknowledged = 0
  #serial = 0

  push(): Planned {
    const text = `job ${this.#serial++}`
    const least = this.acknowledged
    const asked = call('push', text)
    return {
      call: asked,
      check: (outcome: Outcome) => {
        const id = outcome.ok ? outcome.value : null
        if (typeof id !== 'number' || id <= least || this.#jobs.some((job) => job.id === id))
          return wrong(asked, outcome, `a new number above ${least}`)
        this.acknowledged = Math.max(this.acknowledged, id)
        this.#jobs = [...this.#jobs, { id, text, at: performance.now() }].slice(-KNOWN_MAX)
        return right
      },
    }
  }

  poll(random: () => number): Planned {
    const old = this.#jobs.filter((job) => performance.now() - job.at > DONE_WITHIN_MS)
    if (old.length === 0) return this.push()
    const job = pick(random, old)
    return due(call('result', job.id), { value: { state: 'done', value: fnv(job.text) } })
  }

  stats(): Planned {
    const least = this.acknowledged
    return ruled(call('stats'), `pushed from ${least} on, done + waiting = pushed`, (value) => {
      const { pushed, waiting, done } = value as { pushed: number; waiting: number; done: number }
      return pushed >= least && done + waiting === pushed
    })
  }

  forget(): void {
    this.#jobs = []
    this.acknowledged = 0
  }
}

export function queue(): Driver {
  const jobs = new Jobs()
  const unknown = { value: { state: 'unknown', value: null } }
  return {
    fill: () => Array.from({ length: 20 }, () => jobs.push()),
    next: (random) => {
      switch (kindOf(random)) {
        case 'common':
          return random() < 0.4 ? jobs.push() : jobs.poll(random)
        case 'edge':
          return random() < 0.5 ? due(call('result', 99_999_999), unknown) : jobs.stats()
        default:
          return due(call('result', -1), { value: { state: 'waiting', value: null } }, unknown)
      }
    },
    lost: () => {
      const least = jobs.acknowledged
      const wasLost = (value: unknown): boolean => (value as { pushed: number }).pushed < least
      return { call: call('stats'), wasLost, forget: () => jobs.forget() }
    },
  }
}
