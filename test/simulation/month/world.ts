/**
 * The system of a month: the control plane as it is, and in the place of all else small services that take as long, cost
 * as much and fail as often as they are told. Its clock is simulated; its files are real, in memory where the machine has
 * such a disk. Periods that only look whether something is due are half of what the watch takes.
 */
import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { createRoot } from '../../support/root.ts'
import { startSystem, type TestSystem } from '../../support/system.ts'
import { SimClock } from '../clock.ts'

/** A Monday's midnight, later than any real clock's: a file that was just written is not from the future. */
export const BEGIN = Date.UTC(2100, 0, 4)
export const TOKEN = 'the token of this month, long enough'
const MEMORY = '/dev/shm'

const WATCH_S = 300
/** Like no other times that are waited for: while they are, something is under way that may take real time. */
const TAKE_MS = 29_999
const STEP_S = 59.999
const PATIENT: ReadonlySet<number> = new Set([TAKE_MS, STEP_S * 1_000])
const SOON_MS = 250
const NEWS_MS_MAX = 1_000
const CALM_TURNS = 2
const BUSY = /^(?:Immediate|FSReq|CloseReq)/
/** How an order fails that is meant to. */
export const ORDER_FAILED = 'order_failed'
const SHOP = `export class Module {
  constructor(kernel) { this.kernel = kernel; this.stock = kernel.getApi('stock').with({ deadlineMs: 60000 }) }
  async order(id, ms, fails) {
    if (id % 2 === 0) await this.stock.take(id, ms / 2)
    await this.kernel.sleep(ms)
    if (fails) throw Object.assign(new Error('it fails'), { code: '${ORDER_FAILED}' })
    return id
  }
}
`
const STOCK = `export class Module {
  constructor(kernel) { this.kernel = kernel }
  async take(id, ms) { await this.kernel.sleep(ms); return id }
}
`
const WORLD = `export class Module {
  constructor(kernel) { this.kernel = kernel }
  emit(type, data) { this.kernel.events.emit(type, data) }
}
`
const TOOLS = "export class Module { async invoke() { return { status: 'success' } } }\n"
const MODEL = "export class Module { async complete() { return { text: 'ok', finish: 'stop', usage: null } } }\n"
const NOTHING = 'export class Module {}\n'

export const SUPERVISED = 'api: policy\n'
export const SEMI = `api: policy
autonomy: semi
production: false
directions:
  steps_max: {tighter: lower, min: 1, max: 20}
  deadline_ms: {tighter: neither}
  params.retries: {tighter: lower, min: 0, max: 10}
`

const FILES: Record<string, string> = {
  'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {sweep_ms: 86400000}\n',
  'configs/control/ledger.yml': 'api: ledger\n',
  'configs/control/approvals.yml': 'api: approvals\n',
  'configs/control/events.yml': 'api: events\n',
  'configs/shop.yml': 'prog: shop\ndomain: sales\n',
  'configs/stock.yml': 'prog: stock\ndomain: goods\n',
  'configs/world.yml': 'prog: control/world\n',
  'configs/agents/assistant.yml': 'api: assistant\nprog: agents/assistant\nsteps_max: 8\n',
  'configs/inference/openai.yml': 'api: openai\nprog: inference/openai\nparams: {temperature: 0.7, retries: 2}\n',
  'configs/inference/ask.yml': 'api: ask\nprog: inference/ask\ndepth_max: 2\n',
  'configs/services/tools.yml': 'api: tools\nprog: services/tools\ndeadline_ms: 30000\n',
  'modules/shop.mjs': SHOP,
  'modules/stock.mjs': STOCK,
  'modules/control/world.mjs': WORLD,
  'modules/agents/assistant.mjs': NOTHING,
  'modules/inference/openai.mjs': MODEL,
  'modules/inference/ask.mjs': NOTHING,
  'modules/services/tools.mjs': TOOLS,
  'runtime/token': `${TOKEN}\n`,
}

export interface WorldOptions {
  policy: string
  /** of the loop, beside what the month needs */
  loop?: string
  /** as shipped where nothing is said */
  watch_s?: number
}

export interface World {
  readonly system: TestSystem
  readonly clock: SimClock
  /** Milliseconds since the month began. */
  elapsed(): number
  /** Runs something that needs time to pass, and lets it. */
  meanwhile<T>(work: Promise<T>): Promise<T>
  stop(): Promise<void>
}

export async function startWorld({ policy, loop = '', watch_s = WATCH_S }: WorldOptions): Promise<World> {
  const clock = pacedClock()
  const look_ms = (watch_s * 1_000) / 2
  const look = `check_ms: ${look_ms}`
  const files = {
    ...FILES,
    'configs/control/metrics.yml': `api: control/metrics\nprog: control/metrics\nbudget_usd: 2000\nsample_ms: ${look_ms}\n`,
    'configs/control/rollouts.yml': `api: rollouts\nwindow_ms: 3600000\nsamples_min: 10\ntake_ms: ${TAKE_MS}\nheed_other_work: false\n${look}\n`,
    'configs/control/policy.yml': policy,
    'configs/control/meta-loop.yml': `api: meta-loop\nwatch: {${look}, interval_seconds: ${watch_s}}\ncadence: {per_step_timeout_seconds: ${STEP_S}}\n${loop}`,
  }
  const root = createRoot(files, mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'mm-test-')))
  const meanwhile = async <T>(work: Promise<T>): Promise<T> => {
    const over = new AbortController()
    const ended = work.finally(() => over.abort())
    ended.catch(() => undefined)
    while (!over.signal.aborted) {
      await clock.advance(1)
      await realMoment()
    }
    return ended
  }
  const system = await meanwhile(startSystem(root, { clock }))
  const begin = clock.now()
  return {
    system,
    clock,
    elapsed: () => clock.now() - begin,
    meanwhile,
    stop: () => meanwhile(system.stop()),
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const isBusy = (): boolean => process.getActiveResourcesInfo().some((kind) => BUSY.test(kind))
const realMoment = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1))

/** Goes on when nothing is under way any more: what was promised has settled, and what was asked of the disk has come. */
function pacedClock(): SimClock {
  const patient = new Set<unknown>()
  const settle = async (): Promise<void> => {
    await nextTurn()
    // A short way on nobody runs out of time.
    if (clock.idle < SOON_MS) return
    for (let calm = 0; calm < CALM_TURNS; calm = isBusy() ? 0 : calm + 1) await nextTurn()
    for (let n = 0; n < NEWS_MS_MAX && patient.size > 0 && clock.idle >= SOON_MS; n++) await realMoment()
  }
  const clock = new SimClock({ settle, wall: BEGIN })
  const { after, clear } = clock
  clock.after = (ms, callback) => {
    const token = after(ms, callback)
    if (PATIENT.has(ms)) patient.add(token)
    return token
  }
  clock.clear = (token) => {
    patient.delete(token)
    clear(token)
  }
  return clock
}
