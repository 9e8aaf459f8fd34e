/**
 * The loop in a whole system with the gate behind it. What is measured is told by the test, in a file: a service in the
 * place of `control/metrics` reads it. The clock can be put forward.
 */
import { join } from 'node:path'
import type { LedgerApi, LedgerEntry } from '../../../modules/contracts/ledger.ts'
import type { Cycle, MetaLoopApi } from '../../../modules/contracts/meta-loop.ts'
import type { OperationEvent, OperationMetrics } from '../../../modules/contracts/meta-metrics.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import type { Json, JsonMap } from '../../../modules/contracts/seams.ts'
import { writeWhole } from '../../../modules/lib/whole-file.ts'
import { startGate, type Gate } from '../rollouts/gate.ts'
import { HEALTHY } from './asked.ts'
import { worked } from './made.ts'

const METRICS = `import { readFileSync } from 'node:fs'
import { join } from 'node:path'
export class Module {
  constructor(kernel) { this.kernel = kernel; this.snapshots = [] }
  told() { return JSON.parse(readFileSync(join(this.kernel.paths.runtime, 'told.json'), 'utf8')) }
  catalogue() { return this.told().catalogue }
  async take() {
    const { values, domains, take_ms, fails, window_ms, samples } = this.told()
    if (fails) throw new Error('the metrics are gone')
    this.kernel.events.emit('told.begins')
    if (take_ms > 0) await new Promise((resolve) => setTimeout(resolve, take_ms))
    while (this.told().holds) await new Promise((resolve) => setTimeout(resolve, 5))
    const all = Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value, samples }]))
    const id = 's' + (this.snapshots.length + 1)
    this.snapshots.push({ id, at: this.kernel.clock.now(), window_ms, values: all, domains, errors: {} })
    this.kernel.events.emit('told.taken', { id })
    return this.snapshots.at(-1)
  }
  latest() { return this.snapshots.at(-1) ?? null }
  list({ limit = 100, until = Infinity } = {}) {
    return { snapshots: this.snapshots.filter(({ at }) => at <= until).slice(-limit).reverse() }
  }
  operation({ window_ms } = {}) {
    const { operation, since, operation_fails } = this.told()
    if (operation_fails) throw new Error('the database cannot be read')
    return window_ms === undefined || window_ms === 604800000 ? operation : since
  }
  recorded({ types, since = 0, limit = 100 } = {}) {
    const events = this.told().events.filter((one) => (types ?? [one.type]).includes(one.type) && one.at >= since)
    return { events: events.slice(-limit).reverse() }
  }
  record() { return { recorded: true } }
}
`

export interface Told {
  values: Record<string, number | null>
  domains: Json[]
  operation: OperationMetrics
  /** of a window that is neither a day nor a week */
  since: OperationMetrics
  events: OperationEvent[]
  catalogue: JsonMap[]
  /** of every value */
  samples: number
  window_ms: number
  /** how long measuring takes */
  take_ms: number
  /** measuring ends when this is told to be false */
  holds: boolean
  fails: boolean
  operation_fails: boolean
}

const metric = (path: string): JsonMap => ({
  path,
  label: path,
  domain: 'performance',
  direction: 'down',
  target: null,
})

/** Half of the tasks needed another try, and the kernel saw as many failures. */
export const RETRIED: Partial<OperationMetrics> = { task_count: 12, task_count_first_try: 6, retry_count: 8 }
export const UNRELIABLE: Partial<Told> = {
  operation: worked({ ...HEALTHY, ...RETRIED }),
  values: { 'performance.avg_success_rate': 0.6 },
}
export const SEMI = 'prog: control/policy\nautonomy: semi\nproduction: false\n'
export const SHOP = 'harness: {retry_limit: 10} # as Ada wants it\nspeed: 10\n'
/** One value it may tune, and one that is a person's. */
export const KNOBS = `knobs: [{goal: G3_reliable, file: configs/shop.yml, key: harness.retry_limit, direction: increase}]
rules:
  - name: slow_shop
    conditions: [{metric: test.slow, comparator: gt, threshold: 1}]
    severity: warning
    altitudes: [config]
    change: {file: configs/shop.yml, key: speed, factor: 1.1}
`
const QUIET = 'watch: {check_ms: 20, interval_seconds: 1000000}\n'
const NO_GOALS = 'strategic_goals: []\n'

export interface Loop extends Omit<Gate, 'stop'> {
  readonly meta: Handle<MetaLoopApi>
  tell(told: Partial<Told>): void
  /** Replaces its config; resolves when it holds. */
  configure(text: string): Promise<void>
  cycle(trigger?: 'manual' | 'scheduled' | 'emergency' | 'signal'): Promise<Cycle>
  /** Of the ledger, of the loop. */
  lines(action?: string): Promise<LedgerEntry[]>
  /** The next cycle to end. */
  ended(): Promise<Cycle>
  stop(): Promise<void>
}

export const configOf = (text: string): string => `api: meta-loop\nprog: control/meta-loop\n${text}`
/** No pause between cycles. */
export const CADENCE =
  'cadence: {min_interval_between_cycles_seconds: 0, max_cycles_per_hour: 1000, max_cycles_per_day: 1000}\n'

export const toldOf = (more: Partial<Told> = {}): Told => ({
  values: { 'performance.avg_success_rate': 1 },
  domains: [],
  operation: HEALTHY,
  since: HEALTHY,
  events: [],
  catalogue: ['performance.avg_success_rate', 'test.slow', 'test.goal'].map(metric),
  samples: 1_000,
  window_ms: 300_000,
  take_ms: 0,
  holds: false,
  fails: false,
  operation_fails: false,
  ...more,
})

export const FILES: Record<string, string> = {
  'configs/policy.yml': SEMI,
  'configs/control/metrics.yml': 'prog: told\n',
  'modules/told.mjs': METRICS,
  'runtime/told.json': JSON.stringify(toldOf()),
  'configs/shop.yml': SHOP,
}

export async function startLoop(config = CADENCE + KNOBS, files: Record<string, string> = {}): Promise<Loop> {
  const whole = (text: string): string =>
    configOf(text + (text.includes('watch:') ? '' : QUIET) + (text.includes('strategic_goals:') ? '' : NO_GOALS))
  let told = toldOf()
  const gate = await startGate({
    ...FILES,
    'configs/control/meta-loop.yml': whole(config),
    ...files,
  })
  const meta = (): Handle<MetaLoopApi> => gate.system.getApi<MetaLoopApi>('meta-loop')
  const loop: Loop = Object.create(gate, {}) as Loop
  return Object.defineProperties(loop, {
    meta: { get: meta },
    tell: {
      value: (more: Partial<Told>) => {
        told = { ...told, ...more }
        writeWhole(join(gate.root.path, 'runtime/told.json'), JSON.stringify(told), { flush: false })
      },
    },
    configure: {
      value: async (text: string) => {
        gate.root.write('configs/control/meta-loop.yml', whole(text))
        const { error } = await gate.system.reload('meta-loop')
        if (error !== null) throw new Error(error.message)
      },
    },
    cycle: { value: (trigger: 'manual' = 'manual') => meta().trigger({ trigger }) },
    lines: {
      value: async (action?: string) => {
        const query = { limit: 1_000, actor: 'meta-loop', ...(action === undefined ? {} : { action }) }
        return gate.system.getApi<LedgerApi>('ledger').read(query)
      },
    },
    ended: {
      value: async () => {
        await gate.system.event('meta.cycle_ended')
        return (await meta().cycles({ limit: 1 })).cycles[0]
      },
    },
  })
}
