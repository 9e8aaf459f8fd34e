/**
 * One metric against one threshold. What is not known never holds. Numbers that differ only by binary fractions are
 * equal, so that of `lt`, `eq` and `gt` always exactly one holds: 0.9 is at the limit 0.95 − 0.05. Pure.
 */
import type { Comparator, RuleDefinition } from '../../../contracts/meta-loop.ts'

export type Condition = RuleDefinition['conditions'][number]

export const COMPARATORS = ['lt', 'le', 'gt', 'ge', 'eq', 'ne'] as const satisfies readonly Comparator[]

const WORDS: Readonly<Record<Comparator, string>> = {
  lt: 'below',
  le: 'at most',
  gt: 'above',
  ge: 'at least',
  eq: 'equal to',
  ne: 'other than',
}

const EPSILON = 1e-9

const nearlyEqual = (a: number, b: number): boolean => Math.abs(a - b) <= EPSILON * Math.max(1, Math.abs(b))

export function holds(comparator: Comparator, value: number | null | undefined, threshold: number): boolean {
  if (value === null || value === undefined || !Number.isFinite(value)) return false
  const equal = nearlyEqual(value, threshold)
  switch (comparator) {
    case 'lt':
      return !equal && value < threshold
    case 'le':
      return equal || value < threshold
    case 'gt':
      return !equal && value > threshold
    case 'ge':
      return equal || value > threshold
    case 'eq':
      return equal
    case 'ne':
      return !equal
    default:
      return comparator satisfies never
  }
}

/** For a person: as many decimals as say something. */
export const shown = (value: number): string => String(Number(value.toPrecision(4)))

export const inWords = ({ metric, comparator, threshold }: Condition, value: number): string =>
  `${metric} is ${shown(value)}, ${WORDS[comparator]} ${shown(threshold)}`
