/**
 * Every metric there is, in one table: what it is called, what it means here, where it is read. Collectors fill it,
 * rules and goals name its paths, docs/metrics.md is written from it. A metric that is not in it does not exist.
 */
import type { MetricDescriptor, MetricDirection, MetricDomain } from '../../contracts/meta-metrics.ts'

/** `unit direction`, then what else holds: `null` (may be unknown), `int`, `0..1`, `0..`, `target 0.9`. */
type Terms = string

type Row = [name: string, label: string, terms: Terms, meaning: string, source: string]

const KERNEL = 'kernel: calls and errors of services, read each sample'
const TOLD = 'calls the kernel tells of'
const REQUESTS = 'calls the kernel tells of, by trace'
const MODELS = 'event `model.called`'
const ROLLOUTS = '`rollouts.list()`, the last seven days'
const OPERATION = 'events of agents: `record()`, `signed.*`, `tool.called`, chats; agent `default`, the last 24 hours'

const TABLE: Record<MetricDomain, Row[]> = {
  performance: [
    [
      'avg_quality_score',
      'Quality',
      'points up null 0..10',
      'Tool calls of models that were right as written: 1 each, half a point where it had to be repaired, 0 where its name or parameters did not fit; a rating by a person counts as one',
      'events `tool.called`, `call.repaired`, `human_feedback`',
    ],
    [
      'avg_success_rate',
      'Success rate',
      'ratio up null 0..1',
      'Calls that did not fail in the service, of all calls to services that work (not the control plane, nor what watches)',
      KERNEL,
    ],
    [
      'avg_collaboration_score',
      'Collaboration',
      'points up null 0..10',
      'Ten times the share of calls from one service to another that were answered',
      TOLD,
    ],
    ['agent_count', 'Services at work', 'count neither int 0..', 'Services that were called in the window', KERNEL],
    ['latency_s_p50', 'Median time of a call', 's down null 0..', 'Of calls to services that work', TOLD],
    [
      'latency_s_p95',
      'Time of slow calls',
      's down null 0..',
      'The 95th percentile, of calls to services that work',
      TOLD,
    ],
  ],
  budget: [
    [
      'total_spend',
      'Spend',
      'usd down null 0..',
      'Cost of the answers of models in the window, by the prices of their configs; unknown where none had a price',
      MODELS,
    ],
    ['spend_per_hour', 'Spend per hour', 'usd down null 0..', 'The same, for an hour', MODELS],
    ['tokens', 'Tokens', 'count neither int 0..', 'Tokens of models in the window, in and out', MODELS],
    [
      'productive_ratio',
      'Productive share',
      'ratio up null 0..1',
      'Time within services that do the work, of all: what calls took, less what they waited for others; unknown below a second in all',
      TOLD,
    ],
    [
      'coordination_ratio',
      'Coordination share',
      'ratio down null 0..1',
      'The same of what leads others: agents, tools, `ask`, http, mcp',
      TOLD,
    ],
    [
      'system_ratio',
      'System share',
      'ratio down null 0..1',
      'The same of the control plane and of what watches: traces, history, metrics, recordings',
      TOLD,
    ],
    [
      'days_until_exhausted',
      'Days of budget left',
      'days up int null 0..',
      'What is left of `budget_usd` at the rate of the last 24 hours; unknown without a budget, or while nothing is spent',
      `${MODELS}; config`,
    ],
    [
      'forecast_confidence',
      'Confidence of the forecast',
      'ratio neither null 0..1',
      'Answers of the last 24 hours that had a price, as a share, times how many of 20 there were',
      MODELS,
    ],
    [
      'orchestration_overhead',
      'Overhead of coordination',
      'ratio down null 0..',
      'Time of coordination for each of work',
      TOLD,
    ],
  ],
  coordination: [
    [
      'coordination_efficiency',
      'Efficiency',
      'ratio up null 0..',
      'Requests to models that ended well, as a share, divided by answers per answer needed',
      REQUESTS,
    ],
    [
      'coordination_overhead_pct',
      'Answers too many',
      'percent down null',
      'Answers of models beyond one for each tool call that worked and one at the end',
      REQUESTS,
    ],
    [
      'error_amplification',
      'Errors of chains',
      'ratio down null 0..',
      'Failed tool calls as a share, in requests with several of them, divided by that in requests with one',
      REQUESTS,
    ],
    [
      'message_density',
      'Calls per answer',
      'ratio neither null 0..',
      'Calls between services for each answer of a model, in requests to models',
      REQUESTS,
    ],
    [
      'redundancy_rate',
      'Repeated calls',
      'ratio down null 0..1',
      'Calls with the same method and the same arguments as one before in the window, of those with arguments',
      `${TOLD}, by a hash of their arguments`,
    ],
    [
      'straggler_gap_ratio',
      'Stragglers',
      'ratio down null 1..',
      'Of calls one service makes side by side: the slowest divided by the mean, as a mean',
      REQUESTS,
    ],
    ['sample_count', 'Requests', 'count neither int 0..', 'Requests that were looked at', REQUESTS],
  ],
  scaling: [
    [
      'total_decisions',
      'Starts and stops',
      'count neither int 0..',
      'Starts, stops and restarts of services, and changes of their configs while they run',
      'events `service.live`, `.stopped`, `.configured`, `.refused`, `.tripped`, `.failed`',
    ],
    [
      'success_rate',
      'Starts and stops that succeeded',
      'ratio up null 0..1',
      'Those that were carried out, of all',
      'the same events',
    ],
  ],
  errors: [
    ['total_findings', 'Failures', 'count down int 0..', 'Failures of services: in calls and outside of them', KERNEL],
    [
      'kinds',
      'Kinds of failures',
      'count down int 0..',
      'Different ones, by service and code',
      'events `call.failed`, `service.fault`',
    ],
    ['error_rate', 'Error rate', 'ratio down null 0..1', 'Failures for each call, of services that work', KERNEL],
  ],
  evolution: [
    ['total_proposals', 'Proposals', 'count neither int null 0..', 'Changes that were proposed', ROLLOUTS],
    [
      'approval_rate',
      'Approved proposals',
      'ratio up null 0..1',
      'Of those that were decided on: those that were allowed',
      ROLLOUTS,
    ],
    [
      'kept_rate',
      'Changes that stayed',
      'ratio up null 0..1',
      'Of those that were live and judged: those that were confirmed',
      ROLLOUTS,
    ],
    ['restored', 'Changes taken back', 'count down int null 0..', 'Those that were live and taken back', ROLLOUTS],
  ],
  telemetry: [
    ['event_count', 'Events', 'count neither int 0..', 'Events on the bus', 'bus'],
    [
      'error_event_count',
      'Events of failures',
      'count down int 0..',
      'Those that tell of a failure: `call.failed`, `service.fault`, `*.refused`, `*.failed`, `service.tripped`',
      'bus',
    ],
    ['event_types', 'Types of events', 'count neither int 0..', 'Different ones', 'bus'],
    [
      'refused_events',
      'Signed events refused',
      'count down int null 0..',
      'Since the service `events` began',
      '`events.counts()`',
    ],
  ],
  operation: [
    ['tokens_consumed', 'Tokens', 'count down int 0..', 'Tokens of tool calls and tasks', OPERATION],
    ['tokens_per_task', 'Tokens per task', 'count down null 0..', 'Unknown where nothing told its tokens', OPERATION],
    ['tool_call_count', 'Tool calls', 'count neither int 0..', 'Tool calls', OPERATION],
    ['tool_call_success_rate', 'Tool calls that worked', 'ratio up null 0..1', 'Of all tool calls', OPERATION],
    ['retry_count', 'Retries', 'count down int 0..', 'Retries of tasks', OPERATION],
    ['error_count', 'Failed tasks', 'count down int 0..', 'Tasks that failed, of all kinds', OPERATION],
    ['context_window_usage', 'Context', 'count down null 0..', 'Tokens of context of a session, as a mean', OPERATION],
    ['wall_clock_per_task', 'Time per task', 's down null 0..', 'As a mean, of those that told it', OPERATION],
    ['cost_usd', 'Cost of tool calls', 'usd down 0..', 'At 3 and 15 dollars a million tokens in and out', OPERATION],
    ['event_count', 'Events of the agent', 'count neither int 0..', 'Events of all types', OPERATION],
    ['task_count', 'Tasks', 'count up int 0..', 'Tasks, completed and failed', OPERATION],
    ['task_count_first_try', 'Tasks at the first try', 'count up int 0..', 'Those that needed no retry', OPERATION],
    ['task_count_7d', 'Tasks of seven days', 'count up int 0..', 'Whatever the window', OPERATION],
    [
      'confidence_accuracy',
      'Self-knowledge',
      'ratio up null 0..1',
      'One less the mean distance between how sure it was and what came of it',
      OPERATION,
    ],
  ],
  memory: [
    ['store_bytes', 'Databases', 'bytes down int null 0..', 'Files of SQLite under `runtime/`', 'file system'],
    ['vector_records', 'Documents', 'count neither int null 0..', 'In all collections', '`chromadb`'],
    [
      'index_recall',
      'Index',
      'ratio up null 0..1',
      'Documents of a sample that are found first by their own text; not measured where a model makes the vectors',
      '`chromadb`',
    ],
    [
      'coherence',
      'Disk agrees with memory',
      'ratio up null 0..1',
      'Services that run exactly what stands on disk, of all that run',
      'kernel: hashes of what runs and what is on disk',
    ],
    ['rtt_s_p95', 'Time of storage', 's down null 0..', 'Slow calls to `database`, `chromadb` and `memory`', TOLD],
    ['timeouts', 'Timeouts of storage', 'count down int 0..', 'Calls to these whose deadline passed', TOLD],
  ],
  stability: [
    [
      'success_rate',
      'Success of domains',
      'ratio up null 0..1 target 0.95',
      'The mean of the success rates of domains',
      KERNEL,
    ],
    [
      'recovery_s_p95',
      'Recovery',
      's down null 0.. target 30',
      'From a failure of a service to its next good answer, the 95th percentile of each domain, as a mean',
      'events `call.failed`, `service.fault`, and calls',
    ],
    [
      'autonomy_rate',
      'Autonomy',
      'ratio up null 0..1 target 0.8',
      'Actions nobody had to allow, as a share, the mean of domains',
      'tool calls that were run, event `approval.requested`',
    ],
    [
      'human_intervention_rate',
      'Human intervention',
      'ratio down null 0..1 target 0.15',
      'Entries of the ledger that a person caused, as a share, in the window',
      '`ledger.read()`',
    ],
    [
      'compliance',
      'Compliance',
      'points up null 0..100 target 95',
      '100, less 15 for each critical breach of the window (the ledger is not whole, a way back failed) and each that was refused as what never happens, 1 for each other refusal; and for each that a checker outside tells of, by its severity: blocking and critical 15, bias and warning 5, info 1',
      '`ledger.status()`, events `policy.refused`, `event.refused`, `proposal.alarm`, `ledger.broken`, signed `breach`',
    ],
    ['throughput_per_s', 'Calls a second', 'per_s neither null 0..', 'Calls to services that work', KERNEL],
    ['queue_depth', 'Waiting calls', 'count down int 0..', 'Calls that wait for a service to be live', 'kernel'],
    ['in_flight', 'Calls under way', 'count neither int 0..', 'Right now', 'kernel'],
    [
      'service_load_success',
      'Versions that started',
      'ratio up null 0..1',
      'Versions of services that went live, of those that were tried',
      'events `service.live`, `service.refused`',
    ],
    ['timeout_rate', 'Timeouts', 'ratio down null 0..1', 'Calls whose deadline passed, of those told', TOLD],
    [
      'model_reachable',
      'Models that answer',
      'ratio up null 0..1',
      'Requests to models that were answered, of all',
      `${TOLD}: \`complete\` and \`stream\``,
    ],
    ['service_count', 'Live services', 'count neither int 0..', 'Right now', 'kernel'],
    ['registry_health', 'Services that live', 'ratio up null 0..1', 'Live ones, of all there should be', 'kernel'],
    [
      'kernel_health',
      'Kernel',
      'ratio up null 0..1',
      '1 when all is well, 0.5 when it starts or lacks something, 0 when it stops',
      'kernel: `status()`',
    ],
    ['event_loop_delay_s_p99', 'Delay of the event loop', 's down null 0..', 'Since the snapshot before', 'process'],
    ['heap_used_ratio', 'Heap', 'ratio down 0..1', 'Heap in use, of what it may grow to', 'process'],
    [
      'suppressed_errors',
      'Errors of nobody',
      'count down int 0..',
      'Faults no service could be found for',
      'event `kernel.fault`',
    ],
    ['restarts', 'Restarts', 'count down int 0..', 'New starts after a failure, in the window', 'kernel'],
  ],
}

const DOMAINS = Object.keys(TABLE) as MetricDomain[]
const DIRECTIONS: readonly string[] = ['up', 'down', 'band', 'neither'] satisfies MetricDirection[]

export const CATALOGUE: readonly MetricDescriptor[] = DOMAINS.flatMap((domain) =>
  TABLE[domain].map(([name, label, terms, meaning, source]) => ({
    path: `${domain}.${name}`,
    label,
    domain,
    ...read(terms),
    meaning,
    source,
  })),
)

export const PATHS: ReadonlySet<string> = new Set(CATALOGUE.map(({ path }) => path))

function read(terms: Terms): Omit<MetricDescriptor, 'path' | 'label' | 'domain' | 'meaning' | 'source'> {
  const [unit = '', direction = '', ...rest] = terms.split(' ')
  if (!DIRECTIONS.includes(direction)) throw new Error(`the catalogue says \`${terms}\``)
  const [from = '', to = ''] = rest.find((one) => one.includes('..'))?.split('..') ?? []
  const target = rest[rest.indexOf('target') + 1]
  return {
    unit,
    value_type: rest.includes('int') ? 'int' : 'float',
    direction: direction as MetricDirection,
    nullable: rest.includes('null'),
    target: rest.includes('target') ? Number(target) : null,
    min: from === '' ? null : Number(from),
    max: to === '' ? null : Number(to),
  }
}
