/**
 * For each row of the `meta-*` tests beside this: the line that it is there for, and what that line becomes so that the
 * row's test fails. `test/gate/row-mutations.test.ts` applies each.
 */
export interface Mutation {
  row: string
  /** within modules/control/meta-loop */
  file: string
  /** stands there once */
  replace: string
  by: string
}

type Line = readonly [row: string, replace: string, by: string]

const LINES: Readonly<Record<string, readonly Line[]>> = {
  'scoring/scores.ts': [
    ['AROS 14', 'ofNone(events - Object', 'ofNone(events + Object'],
    ['AROS 15', 'tasks > 0 ? tasks / TASKS_PER_WEEK : null', 'tasks / TASKS_PER_WEEK'],
    [
      'AROS 16',
      '({ task_count_first_try: first, task_count: tasks }) => ofNone(first, tasks)',
      '({ retry_count: retries, task_count: tasks }) => ofNone(tasks - retries, tasks)',
    ],
    ['AROS 17', '({ confidence_accuracy: accuracy }) => accuracy', '({ tool_call_success_rate: rate }) => rate'],
    ['AROS 19', '...config[goal]', '...META_GOAL_DEFAULTS[goal]'],
    ['AROS 20', 'score < threshold', 'score <= threshold'],
  ],
  'scoring/signals.ts': [['AROS 21', 'DRIFT_URGENT = 0.5', 'DRIFT_URGENT = 0.4']],
  'scoring/evidence.ts': [['AROS 22', 'AGREEING_MIN = 2', 'AGREEING_MIN = 1']],
  'scoring/step.ts': [['AROS 29', 'Math.max(whole, old + 1)', 'whole']],
  'scoring/critic.ts': [['SynthOrg 19', 'const old = values(file, key)', 'const old = 8']],
  'scoring/gaps.ts': [
    ['GRACE 10', 'current: null, target, gap: null', 'current: null, target, gap: target'],
    ['GRACE 11', ': one.value - target', ': target - one.value'],
  ],
  'rules/patterns.ts': [
    ['GRACE 12', 'DRIFTING_MIN = 2', 'DRIFTING_MIN = 1'],
    ['GRACE 13', 'SUCCESS_LOW = 0.85', 'SUCCESS_LOW = 0.86'],
  ],
  'rules/policies.ts': [['GRACE 15', "comparator: 'gt', threshold: target", "comparator: 'lt', threshold: target"]],
  'rules/conditions.ts': [
    ['GRACE 14', 'EPSILON = 1e-9', 'EPSILON = 0'],
    ['SynthOrg 15', 'return !equal\n', 'return equal\n'],
  ],
  'rules/evaluate.ts': [
    ['GRACE 16', 'rule.enabled === false || ', ''],
    ['GRACE 17', "if (memory.pending.includes(fingerprint)) return 'pending'", ''],
    ['SynthOrg 2', "if (!isKnown(one)) return 'no_data'", 'if (!isKnown(one)) continue'],
    ['SynthOrg 13', 'disabled_rules.includes(name)', 'false'],
    ['SynthOrg 14', 'out.findings.sort((a, b) => RANK[a.severity] - RANK[b.severity])', ''],
    ['Aetherra 25', 'fingerprintOf({ rule: name, metrics', 'fingerprintOf({ rule: JSON.stringify(told), metrics'],
  ],
  'rules/builtin.ts': [
    ['SynthOrg 3', 'quality_declining: 5,', 'quality_declining: 6,'],
    ['SynthOrg 4', 'success_rate_drop: 0.7,', 'success_rate_drop: 0.8,'],
    ['SynthOrg 5', "comparator: 'le'", "comparator: 'lt'"],
    ['SynthOrg 6', 'coordination_cost_ratio: 0.4,', 'coordination_cost_ratio: 0.3,'],
    ['SynthOrg 7', 'coordination_overhead: 35,', 'coordination_overhead: 34,'],
    ['SynthOrg 8', 'straggler_bottleneck: 2,', 'straggler_bottleneck: 1,'],
    ['SynthOrg 9', 'redundancy: 0.3,', 'redundancy: 0.2,'],
    ['SynthOrg 10', 'SCALING_DECISIONS_MIN = 3', 'SCALING_DECISIONS_MIN = 2'],
    ['SynthOrg 11', 'error_spike: 10,', 'error_spike: 9,'],
    ['SynthOrg 12', "comparator: 'gt', threshold: 0", "comparator: 'ge', threshold: 0"],
    ['SynthOrg 45', "key: 'deadline_ms', factor: 1.2", "key: 'deadline_ms', factor: 0.8"],
  ],
  'rules/inflections.ts': [['SynthOrg 37', '|| isWorse(metric, old.value, next.value) !== true', '']],
  'rules/direction.ts': [['Aetherra 23', 'return after > before', 'return after < before']],
  'rules/anomalies.ts': [['Aetherra 24', 'sigmas > options.sigmas_max', 'sigmas > 1']],
}

export const MUTATIONS: readonly Mutation[] = Object.entries(LINES).flatMap(([file, lines]) =>
  lines.map(([row, replace, by]) => ({ row, file, replace, by })),
)
