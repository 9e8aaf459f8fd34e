/**
 * The service `policy`: the one choke point. It says of every change the system would make itself whether it goes
 * through, waits for a person, or never happens, and which rule says so. As a hook of the service `tools` it is asked
 * before each tool call. It fails closed: what it cannot look up is refused. People's own edits are not asked about.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Approval } from '../../contracts/approvals.ts'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { LedgerApi } from '../../contracts/ledger.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type {
  Altitude,
  Change,
  PolicyApi,
  PolicyQuestion,
  PolicySettings,
  PolicyVerdict,
} from '../../contracts/policy.ts'
import type { Json } from '../../contracts/seams.ts'
import type { HookAnswer, ToolCall, ToolHookApi } from '../../contracts/tool-service.ts'
import { coded, codeOf, reasonOf } from '../../lib/errors.ts'
import { Asked } from './asked.ts'
import { Baselines } from './baselines.ts'
import { configChanges, flatValues } from './config-changes.ts'
import { DIRECTIONS } from './directions.ts'
import { judge, type Settings } from './judge.ts'
import { ParkedCalls, type ParkedCall } from './parked-calls.ts'
import { bytesOf } from './preview.ts'
import { Places } from './places.ts'
import { PROFILES, type Profile } from './profiles.ts'
import { entryOf, RATED } from './record.ts'
import { ruleSchema } from './rules.ts'
import { changesOf, serviceOf } from './tool-changes.ts'

const ALTITUDES = ['tuning', 'config', 'prompt', 'structure', 'tool', 'code', 'kernel'] as const satisfies Altitude[]

const directionSchema = z.strictObject({
  tighter: z.enum(['lower', 'higher', 'neither']),
  min: z.number().optional(),
  max: z.number().optional(),
  max_drift: z.number().positive().max(1).optional(),
  values: z.array(z.string()).optional(),
})

export const configSchema = z.object({
  /** what the root is used for; sets the keys below that are not given */
  profile: z.enum(['dev', 'quiet', 'standard', 'strict']).default('standard'),
  autonomy: z.enum(['locked', 'supervised', 'semi', 'full']).optional(),
  production: z.boolean().optional(),
  notices: z.boolean().optional(),
  review_calls: z.boolean().optional(),
  /** changes of one actor that go through or wait */
  changes_per_hour_max: z.number().int().positive().optional(),
  changes_per_day_max: z.number().int().positive().optional(),
  /** how high a change may reach at all */
  altitudes: z.array(z.enum(ALTITUDES)).default([...ALTITUDES]),
  /** added to those that ship; `section.key`, or `prog section.key` for configs of that module only → direction */
  directions: z.record(z.string(), directionSchema).default({}),
  rules: z.array(ruleSchema).max(1_000).default([]),
})

type Config = z.infer<typeof configSchema>

const DAY_MS = 86_400_000
/** Entries of the ledger that are read at the start. */
const READ_MAX = 1_000

const text = z.string().min(1).max(4_096)
const value = z.json().optional()
const operation = z.enum(['create', 'modify', 'delete'])
const changeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('value'), file: text, key: text, old: value, new: value, approved: value }),
  z.object({ kind: z.literal('file'), path: text, operation, text: z.string().optional() }),
  z.object({
    kind: z.literal('tool'),
    tool: text,
    params: z.record(z.string(), z.unknown()),
    read_only: z.boolean().optional(),
  }),
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
  altitude: z.enum(ALTITUDES).optional(),
  review: text.optional(),
  cycle: z.string().min(1).max(200).optional(),
})

function read(given: PolicyQuestion): PolicyQuestion {
  const asked = questionSchema.safeParse(given)
  if (asked.success) return asked.data as PolicyQuestion
  const [issue] = asked.error.issues
  throw coded('bad_arguments', { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
}

export class Module implements PolicyApi, ToolHookApi {
  static readonly needs = ['ledger']
  readonly #kernel: KernelApi
  readonly #settings: Settings
  readonly #limits: Profile
  readonly #profile: keyof typeof PROFILES
  readonly #system: Handle<KernelServiceApi>
  readonly #ledger: Handle<LedgerApi>
  readonly #baselines: Baselines
  readonly #parked: ParkedCalls
  readonly #places: Places
  readonly #freezeFile: string
  readonly #asked = new Asked()

  constructor(kernel: KernelApi, { profile, directions, rules, altitudes, ...own }: Config) {
    this.#kernel = kernel
    const given = Object.fromEntries(Object.entries(own).filter(([, one]) => one !== undefined))
    const chosen: Profile = { ...PROFILES[profile], ...given }
    const known = { ...DIRECTIONS, ...(directions as Settings['directions']) }
    this.#settings = { ...chosen, directions: known, rules, altitudes }
    this.#limits = chosen
    this.#profile = profile
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
    this.#ledger = kernel.getApi<LedgerApi>('ledger')
    this.#baselines = new Baselines(kernel.paths.root)
    this.#parked = new ParkedCalls(kernel)
    this.#places = new Places(kernel)
    this.#freezeFile = join(kernel.paths.runtime, 'FREEZE')
  }

  async init(): Promise<void> {
    const since = this.#kernel.clock.now() - DAY_MS
    const entries = await this.#ledger.read({ action: RATED, since, limit: READ_MAX })
    for (const { actor, time, outcome } of entries) if (outcome !== 'NEVER') this.#asked.count(actor, time)
  }

  /** Versions follow each other with no call under way, so that no parked call is made twice. */
  handOver(): null {
    return null
  }

  takeOver(): void {}

  async check(given: PolicyQuestion): Promise<PolicyVerdict> {
    return (await this.#judge(read(given))).verdict
  }

  admit(given: PolicyQuestion): Promise<PolicyVerdict> {
    return this.#admit(read(given))
  }

  async #admit(given: PolicyQuestion): Promise<PolicyVerdict> {
    const { question, verdict } = await this.#judge(given)
    const isPlain = verdict.impact === 'MINIMAL' && verdict.tier === 'AUTO_APPROVE'
    if (isPlain) return verdict
    await this.#ledger.append(entryOf(question, verdict))
    if (verdict.tier === 'AUTO_APPROVE') await this.#baselines.keep(question.changes)
    if (verdict.tier !== 'NEVER' && verdict.impact !== 'MINIMAL')
      this.#asked.count(question.actor, this.#kernel.clock.now())
    if (verdict.notice)
      this.#kernel.events.emit('policy.notice', { actor: question.actor, rule: verdict.rule, message: verdict.message })
    return verdict
  }

  async explain(question: PolicyQuestion): Promise<{ verdict: PolicyVerdict; text: string }> {
    const verdict = await this.check(question)
    const lines = verdict.reasons.map(({ tier, by, rule, message }) => `${tier}  ${by}/${rule}: ${message}`)
    return { verdict, text: [`${verdict.tier} by ${verdict.rule}: ${verdict.message}`, ...lines].join('\n') }
  }

  settings(): PolicySettings {
    const { directions, rules, altitudes } = this.#settings
    const named = { rules: [...rules], altitudes: [...altitudes], directions: { ...directions } }
    return { ...this.#limits, ...named, profile: this.#profile, profiles: { ...PROFILES } }
  }

  /** The hook of the service `tools`. */
  async before_call(call: ToolCall): Promise<HookAnswer | undefined> {
    if (call.origin === 'human') return undefined
    const { name, params, caller, read_only } = call
    const changes = await this.#changesOf(call)
    if (changes === undefined) return { refuse: `there is no service ${String(params['service'])}` }
    const isPlain = changes.length === 0 && this.#settings.rules.length === 0 && !this.#settings.review_calls
    if (isPlain && call.permit === undefined) return undefined
    const undo = [{ operation: 'restore_file' as const, target: name }]
    const asks: Change = { kind: 'tool', tool: name, params, ...(read_only === true ? { read_only } : {}) }
    const question: PolicyQuestion = { origin: 'self', actor: caller, changes: [asks, ...changes], undo }
    if (call.permit !== undefined) return this.#withPermit(call, question)
    const verdict = await this.#admit(question)
    const { tier, rule, message } = verdict
    if (tier === 'AUTO_APPROVE') return undefined
    this.#kernel.events.emit('policy.refused', { actor: caller, tool: name, tier, rule })
    if (tier === 'NEVER') return { refuse: `${message} (${rule}): this is never done by the system` }
    try {
      return await this.#parked.park(call, question.changes, verdict)
    } catch (thrown) {
      return { refuse: `${message} (${rule}), and it cannot wait for a person: ${reasonOf(thrown)}` }
    }
  }

  /** For `approvals`: makes a call that was parked, when it was approved. */
  run_parked(payload: ParkedCall, approval: Pick<Approval, 'id'>): Promise<Json> {
    return this.#parked.run(payload, approval)
  }

  /** What never happens does not happen because somebody allowed it. */
  async #withPermit(call: ToolCall, question: PolicyQuestion): Promise<HookAnswer | undefined> {
    if (!this.#parked.isPermitted(call)) return { refuse: 'it is not the call that was allowed' }
    const { verdict } = await this.#judge(question, false)
    if (verdict.tier !== 'NEVER') return undefined
    await this.#ledger.append(entryOf(question, verdict))
    return { refuse: `${verdict.message} (${verdict.rule}): this is never done by the system` }
  }

  /** Undefined: it names a service that is not there. */
  async #changesOf({ name, params }: ToolCall): Promise<Change[] | undefined> {
    const api = serviceOf(name, params)
    const textOf = (path: string): string | undefined => bytesOf(this.#kernel.paths.root, path)?.toString('utf8')
    if (api === undefined) return changesOf(name, params, { values: new Map(), textOf })
    try {
      const [service, configs] = await Promise.all([this.#system.show(api), this.#system.configs(api)])
      const values = flatValues(configs.flatMap((config) => config.values))
      return changesOf(name, params, { service, values, textOf })
    } catch (thrown) {
      if (codeOf(thrown) === 'service_not_found') return undefined
      throw thrown
    }
  }

  /** The question as it was judged: configs value by value, each with the value its distance is measured from. */
  async #judge(given: PolicyQuestion, rated = true): Promise<{ question: PolicyQuestion; verdict: PolicyVerdict }> {
    const said = given.changes.flatMap((change) => this.#expanded(change))
    const question = { ...given, changes: said.map((change) => this.#baselines.measured(change)) }
    const changes = await Promise.all(question.changes.map((change) => this.#places.factsOf(change)))
    const frozen = existsSync(this.#freezeFile)
    const rate = rated ? this.#rateOf(question) : undefined
    const facts = { changes, frozen, ...(rate === undefined ? {} : { rate }) }
    return { question, verdict: judge(question, this.#settings, facts) }
  }

  #expanded(change: Change): Change[] {
    if (change.kind !== 'file' || change.operation !== 'modify' || !change.path.startsWith('configs/')) return [change]
    const before = bytesOf(this.#kernel.paths.root, change.path)?.toString('utf8')
    const values = configChanges(change, before)
    if (values !== undefined) return [change, ...values]
    const { text: _unread, ...unknown } = change
    return [unknown]
  }

  #rateOf({ actor, changes }: PolicyQuestion): string | undefined {
    if (changes.every(({ kind }) => kind === 'tool')) return undefined
    return this.#asked.isTooOften(actor, this.#limits, this.#kernel.clock.now())
  }
}
