/** What drivers are written with: choosing with one seed, and comparing an answer with the one that is due. */
import { isDeepStrictEqual } from 'node:util'
import type { Call, Judgement, Outcome, Planned } from '../contract.ts'

/** Mulberry32: the same calls for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The error of a call that was not answered within its deadline, whatever the peer. */
export const LATE = 'late'

export const whole = (random: () => number, below: number): number => Math.floor(random() * below)

export const pick = <T>(random: () => number, from: readonly T[]): T => from[whole(random, from.length)] as T

/** 80 % common, 15 % edge, 5 % rare. */
export function kindOf(random: () => number): 'common' | 'edge' | 'rare' {
  const share = random()
  return share < 0.8 ? 'common' : share < 0.95 ? 'edge' : 'rare'
}

/** An answer that is due: a value, or an error whose message holds a text. */
export type Due = { value: unknown } | { error: string }

const fits = (outcome: Outcome, wanted: Due): boolean =>
  'error' in wanted
    ? !outcome.ok && outcome.error.includes(wanted.error)
    : outcome.ok && isDeepStrictEqual(outcome.value, wanted.value)

const show = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 160)

export const right: Judgement = { is: 'right' }

export const wrong = (call: Call, outcome: Outcome, wanted: string): Judgement => ({
  is: 'wrong',
  why: `${call.method}(${show(call.args)}) gave ${outcome.ok ? show(outcome.value) : `error ${outcome.error.slice(0, 160)}`}, due was ${wanted}`,
})

/** A call with one answer, and another one where a declared fix changes it. */
export function due(call: Call, answer: Due, fixed?: Due): Planned {
  return {
    call,
    check: (outcome) => {
      if (fits(outcome, answer)) return right
      if (fixed !== undefined && fits(outcome, fixed)) return { is: 'fixed' }
      return wrong(call, outcome, show(answer))
    },
  }
}

/** A call whose answer is judged by a rule. */
export const ruled = (call: Call, rule: string, holds: (value: unknown) => boolean): Planned => ({
  call,
  check: (outcome) => (outcome.ok && holds(outcome.value) ? right : wrong(call, outcome, rule)),
})
