/**
 * What is aimed at when the config says nothing else: six goals for how an agent works (AROS), and five for the system
 * as a whole (GRACE). A person sets others; the loop may never.
 */
import type { MetaGoal, MetaGoalConfig, StrategicGoal } from '../../../contracts/meta-loop.ts'
import { PATHS } from '../rules/paths.ts'

export const META_GOAL_DEFAULTS: Readonly<Record<MetaGoal, MetaGoalConfig>> = {
  G1_truthful: { weight: 1, threshold: 0.8 },
  G2_economical: { weight: 1, threshold: 0.7 },
  G3_reliable: { weight: 1, threshold: 0.85 },
  G4_capable: { weight: 1, threshold: 0.9 },
  G5_diligent: { weight: 0.5, threshold: 0.5 },
  G6_self_know: { weight: 0.8, threshold: 0.6 },
}

export const STRATEGIC_GOALS: readonly StrategicGoal[] = [
  { id: 'success_rate', metric: PATHS.overall_success, direction: 'up', target: 0.95, weight: 1 },
  { id: 'recovery_time', metric: PATHS.recovery, direction: 'down', target: 30, weight: 1 },
  { id: 'autonomy_rate', metric: PATHS.autonomy, direction: 'up', target: 0.8, weight: 1 },
  { id: 'compliance', metric: PATHS.compliance, direction: 'up', target: 95, weight: 1 },
  { id: 'human_intervention', metric: PATHS.intervention, direction: 'down', target: 0.15, weight: 1 },
]
