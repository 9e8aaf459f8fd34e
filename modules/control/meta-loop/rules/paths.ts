/**
 * The paths of the metrics catalogue that built-in rules, goals and signals read, each written once. A path that the
 * catalogue does not have reads as unknown, and nothing is concluded from it.
 */
export const PATHS = {
  quality: 'performance.avg_quality_score',
  success: 'performance.avg_success_rate',
  agents: 'performance.agent_count',
  days_left: 'budget.days_until_exhausted',
  spend: 'budget.total_spend',
  coordination_ratio: 'budget.coordination_ratio',
  orchestration_overhead: 'budget.orchestration_overhead',
  overhead_pct: 'coordination.coordination_overhead_pct',
  straggler: 'coordination.straggler_gap_ratio',
  redundancy: 'coordination.redundancy_rate',
  scaling_decisions: 'scaling.total_decisions',
  scaling_success: 'scaling.success_rate',
  findings: 'errors.total_findings',
  overall_success: 'stability.success_rate',
  recovery: 'stability.recovery_s_p95',
  autonomy: 'stability.autonomy_rate',
  compliance: 'stability.compliance',
  intervention: 'stability.human_intervention_rate',
} as const
