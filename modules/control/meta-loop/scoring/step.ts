/**
 * One step of a value: what it would be after it. Whole numbers stay whole and move by one at least; others keep two
 * decimals. A step that changes nothing is none. Pure; used by the critic.
 */
import type { RuleDefinition } from '../../../contracts/meta-loop.ts'
import type { Json } from '../../../contracts/seams.ts'
import { canonicalJson } from '../../../lib/canonical-json.ts'

export type Step = Pick<NonNullable<RuleDefinition['change']>, 'factor' | 'add' | 'value'>

const UP = 1.2
const DOWN = 0.8

export const stepOf = (direction: 'increase' | 'decrease'): Step => ({ factor: direction === 'increase' ? UP : DOWN })

/** undefined: nothing would change, or it is no number. */
export function stepped(old: Json | undefined, { factor, add, value }: Step): Json | undefined {
  if (old === undefined) return undefined
  if (value !== undefined) return canonicalJson(value) === canonicalJson(old) ? undefined : value
  if (typeof old !== 'number' || !Number.isFinite(old)) return undefined
  const next = factor === undefined ? added(old, add ?? 0) : scaled(old, factor)
  return next === old || !Number.isFinite(next) ? undefined : next
}

const decimals = (value: number): number => Math.round(value * 100) / 100

const added = (old: number, add: number): number => decimals(old + add)

function scaled(old: number, factor: number): number {
  const next = old * factor
  if (!Number.isInteger(old)) return decimals(next)
  // 10 × 1.2 is 12, whatever binary fractions make of it.
  const whole = Math.trunc(decimals(next))
  if (next > old) return Math.max(whole, old + 1)
  return next < old ? Math.max(whole, Math.min(1, old)) : old
}
