/**
 * What is asked of the system in one minute, and what its agent does, by the plan: usual work with the chance that is in
 * it, and what is wrong now. Everything goes the way it goes in life: calls through the kernel, events on its bus, events
 * of the agent to the metrics.
 */
import type { ControlMetricsApi } from '../../../modules/contracts/meta-metrics.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import { codeOf, reasonOf } from '../../../modules/lib/errors.ts'
import type { Random } from '../../support/load.ts'
import { HOUR, loadAt, sizeAt, type Plan } from './plan.ts'
import { ORDER_FAILED, type World } from './world.ts'

/** An hour, at full work. */
const ORDERS = 80
const REQUESTS = 15
const TOOL_CALLS = 12
const ANSWERS = 16
const TASKS = 4
const SESSIONS = 1

const MINUTE_MS = 60_000
const FAILS = 0.015
const ORDER_MS: readonly [number, number] = [80, 320]
const TOOL_FAILS = 0.03
const WRITTEN_WRONGLY = 0.03
const EXTRA_ANSWER = 0.1
const USD = 0.08
const TOKENS = 9_000
const RETRIED = 0.05
const TASK_FAILS = 0.03
const UNSURE = 0.1

interface Shop {
  order(id: number, ms: number, fails: boolean): Promise<number>
}
interface Traced {
  invoke(tool: string, params: object): Promise<unknown>
  complete(request: object): Promise<unknown>
}

export class Feed {
  private readonly world: World
  private readonly plan: Plan
  private readonly chance: Random
  private readonly metrics: Handle<ControlMetricsApi>
  private orders = 0
  private requests = 0
  calls = 0
  events = 0
  /** of what was asked for, all that failed and was not meant to */
  readonly failures = new Set<string>()

  constructor(world: World, plan: Plan, chance: Random) {
    this.world = world
    this.plan = plan
    this.chance = chance
    this.metrics = world.system.getApi<ControlMetricsApi>('control/metrics')
  }

  /** Arms what falls into the minute that begins now. */
  minute(minute: number): void {
    const load = loadAt(this.plan, minute) / HOUR
    const often = (perHour: number, work: (minute: number) => Promise<unknown>): void => {
      const mean = perHour * load
      for (let left = mean; left > 0; left--)
        if (this.chance.next() < left)
          this.world.clock.after(this.chance.next() * MINUTE_MS, () => void work(minute).catch(this.failed))
    }
    often(ORDERS, this.order)
    often(REQUESTS, this.request)
    often(TOOL_CALLS, this.toolCall)
    often(ANSWERS, this.answer)
    often(TASKS, this.task)
    often(SESSIONS, () => this.record('session_start', {}))
  }

  private readonly failed = (thrown: unknown): void => {
    if (codeOf(thrown) !== ORDER_FAILED) this.failures.add(reasonOf(thrown))
  }

  private readonly order = async (minute: number): Promise<void> => {
    const again = this.isBy('repeats', minute, 0)
    const id = again && this.orders > 0 ? 1 : ++this.orders * 2 + (this.chance.next() < 0.5 ? 0 : 1)
    const decay = sizeAt(this.plan, 'decay', minute, FAILS, 12 * HOUR) ?? FAILS
    const fails = this.chance.next() < (sizeAt(this.plan, 'outage', minute) ?? decay)
    const slower = sizeAt(this.plan, 'slow', minute, 1, 3 * HOUR) ?? 1
    const ms = again ? ORDER_MS[0] : Math.round(this.chance.between(...ORDER_MS) * slower)
    this.calls++
    await this.world.system.getApi<Shop>('shop').with({ deadlineMs: MINUTE_MS }).order(id, ms, fails)
  }

  /** A model answers once for each tool call and once at the end; what is more is not needed. */
  private readonly request = async (minute: number): Promise<void> => {
    const request = ++this.requests
    const tools = this.chance.between(1, 3)
    const needed = tools + 1
    const times = sizeAt(this.plan, 'chatty', minute)
    const answers =
      times === undefined ? needed + (this.chance.next() < EXTRA_ANSWER ? 1 : 0) : Math.ceil(needed * times)
    const { system } = this.world
    const handle = (api: string): Handle<Traced> =>
      system.getApi<Traced>(api).with({ trace: `r${request}`, deadlineMs: MINUTE_MS })
    for (let n = 0; n < tools; n++) await handle('tools').invoke('look', { request, n })
    for (let n = 0; n < answers; n++) await handle('openai').complete({ request, n })
    this.calls += tools + answers
  }

  private readonly toolCall = (minute: number): Promise<unknown> => {
    const wrong = this.isBy('wrong_calls', minute, WRITTEN_WRONGLY)
    const fails = this.isBy('tools_fail', minute, TOOL_FAILS)
    const code = wrong ? 'bad_params' : fails ? 'tool_failed' : undefined
    return this.emit('tool.called', { tool: 'look', status: code === undefined ? 'success' : 'error', ms: 20, code })
  }

  private readonly answer = (minute: number): Promise<unknown> => {
    const dearer = (sizeAt(this.plan, 'cost', minute) ?? 1) * (sizeAt(this.plan, 'overspend', minute) ?? 1)
    const cost_usd = USD * dearer * (0.5 + this.chance.next())
    return this.emit('model.called', { usage: { input_tokens: 900, output_tokens: 100, cached_tokens: 0, cost_usd } })
  }

  private readonly task = (minute: number): Promise<unknown> => {
    const failed = this.chance.next() < TASK_FAILS
    const distance = sizeAt(this.plan, 'overconfident', minute) ?? UNSURE
    const tokens = TOKENS * (sizeAt(this.plan, 'tokens', minute) ?? 1) * (0.7 + 0.6 * this.chance.next())
    return this.record(failed ? 'task_failed' : 'task_complete', {
      tokens_consumed: Math.round(tokens),
      duration_seconds: 30,
      retries: this.isBy('retries', minute, RETRIED) ? 1 : 0,
      confidence: failed ? distance : 1 - distance,
      ...(failed ? { error_type: 'timeout' } : {}),
    })
  }

  private isBy(kind: 'repeats' | 'wrong_calls' | 'tools_fail' | 'retries', minute: number, usual: number): boolean {
    return this.chance.next() < (sizeAt(this.plan, kind, minute) ?? usual)
  }

  private emit(type: string, data: object): Promise<unknown> {
    this.events++
    return this.world.system.getApi<{ emit(type: string, data: object): void }>('world').emit(type, data)
  }

  private record(
    type: 'task_complete' | 'task_failed' | 'session_start',
    data: Record<string, unknown>,
  ): Promise<unknown> {
    this.events++
    return this.metrics.record({ bot_id: 'default', type, session_id: null, data })
  }
}
