/**
 * The service `self-improver`: a goal becomes a change. It asks a model, judges what comes by its checks, and hands what
 * passes to `rollouts`, where the policy and a person decide. It writes no file of the system itself. One improvement of a
 * service at a time; those that ran when the process ended are told as failed at the next start.
 */
import { join } from 'node:path'
import { z } from 'zod'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import {
  EFFECT_METRICS,
  type DeclaredChange,
  type Evidence,
  type ImproveRequest,
  type Improvement,
  type ProposedEdit,
  type SelfImproverApi,
} from '../../contracts/proposals.ts'
import { coded } from '../../lib/errors.ts'
import { tool } from '../../lib/tool.ts'
import { changesSchema } from './answer.ts'
import { configSchema, type Config } from './config.ts'
import { runGate } from './gate.ts'
import { improve } from './improve.ts'
import { ImprovementStore, openImprovements } from './store.ts'

export { configSchema }

const LIST_MAX = 500
const name = z.string().trim().min(1).max(200)
const requestSchema = z.strictObject({
  service: name,
  goal: z.string().trim().min(1).max(10_000),
  provider: name.optional(),
  budget_usd: z.number().positive().optional(),
  tries: z.number().int().positive().max(20).optional(),
  expected: z
    .strictObject({
      metric: z.enum(EFFECT_METRICS),
      direction: z.enum(['lower', 'higher']),
      min_effect: z.number().positive().optional(),
    })
    .optional(),
  actor: name.optional(),
})
const editsSchema = z
  .array(
    z.strictObject({
      path: z.string().min(1).max(1_000),
      base_hash: z.string().nullable(),
      text: z.string().nullable(),
    }),
  )
  .min(1)
  .max(100)

export class Module implements SelfImproverApi {
  /** an answer of a model, and all checks of some tries */
  static readonly drain_ms = 600_000
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #ended = new AbortController()
  readonly #running = new Map<string, Promise<Improvement>>()
  /** checks take the machine's attention: one after the other */
  #checking: Promise<unknown> = Promise.resolve()
  #opened: ImprovementStore | undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const folder = join(this.#kernel.paths.runtime, 'control')
    const held = await this.#kernel.hold(
      'improvements',
      async () => ({ connection: await openImprovements(folder), told: false }),
      ({ connection }) => connection.close(),
    )
    this.#opened = new ImprovementStore(held.connection, this.#config.kept_max)
    if (held.told) return
    held.told = true
    const ended_at = this.#kernel.clock.now()
    for (const one of this.#opened.running())
      this.#opened.save({ ...one, state: 'failed', message: 'the process ended while it ran', ended_at })
  }

  async improve(given: ImproveRequest): Promise<Improvement> {
    const { id } = await this.start(given)
    return (await this.#running.get(id)) ?? this.show(id)
  }

  async start(given: ImproveRequest): Promise<Improvement> {
    const request = this.#read(requestSchema, given) as ImproveRequest
    const system = this.#kernel.getApi<KernelServiceApi>('kernel')
    const { frozen } = await system.status()
    if (frozen !== 'none')
      throw coded('frozen', { reason: 'runtime/FREEZE is there, so the system may not change itself' })
    await system.show(request.service)
    const busy = this.#store()
      .running()
      .find(({ service }) => service === request.service)
    if (busy !== undefined) throw coded('improvement_running', { improvement: busy.id, api: request.service })
    const begun = this.#store().add({
      service: request.service,
      goal: request.goal,
      state: 'running',
      attempts: [],
      proposal_id: null,
      cost_usd: 0,
      message: '',
      started_at: this.#kernel.clock.now(),
      ended_at: null,
    })
    const parts = { kernel: this.#kernel, config: this.#config, store: this.#store(), signal: this.#ended.signal }
    const work = improve(parts, begun, request).finally(() => this.#running.delete(begun.id))
    this.#running.set(begun.id, work)
    this.#kernel.spawn(`improvement ${begun.id}`, () => work.catch(() => undefined))
    return begun
  }

  async list({
    service,
    limit = 100,
  }: {
    service?: string
    limit?: number
  } = {}): Promise<{ improvements: Improvement[] }> {
    return { improvements: this.#store().list(service, Math.min(Math.max(1, limit), LIST_MAX)) }
  }

  async show(id: string): Promise<Improvement> {
    const found = this.#store().get(String(id))
    if (found === undefined) throw coded('improvement_missing', { improvement: id })
    return found
  }

  async check(
    given: ProposedEdit[],
    options: { service?: string; changes?: DeclaredChange[] } = {},
  ): Promise<{ passed: boolean; evidence: Evidence[] }> {
    const edits = this.#read(editsSchema, given)
    const changes = this.#read(changesSchema, options.changes ?? []) as DeclaredChange[]
    const run = this.#checking.then(() =>
      runGate({ kernel: this.#kernel, config: this.#config }, edits, {
        actor: 'self-improver',
        service: options.service,
        changes,
        counterexamples: (api) => this.#store().counterexamples(api),
      }),
    )
    this.#checking = run.catch(() => undefined)
    return run
  }

  getAspect(aspect: string): object | undefined {
    if (aspect !== 'tool') return undefined
    return {
      improve: tool({
        description:
          'Let a model improve a service: its answer is checked, and what passes waits for a person. Returns how it ended.',
        params: z.object({
          service: z.string().describe('name of the service'),
          goal: z.string().describe('what should become better, and what must not change'),
          tries: z.number().int().positive().max(20).optional(),
          budget_usd: z.number().positive().optional(),
        }),
        deadline_ms: 600_000,
        run: ({ service, goal, tries, budget_usd }, { caller }) =>
          this.improve({
            service,
            goal,
            ...(tries === undefined ? {} : { tries }),
            ...(budget_usd === undefined ? {} : { budget_usd }),
            actor: caller,
          }),
      }),
    }
  }

  shutdown(): void {
    this.#ended.abort(coded('stopped'))
  }

  #store(): ImprovementStore {
    if (this.#opened === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#opened
  }

  #read<T>(schema: z.ZodType<T>, given: unknown): T {
    const read = schema.safeParse(given)
    if (read.success) return read.data
    const [issue] = read.error.issues
    throw coded('bad_arguments', { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
  }
}
