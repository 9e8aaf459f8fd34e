/**
 * The service `policy`: the one choke point. It says of every change the system would make itself whether it goes
 * through, waits for a person, or never happens, and which rule says so. As a hook of the service `tools` it is asked
 * before each tool call. It fails closed: what it cannot look up is refused. People's own edits are not asked about.
 */
import { realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { Change, PolicyApi, PolicyQuestion, PolicyVerdict } from '../../contracts/policy.ts'
import type { ToolCall, ToolHookApi } from '../../contracts/tool-service.ts'
import { coded } from '../../lib/errors.ts'
import { judge, type ChangeFacts, type Settings } from './judge.ts'
import { DIRECTIONS } from './protected.ts'
import { ruleSchema } from './rules.ts'
import { changesOf, serviceOf } from './tool-changes.ts'

const directionSchema = z.strictObject({
  tighter: z.enum(['lower', 'higher', 'neither']),
  min: z.number().optional(),
  max: z.number().optional(),
  max_drift: z.number().positive().max(1).optional(),
  values: z.array(z.string()).optional(),
})

export const configSchema = z.object({
  autonomy: z.enum(['locked', 'supervised', 'semi', 'full']).default('supervised'),
  production: z.boolean().default(true),
  /** added to those that ship; `section.key` → direction */
  directions: z.record(z.string(), directionSchema).default({}),
  rules: z.array(ruleSchema).max(1_000).default([]),
  /** changes of one actor that go through or wait, in any hour */
  changes_per_hour_max: z.number().int().positive().default(60),
})

type Config = z.infer<typeof configSchema>

const HOUR_MS = 3_600_000
const ACTORS_MAX = 1_000

const text = z.string().min(1).max(4_096)
const value = z.json().optional()
const changeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('value'), file: text, key: text, old: value, new: value, approved: value }),
  z.object({ kind: z.literal('file'), path: text, operation: z.enum(['create', 'modify', 'delete']) }),
  z.object({ kind: z.literal('tool'), tool: text, params: z.record(z.string(), z.unknown()) }),
  z.object({ kind: z.literal('grant'), service: text, grant: text }),
])
const questionSchema = z.object({
  origin: z.enum(['human', 'self', 'test']),
  actor: text,
  changes: z.array(changeSchema).min(1).max(1_000),
  undo: z
    .array(z.object({ operation: text, target: text }))
    .max(1_000)
    .optional(),
})

export class Module implements PolicyApi, ToolHookApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #settings: Settings
  readonly #system: Handle<KernelServiceApi>
  /** actor → when its changes were let through or sent on, monotonic ms */
  #asked = new Map<string, number[]>()

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    const directions = { ...DIRECTIONS, ...(config.directions as Settings['directions']) }
    this.#settings = { autonomy: config.autonomy, production: config.production, directions, rules: config.rules }
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
  }

  async check(given: PolicyQuestion): Promise<PolicyVerdict> {
    const read = questionSchema.safeParse(given)
    if (!read.success) {
      const [issue] = read.error.issues
      throw coded('bad_arguments', { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
    }
    const question = read.data as PolicyQuestion
    const changes = await Promise.all(question.changes.map((change) => this.#factsOf(change)))
    const rate = this.#isTooOften(question)
    return judge(question, this.#settings, rate === undefined ? { changes } : { changes, rate })
  }

  async admit(question: PolicyQuestion): Promise<PolicyVerdict> {
    const verdict = await this.check(question)
    if (verdict.tier !== 'NEVER') this.#count(question)
    return verdict
  }

  async explain(question: PolicyQuestion): Promise<{ verdict: PolicyVerdict; text: string }> {
    const verdict = await this.check(question)
    const lines = verdict.reasons.map(({ tier, by, rule, message }) => `${tier}  ${by}/${rule}: ${message}`)
    return { verdict, text: [`${verdict.tier} by ${verdict.rule}: ${verdict.message}`, ...lines].join('\n') }
  }

  /** The hook of the service `tools`. */
  async before_call({ name, params, caller }: ToolCall): Promise<{ refuse?: string } | undefined> {
    const service = serviceOf(name, params)
    const files = service === undefined ? undefined : await this.#system.show(service)
    const known = service === undefined ? [] : await this.#system.configs(service)
    const values = new Map(known.flatMap((config) => config.values).map((one) => [one.key, one.value]))
    const changes: Change[] = [{ kind: 'tool', tool: name, params }, ...changesOf(name, params, files, values)]
    const undo = [{ operation: 'restore_file' as const, target: name }]
    const { tier, rule, message } = await this.admit({ origin: 'self', actor: caller, changes, undo })
    if (tier === 'AUTO_APPROVE') return undefined
    this.#kernel.events.emit('policy.refused', { actor: caller, tool: name, tier, rule })
    const how = tier === 'NEVER' ? 'this is never done by the system' : 'a person has to do it, or widen the policy'
    return { refuse: `${message} (${rule}): ${how}` }
  }

  handOver(): unknown {
    return [...this.#asked]
  }

  takeOver(state: [string, number[]][]): void {
    this.#asked = new Map(state)
  }

  /** Where a path leads: what does not exist yet leads where its nearest folder does. Throws when that cannot be told. */
  #leadsTo(path: string): string {
    const { root } = this.#kernel.paths
    const base = realpathSync(root)
    let existing = join(base, path)
    const rest: string[] = []
    for (;;) {
      try {
        return relative(base, join(realpathSync(existing), ...rest))
      } catch (thrown) {
        if ((thrown as { code?: unknown }).code !== 'ENOENT' || existing === base) throw thrown
        rest.unshift(existing.slice(dirname(existing).length + 1))
        existing = dirname(existing)
      }
    }
  }

  async #factsOf(change: Change): Promise<ChangeFacts> {
    if (change.kind === 'grant' || change.kind === 'tool') return {}
    const written = change.kind === 'file' ? change.path : change.file
    const path = this.#leadsTo(written)
    if (!path.startsWith('configs/')) return { path }
    const services = await this.#system.services()
    const config = services.find(({ config_file }) => config_file === path || config_file === written)
    return config === undefined ? { path } : { path, config: { api: config.api, prog: config.prog } }
  }

  #isTooOften({ actor, changes }: PolicyQuestion): string | undefined {
    if (changes.every(({ kind }) => kind === 'tool')) return undefined
    const since = this.#kernel.clock.monotonic() - HOUR_MS
    const asked = (this.#asked.get(actor) ?? []).filter((at) => at > since)
    if (asked.length < this.#config.changes_per_hour_max) return undefined
    return `${actor} has made ${asked.length} changes within an hour; the limit is ${this.#config.changes_per_hour_max}`
  }

  #count({ actor, changes }: PolicyQuestion): void {
    if (changes.every(({ kind }) => kind === 'tool')) return
    const now = this.#kernel.clock.monotonic()
    const asked = (this.#asked.get(actor) ?? []).filter((at) => at > now - HOUR_MS)
    asked.push(now)
    this.#asked.delete(actor)
    this.#asked.set(actor, asked)
    if (this.#asked.size > ACTORS_MAX) this.#asked.delete(this.#asked.keys().next().value ?? '')
  }
}
