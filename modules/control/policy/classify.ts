/**
 * The classifier: may a value be changed without a person? Its order is that of AROS (PolicyChangeClassifier), with its
 * holes closed: distances are measured from the value a person approved last, so that steps do not add up; a key has a
 * direction of its own or is for a person; a value that was not there is for a person. Pure.
 */
import type { Direction, PolicyReason, Tier, ValueChange } from '../../contracts/policy.ts'
import type { Json } from '../../contracts/seams.ts'

/** May nobody change: events, the critic's switch, the need for review, the adversarial part. */
const NEVER = [/^meta_events(\.|$)/, /^critic\.enabled$/, /^permissions\.human_review_required$/, /^adversarial(\.|$)/]
/** What is wanted is a person's to say. */
const GOALS = /^(goals|meta_goals)(\.|$)/

/** AROS: a fifth from the approved value. */
const SHARE = 0.2
const MAX_DRIFT = 0.5
/** Below this a value counts as none, and the distance itself is compared. */
const NOTHING = 0.001
/** 12 is a fifth above 10, whatever binary fractions make of it. */
const EPSILON = 1e-9

type Opinion = Omit<PolicyReason, 'by' | 'change'>

const say = (tier: Tier, rule: string, message: string): Opinion => ({ tier, rule, message })
const review = (rule: string, message: string): Opinion => say('HUMAN_REVIEW', rule, message)

/** `direction`: undefined where none is known. */
export function classify(change: ValueChange, direction: Direction | undefined): Opinion {
  const { key, old, new: next } = change
  if (NEVER.some((pattern) => pattern.test(key)))
    return say('NEVER', 'never', `${key} may not be changed by the system`)
  if (GOALS.test(key)) return review('goals', `${key} says what is wanted: a person decides`)
  if (direction === undefined) return review('unknown_key', `no direction is known for ${key}`)
  if (next === undefined || old === undefined || old === null || next === null)
    return review('no_value', `${key} would appear or go`)
  const approved = change.approved ?? old
  if (typeof next === 'number' && typeof approved === 'number') return number(key, approved, next, direction)
  return listed(key, next, direction)
}

function listed(key: string, next: Json, { values }: Direction): Opinion {
  return typeof next === 'string' && values?.includes(next) === true
    ? say('AUTO_APPROVE', 'listed_value', `${next} is one of the values of ${key}`)
    : review('unlisted_value', `${JSON.stringify(next)} is no listed value of ${key}`)
}

function number(key: string, approved: number, next: number, direction: Direction): Opinion {
  const { tighter, min = -Infinity, max = Infinity, max_drift = MAX_DRIFT } = direction
  if (!Number.isFinite(next)) return review('no_number', `${key} would be ${next}`)
  if (next < min || next > max) return review('bounds', `${key} would be ${next}, outside ${min} to ${max}`)
  const distance = Math.abs(approved) <= NOTHING ? Math.abs(next) : Math.abs(next - approved) / Math.abs(approved)
  const isTighter = tighter !== 'neither' && (tighter === 'lower' ? next <= approved : next >= approved)
  const limit = isTighter ? max_drift : SHARE
  const percent = `${Math.round(distance * 1_000) / 10} % from the approved ${approved}`
  if (distance > limit + EPSILON) {
    const rule = isTighter ? 'tightened_far' : tighter === 'neither' ? 'moved_far' : 'loosened_far'
    return review(rule, `${key} → ${next} is ${percent}; ${limit * 100} % go without a person`)
  }
  return say('AUTO_APPROVE', isTighter ? 'tightened' : 'within_share', `${key} → ${next} is ${percent}`)
}
