/**
 * The profiles of the policy: what a root is used for, as one word that sets the other keys of the config. What the
 * config names itself goes before its profile. Used by the policy's module; listed in docs/control-plane.md.
 */
import type { Autonomy } from '../../contracts/policy.ts'

export interface Profile {
  autonomy: Autonomy
  production: boolean
  /** a person is told of what went through without one */
  notices: boolean
  /** of a model or module, each tool call that does not say it only reads waits for a person */
  review_calls: boolean
  changes_per_hour_max: number
  changes_per_day_max: number
}

const STANDARD: Profile = {
  autonomy: 'supervised',
  production: true,
  notices: true,
  review_calls: false,
  changes_per_hour_max: 60,
  changes_per_day_max: 500,
}

export const PROFILES: Readonly<Record<'dev' | 'quiet' | 'standard' | 'strict', Profile>> = {
  /** a machine of one's own: tuning goes through */
  dev: { ...STANDARD, autonomy: 'semi', production: false, changes_per_hour_max: 600, changes_per_day_max: 5_000 },
  quiet: { ...STANDARD, notices: false },
  standard: STANDARD,
  strict: { ...STANDARD, review_calls: true, changes_per_hour_max: 10, changes_per_day_max: 30 },
}

export type ProfileName = keyof typeof PROFILES
