/** Channel C: a change that lets the system do much more is tested against what its last tasks came to. Pure. */
import type { Cycle, TuningChange } from '../../contracts/meta-loop.ts'

/** AROS: a value above 1.5 times the old one loosens; with less than 60 % of tasks done that is refused. */
const LOOSENING = 1.5
const SUCCESS_MIN = 0.6

export function shadowTest(
  changes: readonly Pick<TuningChange, 'old' | 'new'>[],
  outcomes: readonly boolean[],
): NonNullable<Cycle['shadow_test']> {
  const sample_size = outcomes.length
  if (sample_size === 0) return { passed: true, reason: 'no_history', success_rate: null, sample_size }
  const success_rate = outcomes.filter(Boolean).length / sample_size
  const passed = success_rate >= SUCCESS_MIN || !changes.some(isLoosening)
  return { passed, reason: passed ? 'acceptable' : 'loosening_with_low_success', success_rate, sample_size }
}

const isLoosening = ({ old, new: next }: Pick<TuningChange, 'old' | 'new'>): boolean =>
  typeof old === 'number' && typeof next === 'number' && next > LOOSENING * old
