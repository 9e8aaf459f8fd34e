/**
 * The built-in service `kernel`: what modules, tools, HTTP and the command line see of the system. Its methods get the
 * caller first; those that change something refuse an unknown caller and a frozen system. Read-only ones are open.
 */
import type {
  ConfigSchema,
  EffectiveConfig,
  KernelInfo,
  KernelStatus,
  KernelSwapResult,
  PlannedChange,
  ProposedFile,
  ReloadResult,
  ServiceDetail,
  ServiceSource,
  ServiceStatus,
  Traffic,
} from '../contracts/kernel.ts'
import type { ScanReport } from '../contracts/sandbox.ts'
import type { Handle, MachineEvent } from '../contracts/module.ts'
import type { CallerRecord, GenerationRecord, ServiceRecord, ToolContract } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { nearText } from '../lib/near.ts'
import { follow } from './events.ts'
import { readPrompt } from './given.ts'
import { kernelTools, type KernelTooling } from './kernel-tools.ts'
import type { Machine } from './machine.ts'
import { detailOf, statusOf, treeOf } from './service.ts'
import { schemasOf } from './schemas.ts'
import { sourceOf } from './sources.ts'
import { trafficOf } from './traffic.ts'

export interface KernelActions {
  status(): KernelStatus
  reload(api: string, caller?: CallerRecord): Promise<ReloadResult>
  /** undefined: another kernel has taken over meanwhile */
  rollback(api: string, reason: string): Promise<ReloadResult | undefined>
  undo(api: string): Promise<ReloadResult | undefined>
  release(api: string): Promise<ReloadResult>
  plan(files?: ProposedFile[]): Promise<PlannedChange[]>
  configOf(api: string): EffectiveConfig[]
  configs(): Promise<EffectiveConfig[]>
  kernel(): KernelInfo
  swap(): Promise<KernelSwapResult>
  /** Resolves at once, or when a swap of the kernel that is under way has ended. */
  whenSettled(): Promise<void>
}

/** The service that speaks for people: an operator's token stands behind its calls. */
const OPERATOR_SERVICE = 'http'

export class KernelService implements KernelTooling {
  private readonly machine: Machine
  private readonly actions: KernelActions

  constructor(machine: Machine, actions: KernelActions) {
    this.machine = machine
    this.actions = actions
  }

  status(_caller: CallerRecord): KernelStatus {
    return this.actions.status()
  }

  services(_caller?: CallerRecord): ServiceStatus[] {
    return this.listed().map((service) => statusOf(this.machine, service))
  }

  show(_caller: CallerRecord, api: string): ServiceDetail {
    return detailOf(this.machine, this.find(api))
  }

  async reload(caller: CallerRecord, api: string): Promise<ReloadResult> {
    this.checkChange(caller, 'reload')
    return this.actions.reload(api, caller)
  }

  kernel(_caller: CallerRecord): KernelInfo {
    return this.actions.kernel()
  }

  swap(caller: CallerRecord): Promise<KernelSwapResult> {
    this.checkChange(caller, 'swap')
    return this.actions.swap()
  }

  /** The ways back are open while the system is frozen: they take changes away. */
  async rollback(caller: CallerRecord, api: string): Promise<ReloadResult> {
    this.checkKnown(caller, 'rollback')
    const back = (): Promise<ReloadResult | undefined> =>
      this.actions.rollback(this.find(api).api, `${caller.api} asked for it`)
    return (await this.here(back)) ?? this.askNext(caller, 'rollback', api)
  }

  async undo(caller: CallerRecord, api: string): Promise<ReloadResult> {
    this.checkKnown(caller, 'undo')
    return (await this.here(() => this.actions.undo(api))) ?? this.askNext(caller, 'undo', api)
  }

  async release(caller: CallerRecord, api: string): Promise<ReloadResult> {
    if (caller.api !== OPERATOR_SERVICE) throw coded('operator_method', { method: 'release' })
    return this.actions.release(api)
  }

  /** undefined when this kernel was replaced while it waited. */
  private async here<T>(work: () => Promise<T>): Promise<T | undefined> {
    await this.actions.whenSettled()
    return this.machine.gone ? undefined : work()
  }

  private askNext(caller: CallerRecord, method: string, api: string): Promise<ReloadResult> {
    const handle = this.machine.calls.handleFor(caller, 'kernel', 'default') as unknown as Handle
    return handle[method]?.(api) as Promise<ReloadResult>
  }

  async plan(_caller: CallerRecord, files?: ProposedFile[]): Promise<PlannedChange[]> {
    if (files === undefined) return this.actions.plan()
    const isFile = (one: unknown): boolean => typeof (one as { path?: unknown } | null)?.path === 'string'
    if (Array.isArray(files) && files.every(isFile)) return this.actions.plan(files)
    throw coded('bad_arguments', { api: 'kernel', reason: 'plan takes a list of {path, text?}' })
  }

  schemas(_caller: CallerRecord): ConfigSchema[] {
    return schemasOf(this.listed())
  }

  scan(_caller: CallerRecord, texts: Record<string, string>, packages: string[] = []): Promise<ScanReport> {
    const { sandboxes } = this.machine.options
    const isText = (one: unknown): boolean => typeof one === 'string'
    if (typeof texts !== 'object' || !Object.values(texts ?? {}).every(isText))
      throw coded('bad_arguments', { api: 'kernel', reason: 'scan takes texts by their paths' })
    if (sandboxes === undefined) {
      const reason = 'this kernel was given none'
      throw coded('sandbox_unavailable', { package: 'isolated-vm', node: process.versions.node, reason })
    }
    return sandboxes.scan(texts, this.machine.meta.sandboxPolicy, packages)
  }

  source(_caller: CallerRecord, api: string, which: 'live' | 'disk' = 'live'): ServiceSource {
    return sourceOf(this.machine, this.find(api), which)
  }

  traffic(_caller: CallerRecord): Traffic {
    return trafficOf(this.listed(), this.machine.options.clock.now())
  }

  async configs(_caller: CallerRecord, api?: string): Promise<EffectiveConfig[]> {
    return api === undefined ? this.actions.configs() : this.configOf(api)
  }

  tree(_caller: CallerRecord, api?: string): string {
    return treeOf(api === undefined ? this.listed() : [this.find(api)])
  }

  prompt(_caller: CallerRecord, path: string): { text: string; hash: string } {
    return readPrompt(this.machine, path)
  }

  tools(_caller: CallerRecord): ({ api: string } & ToolContract)[] {
    const live = [...this.machine.services.values()].flatMap((service) =>
      service.live === undefined ? [] : [service.live],
    )
    return live.flatMap((generation) =>
      (generation.contract?.tools ?? []).map((one) => ({ api: generation.api, ...one })),
    )
  }

  eventsSince(_caller: CallerRecord, id: number, pattern = '*'): MachineEvent[] {
    return this.machine.events.since(id, pattern)
  }

  async *events(_caller: CallerRecord, pattern = '*', sinceId?: number): AsyncGenerator<MachineEvent> {
    yield* follow(this.machine.events.record, pattern, sinceId)
  }

  getAspect(name: string): object | undefined {
    return name === 'tool' ? kernelTools(this) : undefined
  }

  private listed(): ServiceRecord[] {
    return [...this.machine.services.values()].sort((a, b) => (a.api < b.api ? -1 : 1))
  }

  private find(api: string): ServiceRecord {
    const service = this.machine.services.get(api)
    if (service === undefined)
      throw coded('service_not_found', { api, near: nearText(api, this.machine.services.keys()) })
    return service
  }

  private checkChange(caller: CallerRecord, method: string): void {
    this.checkKnown(caller, method)
    if (caller.api !== OPERATOR_SERVICE) this.checkFrozen()
  }

  private checkKnown(caller: CallerRecord, method: string): void {
    if (caller.api === 'anonymous') throw coded('caller_unknown', { api: 'kernel', method })
  }

  private checkFrozen(): void {
    if (this.machine.options.switchboard.frozen !== 'none') {
      throw coded('frozen', { reason: 'runtime/FREEZE is there, so the system may not change itself' })
    }
  }

  /** Of a tool: who asked is a name. */
  async change(kind: 'reload' | 'rollback' | 'undo', api: string, caller: string | undefined): Promise<ReloadResult> {
    if (caller === undefined || caller === 'anonymous') throw coded('caller_unknown', { api: 'kernel', method: kind })
    if (kind === 'reload') {
      this.checkFrozen()
      return this.actions.reload(this.find(api).api)
    }
    const back = (): Promise<ReloadResult | undefined> =>
      kind === 'undo' ? this.actions.undo(api) : this.actions.rollback(this.find(api).api, `${caller} asked for it`)
    const result = await this.here(back)
    if (result === undefined) throw coded('kernel_busy', { reason: 'another kernel takes over; call again' })
    return result
  }

  planned(): Promise<PlannedChange[]> {
    return this.actions.plan()
  }

  configOf(api: string): EffectiveConfig[] {
    return this.actions.configOf(this.find(api).api)
  }

  lastEvents(pattern: string, count: number): MachineEvent[] {
    return this.machine.events.since(0, pattern).slice(-count)
  }

  /** For a model: the whole in a few lines. */
  summary(): object {
    const status = this.actions.status()
    const services = this.services()
    const wrong = services.filter((one) => one.state !== 'live' || one.stale || one.last_error !== null)
    return {
      status: status.status,
      kernel: status.version,
      uptime_s: status.uptime_s,
      services_live: services.filter((one) => one.state === 'live').length,
      services_total: services.length,
      calls: services.reduce((total, one) => total + one.calls, 0),
      errors: services.reduce((total, one) => total + one.errors, 0),
      frozen: status.frozen,
      attention: wrong.map((one) => `${one.api}: ${one.last_error?.message ?? one.state}`),
    }
  }

  /** For a model: one service without what would fill pages. */
  brief(api: string): object {
    const { methods, tools, owned, latency_ms, draining, ...rest } = detailOf(this.machine, this.find(api))
    return {
      ...rest,
      methods: methods.map((method) => method.name),
      tools: tools.map((one) => one.name),
      owned: owned.map((one) => `${one.kind} ${one.label}`),
      draining: draining.length,
      latency_ms,
    }
  }
}

/** Methods the handles of `kernel` forward; the rest of the class is not reachable. */
export const KERNEL_METHODS = [
  'status',
  'services',
  'show',
  'reload',
  'rollback',
  'undo',
  'release',
  'plan',
  'source',
  'scan',
  'schemas',
  'traffic',
  'configs',
  'tree',
  'kernel',
  'swap',
  'prompt',
  'tools',
  'eventsSince',
  'events',
] as const

export type KernelGeneration = GenerationRecord
