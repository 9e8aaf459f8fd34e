/**
 * What `mm demo drift` needs: a service that gets slow when its orders get long, the config of the loop, and what a model
 * might answer. Plain data: what becomes of it is what the loop, the gate and the measurement find.
 */
import { answerOf, SCRIPT } from './demo-answers.ts'
import { shipped } from './demo-system.ts'

/** What half of all calls may take. */
export const LIMIT_S = 0.0025
export const RULE = 'slow_orders'
export const METRIC = 'performance.latency_s_p50'
/** What the loop looks back on. Twice what a change is measured for: when half of it is slow, that half is. */
export const WINDOW_MS = 8_000
/** More calls than two callers make in that time: each is timed. */
const TIMES_MAX = 1_000
const REMEMBERED = 400
/** Longer than a change is measured: checks of the next one would be in its way. */
const ANSWER_MS = 5_000

const SERVICE = `/** Takes orders, and knows one that was given before. */
export interface Order {
  customer: string
  lines: { item: string; count: number }[]
}

/** The same order is the same text, in whatever order its lines are. */
const textOf = ({ customer, lines }: Order): string =>
  [customer, ...lines.map(({ item, count }) => count + ' ' + item).sort()].join(', ')

export class Module {
  number = 0
  remembered: string[] = []
  max: number
  constructor(_kernel: unknown, config: { remember_max: number }) {
    this.max = config.remember_max
  }
  place(order: Order): { number: number; again: boolean } {
    const again = this.remembered.some((text) => text === textOf(order))
    this.remembered.push(textOf(order))
    while (this.remembered.length > this.max) this.remembered.shift()
    return { number: ++this.number, again }
  }
  handOver(): { number: number; remembered: string[] } {
    return { number: this.number, remembered: [...this.remembered] }
  }
  takeOver(state: { number: number; remembered: string[] }): void {
    this.number = state.number
    this.remembered = state.remembered.slice(-this.max)
  }
}
`

const TESTS = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './orders.ts'

void test('an order that was given before is known', () => {
  const orders = new Module(undefined, { remember_max: 10 })
  const order = { customer: 'ada', lines: [{ item: 'tea', count: 2 }] }
  assert.deepEqual(orders.place(order), { number: 1, again: false })
  assert.deepEqual(orders.place(order), { number: 2, again: true })
})
`

const LOOP = 'this.remembered.some((text) => text === textOf(order))'
const answer = (title: string, text: string): string => answerOf(title, 'modules/orders.ts', text)

export const DRIFT_ANSWERS: Readonly<Record<string, string>> = {
  wrong: answer('Compare the lines only', SERVICE.replaceAll('[customer, ...', '[...')),
  faster: answer('Make the text once', SERVICE.replace(LOOP, 'this.remembered.includes(textOf(order))')),
  same: answer('Name it otherwise', SERVICE.replace('(text) => text ===', '(one) => one ===')),
}

/** What the rule would do to the number of orders that are remembered. */
export const DRIFT_TUNINGS: Readonly<Record<string, number>> = { fewer: 0.3, more: 3 }

const control = (name: string, more = ''): [string, string] => [
  `configs/control/${name}.yml`,
  `api: ${name}\nprog: control/${name}\nrecord: false\n${more}`,
]

export function driftFiles(answers: readonly string[], tuning: string): Record<string, string> {
  const texts = answers.map((name) => DRIFT_ANSWERS[name])
  return {
    'configs/meta-v1.0.0.yml': 'prog: kernel\n',
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/recordings.yml': 'prog: services/recordings\nwrite_ms: 100\n',
    'configs/orders.yml': `remember_max: ${REMEMBERED} # how many orders are compared with a new one\nrecord: {calls: all, keep: 60}\n`,
    'modules/orders.ts': SERVICE,
    'modules/orders.test.ts': TESTS,
    'configs/script.yml': `record: false\nanswer_ms: ${ANSWER_MS}\nanswers: ${JSON.stringify(texts)}\n`,
    'modules/script.ts': SCRIPT,
    'configs/control/metrics.yml': `prog: control/metrics\nrecord: false\nsample_ms: 500\nwindow_ms: ${WINDOW_MS}\ntimes_max: ${TIMES_MAX}\n`,
    ...Object.fromEntries([
      control('ledger'),
      control('approvals'),
      control('self-improver', `providers: [script]\ntries: ${answers.length}\n`),
      control(
        'policy',
        'autonomy: semi\ndirections:\n  orders remember_max: {tighter: lower, min: 50, max_drift: 0.9}\n',
      ),
      control('rollouts', `window_ms: ${WINDOW_MS / 2}\nsamples_min: 30\ncheck_ms: 200\n`),
      control('meta-loop', loopConfig(tuning)),
    ]),
    'prompts/self-improver.txt': shipped('prompts/self-improver.txt'),
    'runtime/README.md': '',
  }
}

/** Every four seconds instead of every four hours. */
const loopConfig = (tuning: string): string => `altitudes: [tuning, code]
cadence:
  normal_interval_hours: 0.0011
  min_interval_between_cycles_seconds: 0
  max_cycles_per_hour: 1000
  max_cycles_per_day: 1000
watch: {interval_seconds: 5, check_ms: 200}
# Patterns would see it too, now before the rule and now after it.
disabled_rules: [anomaly, trend]
rules:
  - name: ${RULE}
    description: half of all calls take long
    conditions: [{metric: ${METRIC}, comparator: gt, threshold: ${LIMIT_S}}]
    severity: warning
    altitudes: [tuning, code]
    change: {file: configs/orders.yml, key: remember_max, factor: ${DRIFT_TUNINGS[tuning] ?? 1}}
    expected: {metric: latency_p50_ms, direction: lower, min_effect: 0.15} # a shared machine makes less by itself
`
