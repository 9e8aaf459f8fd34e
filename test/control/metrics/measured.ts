/**
 * A system that is measured, for the tests of `control/metrics`: services that work, fail, wait and lead others, ones that
 * stand in for organs whose answers a test decides, and a clock that can be moved past every window.
 */
import type { ControlMetricsApi, MetricSnapshot, MetricValue } from '../../../modules/contracts/meta-metrics.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import { JumpingClock } from '../../support/jumping-clock.ts'
import type { TestRoot } from '../../support/root.ts'
import { startSystem, type TestSystem } from '../../support/system.ts'

const CALC = `
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const tools = {
  sum: Object.assign(async () => 3, { description: 'adds', params: { type: 'object', properties: {} } }),
  boom: Object.assign(async () => { throw new Error('no') }, { description: 'fails', params: { type: 'object', properties: {} } }),
}
export class Module {
  add(a, b) { return a + b }
  async fail(text = 'no') { throw new Error(text) }
  async wait(ms) { await wait(ms) }
  getAspect(name) { return name === 'tool' ? tools : this }
}
`

/** Calls another; what it does itself takes no time. */
const CALLER = `
export class Module {
  constructor(kernel) { this.calc = kernel.getApi('calc').with({ deadlineMs: 5000 }) }
  async ask(method) { await this.calc[method](1, 2).catch(() => undefined) }
  idle() {}
}
`

/** Answers what the test has set; throws where nothing is set, as one that is ill does. */
const STANDS_IN = `
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const answer = (name) => function () {
  if (this.answers[name] === undefined) throw new Error('nothing is known')
  return this.answers[name]
}
export class Module {
  answers = {}
  constructor(kernel) { this.kernel = kernel }
  set(answers) { this.answers = answers }
  emit(type, data) { this.kernel.events.emit(type, data) }
  async wait(ms) { await wait(ms) }
}
for (const name of ['list', 'counts', 'status', 'read', 'describe', 'list_collections', 'count', 'get', 'query'])
  Module.prototype[name] = answer(name)
`

const MODEL = `
export class Module {
  async complete({ fail }) {
    if (fail) throw Object.assign(new Error('away'), { code: 'provider_failed' })
    return { text: 'hi', model: 'm', finish: 'stop', usage: null }
  }
}
`

const SHAKY = `
export class Module {
  run() { return new Promise((_resolve, reject) => { this.end = () => reject(new Error('down')) }) }
  crash() { this.end() }
}
`

export const FILES: Record<string, string> = {
  'configs/control/metrics.yml':
    'api: control/metrics\nprog: control/metrics\nsample_ms: 3600000\nbudget_usd: 1000\nsource_ms: 300\nbusy_ms_min: 10\n',
  'configs/calc.yml': 'prog: calc\ndomain: work\n',
  'configs/caller.yml': 'prog: caller\n',
  'configs/helper.yml': 'prog: agents/helper\n',
  'configs/model.yml': 'prog: inference/fake\n',
  'configs/emitter.yml': 'prog: control/stands_in\n',
  'configs/rollouts.yml': 'prog: control/stands_in\n',
  'configs/ledger.yml': 'prog: control/stands_in\n',
  'configs/events.yml': 'prog: control/stands_in\n',
  'configs/chromadb.yml': 'prog: control/stands_in\n',
  'configs/memory.yml': 'prog: services/memory\n',
  'configs/database.yml': 'prog: services/database\n',
  'configs/tools.yml': 'prog: services/tools\n',
  'modules/calc.mjs': CALC,
  'modules/caller.mjs': CALLER,
  'modules/agents/helper.mjs': CALC,
  'modules/inference/fake.mjs': MODEL,
  'modules/control/stands_in.mjs': STANDS_IN,
  'modules/services/memory.mjs': STANDS_IN,
  'modules/shaky.mjs': SHAKY,
}

/** Past every window but that of seven days. */
const PAST_MS = 26 * 3_600_000

type Free = Record<string, (...args: unknown[]) => Promise<unknown>>

export interface Measured {
  system: TestSystem
  metrics: Handle<ControlMetricsApi>
  clock: JumpingClock
  /** A call that is told, as those of HTTP and of tools are; its failure is an answer too. */
  call(api: string, method: string, ...args: unknown[]): Promise<unknown>
  /** The same in a trace, within a deadline. */
  callWith(
    options: { trace?: string; deadlineMs?: number },
    api: string,
    method: string,
    ...args: unknown[]
  ): Promise<unknown>
  /** Resolves when the bus has it. */
  emit(type: string, data?: object): Promise<void>
  /** What the service answers from now on; without answers it fails. */
  says(api: string, answers?: object): Promise<void>
  take(): Promise<MetricSnapshot>
  value(path: string): Promise<MetricValue>
  /** What was seen leaves the windows. */
  past(): void
  stop(): Promise<void>
}

const isRoot = (given: Record<string, string> | TestRoot): given is TestRoot => typeof given.dispose === 'function'

export async function startMeasured(more: Record<string, string> | TestRoot = {}): Promise<Measured> {
  const clock = new JumpingClock()
  const system = await startSystem(isRoot(more) ? more : { ...FILES, ...more }, {
    clock,
  })
  await system.live('control/metrics')
  const metrics = system.getApi<ControlMetricsApi>('control/metrics')
  const callWith: Measured['callWith'] = (options, api, method, ...args) => {
    const handle = system.getApi(api).with({ deadlineMs: 10_000, ...options }) as unknown as Free
    return (handle[method] as Free[string])(...args).catch((thrown: unknown) => thrown)
  }
  const take = (): Promise<MetricSnapshot> => metrics.take()
  return {
    system,
    metrics,
    clock,
    callWith,
    call: (api, method, ...args) => callWith({}, api, method, ...args),
    emit: async (type, data = {}) => {
      const told = system.event(type)
      await callWith({}, 'emitter', 'emit', type, data)
      await told
    },
    says: async (api, answers = {}) => void (await callWith({}, api, 'set', answers)),
    take,
    value: async (path) => {
      const { values } = await take()
      const found = values[path]
      if (found === undefined) throw new Error(`no ${path}`)
      return found
    },
    past: () => clock.jump(PAST_MS),
    stop: () => system.stop(),
  }
}
