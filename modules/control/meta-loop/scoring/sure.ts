/**
 * Which goals are below their threshold by more than chance, with as much work as there was: of twelve tasks two retried
 * ones are below 85 % at the first try, and say nothing of the agent. What is not sure is shown as below, and nothing is
 * proposed for it. Pure; asked at critique.
 */
import type { MetaGoal, MetaGoalConfig, Scores } from '../../../contracts/meta-loop.ts'
import type { OperationMetrics } from '../../../contracts/meta-metrics.ts'

/** Standard deviations of a share at its threshold: chance alone goes so far once in forty times. */
const SIGMAS = 2
/** Fewer tasks have no usual number of tokens, and fewer of anything no share. */
const SAMPLES_MIN = 10

interface Basis {
  samples: (operation: OperationMetrics) => number
  /** of how many the score is a share; a mean has a spread nobody knows */
  kind: 'share' | 'mean'
}

const BASIS: Readonly<Record<MetaGoal, Basis>> = {
  G1_truthful: { kind: 'share', samples: ({ event_count }) => event_count },
  G2_economical: { kind: 'mean', samples: ({ task_count }) => task_count },
  G3_reliable: { kind: 'share', samples: ({ task_count }) => task_count },
  G4_capable: { kind: 'share', samples: ({ tool_call_count }) => tool_call_count },
  // What is counted for it is the work itself: that it is little is what it says.
  G5_diligent: { kind: 'mean', samples: () => SAMPLES_MIN },
  G6_self_know: { kind: 'mean', samples: ({ event_count }) => event_count },
}

export const surelyBelow = (
  { goals, below_threshold }: Scores,
  operation: OperationMetrics,
  config: Readonly<Record<MetaGoal, Pick<MetaGoalConfig, 'threshold'>>>,
): MetaGoal[] =>
  below_threshold.filter((goal) => {
    const { kind, samples } = BASIS[goal]
    const count = samples(operation)
    if (count < SAMPLES_MIN) return false
    const { threshold } = config[goal]
    const chance = kind === 'mean' ? 0 : SIGMAS * Math.sqrt((threshold * (1 - threshold)) / count)
    return (goals[goal] ?? threshold) < threshold - chance
  })
