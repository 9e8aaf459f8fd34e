/**
 * Which value of which config serves which goal, and which way it is turned when the goal is not reached. In the shape
 * of a config, so that one can be set; these are for the configs the system comes with. A goal without a knob is told
 * and nothing is turned.
 */
import type { MetaGoal } from '../../../contracts/meta-loop.ts'

export interface Knob {
  goal: MetaGoal
  /** path from the root */
  file: string
  /** a dot goes one level down */
  key: string
  direction: 'increase' | 'decrease'
}

export const KNOBS: readonly Knob[] = [
  // Fewer answers of the model in one turn: fewer tokens in one task.
  { goal: 'G2_economical', file: 'configs/agents/assistant.yml', key: 'steps_max', direction: 'decrease' },
  // What a provider refuses for a moment is asked again there, before the whole task is.
  { goal: 'G3_reliable', file: 'configs/inference/openai.yml', key: 'params.retries', direction: 'increase' },
  // Tools that need longer than they are given fail.
  { goal: 'G4_capable', file: 'configs/services/tools.yml', key: 'deadline_ms', direction: 'increase' },
]
