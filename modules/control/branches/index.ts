/**
 * The service `branches`: a change that a person approved becomes a branch of the git repository its files stand in, and a
 * draft pull request where a repository and a token are set. So what the system made of itself goes the way of all other
 * work. The branch that is checked out, its files and its index stay as they are. What was made is remembered in
 * `runtime/control/branches.json`; what was missed, as by a restart, is made at the next start.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BranchesApi, BranchRecord } from '../../contracts/branches.ts'
import type { LedgerApi } from '../../contracts/ledger.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { Proposal, RolloutsApi } from '../../contracts/proposals.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { isShipped } from '../../lib/shipped.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { configSchema, type Config } from './config.ts'
import { Repository } from './git.ts'
import { Pulls, type Pull } from './pulls.ts'
import { bodyOf, branchOf, messageOf, titleOf } from './words.ts'

export { configSchema }

const PACKAGE_ROOT = join(import.meta.dirname, '..', '..', '..')
/** Where the change is live, and where it was found better. */
const LIVE = ['watching', 'confirmed'] as const
const BACK = ['restored', 'undone'] as const

export class Module implements BranchesApi {
  static readonly needs = ['rollouts', 'ledger']
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #git: Repository
  #line: Promise<unknown> = Promise.resolve()

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#git = new Repository(kernel.paths.root, config)
  }

  async run(): Promise<void> {
    const { events } = this.#kernel
    for (const state of LIVE) events.on(`proposal.${state}`, ({ data }) => void this.#quietly(String(data['id'])))
    for (const state of BACK) events.on(`proposal.${state}`, ({ data }) => void this.#taken(String(data['id'])))
    for (const state of LIVE) {
      const { proposals } = await this.#rollouts().list({ state, limit: 100 })
      for (const { id } of proposals.reverse()) await this.#quietly(id)
    }
  }

  async list(): Promise<{ branches: BranchRecord[] }> {
    return { branches: Object.values(this.#known()).reverse() }
  }

  /** The branch of a change, made now where there is none. Rejects with `branch_refused`, `branch_base`, `git_failed`, `pull_failed`. */
  make(id: string): Promise<BranchRecord> {
    const made = this.#line.then(() => this.#make(String(id)))
    this.#line = made.catch(() => undefined)
    return made
  }

  async #make(id: string): Promise<BranchRecord> {
    const proposal = await this.#rollouts().show(id)
    const why = this.#refusal(proposal)
    if (why !== undefined) throw coded('branch_refused', { proposal: id, reason: why })
    const known = this.#known()[id]
    const record = known ?? (await this.#commit(proposal))
    const { repo, token_env } = this.#config
    const token = process.env[token_env] ?? ''
    if (record.pull !== null || repo === undefined || token === '') return record
    const pull = await this.#pull(proposal, record, new Pulls(this.#config, repo, token), token)
    const whole = { ...record, pull: { number: pull.number, url: pull.html_url } }
    this.#keep(whole)
    await this.#tell(proposal, 'branch_proposed', { branch: record.branch, pull: pull.number, url: pull.html_url })
    this.#kernel.events.emit('branch.proposed', { id, branch: record.branch, url: pull.html_url })
    return whole
  }

  async #commit(proposal: Proposal): Promise<BranchRecord> {
    const { id, edits } = proposal
    const branch = branchOf(this.#config.prefix, proposal)
    const base = this.#config.base ?? 'HEAD'
    await this.#tell(proposal, 'branch_made', { branch })
    const commit = await this.#git.commit(branch, base, edits, messageOf(proposal))
    const record: BranchRecord = { id, branch, commit, pull: null, made_at: this.#kernel.clock.now() }
    this.#keep(record)
    this.#kernel.events.emit('branch.made', { id, branch, commit })
    this.#kernel.log.info(`${id} is the branch ${branch}`)
    return record
  }

  async #pull(proposal: Proposal, { branch, commit }: BranchRecord, pulls: Pulls, token: string): Promise<Pull> {
    await this.#git.push(branch, token)
    const base = this.#config.base ?? (await this.#git.current()) ?? 'main'
    return pulls.open({ title: titleOf(proposal), body: bodyOf(proposal, commit), head: branch, base })
  }

  /** Why a change is none for a branch. */
  #refusal({ approved_by, edits, state }: Proposal): string | undefined {
    if (approved_by === null) return 'no person has approved it'
    if (!LIVE.some((one) => one === state)) return `it is ${state}, and not live`
    if (this.#config.changes === 'all') return undefined
    if (this.#kernel.paths.root !== PACKAGE_ROOT) return 'this root is not the folder of the package (`changes: all`)'
    const foreign = edits.find(({ path }) => !isOwn(path))
    return foreign && `${foreign.path} is none of the files the package brings (\`changes: all\`)`
  }

  /** What cannot be made is told, and made when it is asked for again, or at the next start. */
  async #quietly(id: string): Promise<void> {
    try {
      const proposal = await this.#rollouts().show(id)
      if (this.#refusal(proposal) === undefined) await this.make(id)
    } catch (thrown) {
      this.#kernel.log.warn(`${id} has no branch: ${reasonOf(thrown)}`)
      this.#kernel.events.emit('branch.failed', { id, reason: reasonOf(thrown) })
    }
  }

  /** The system has the bytes before again: whoever reads the pull request is told. */
  async #taken(id: string): Promise<void> {
    const { repo, token_env } = this.#config
    const pull = this.#known()[id]?.pull ?? null
    const token = process.env[token_env] ?? ''
    if (pull === null || repo === undefined || token === '') return
    try {
      const { state, message } = await this.#rollouts().show(id)
      await new Pulls(this.#config, repo, token).comment(pull.number, `This change is ${state}: ${message}`)
    } catch (thrown) {
      this.#kernel.log.warn(
        `nobody reads at pull request ${pull.number} that ${id} was taken back: ${reasonOf(thrown)}`,
      )
    }
  }

  async #tell(
    { id, approved_by, origin }: Proposal,
    action: string,
    payload: Record<string, string | number>,
  ): Promise<void> {
    await this.#kernel.getApi<LedgerApi>('ledger').append({
      action,
      outcome: 'ok',
      actor: approved_by ?? this.#kernel.api,
      origin,
      resource: `change:${id}`,
      cycle: id,
      payload,
    })
  }

  #rollouts(): Handle<RolloutsApi> {
    return this.#kernel.getApi<RolloutsApi>('rollouts')
  }

  get #file(): string {
    return join(this.#kernel.paths.runtime, 'control', 'branches.json')
  }

  #known(): Record<string, BranchRecord> {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Record<string, BranchRecord>
    } catch (thrown) {
      if ((thrown as { code?: string }).code === 'ENOENT') return {}
      throw thrown
    }
  }

  #keep(record: BranchRecord): void {
    const all = Object.entries({ ...this.#known(), [record.id]: record })
    writeWhole(this.#file, `${JSON.stringify(Object.fromEntries(all.slice(-this.#config.kept_max)), null, 1)}\n`)
  }
}

const isOwn = (path: string): boolean =>
  /^(configs|prompts|docs)\//.test(path) || (path.startsWith('modules/') && isShipped(path.slice('modules/'.length)))
