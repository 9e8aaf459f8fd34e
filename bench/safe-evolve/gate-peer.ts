/**
 * This product: `mm up` in a root of its own, an improvement asked for over HTTP, the answer of the model scripted, and the
 * benchmark in the place of the operator who approves whatever has passed the checks. The system learns nothing of the
 * corpus but the one change, as text of a model.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LLMock } from '@copilotkit/aimock'
import type { Call, Delivery, Mutation, Outcome, Peer, PeerStatus, StartOptions } from './contract.ts'
import { LATE } from './drivers/driver.ts'
import { bareFiles, gateFiles, testFiles } from './gate-root.ts'
import { beginGroup, endProcess, groupCpuSeconds } from './processes.ts'
import { changedPath, packageRoot, writeFiles, writeSubject } from './root.ts'

const START_MS = 60_000
const IMPROVE_MS = 90_000
/** After an approval: applied, measured twice at most, kept or restored. */
const VERDICT_MS = 60_000
const LOOK_MS = 100

type Body = Record<string, unknown> & { error?: { code: string; message: string } }

interface Improvement {
  state: string
  message: string
  proposal_id: string | null
  attempts: { refused_by: string | null; message: string }[]
}

interface Proposal {
  state: string
  message: string
  approval_id: string | null
}

const wrapped = (label: string, text: string): string => `\`\`\`\`\`${label}\n${text.trimEnd()}\n\`\`\`\`\`\n`

/** What a model would answer. */
export function answerFor(mutation: Mutation, text: string): string {
  const expected = mutation.faster === true ? { metric: 'latency_p50_ms', direction: 'lower' } : undefined
  const about = { title: mutation.intent.slice(0, 120), intent: mutation.intent, expected, changes: mutation.changes }
  return `${wrapped('json', JSON.stringify(about))}\n${wrapped(`file ${changedPath(mutation)}`, text)}`
}

export class GatePeer implements Peer {
  readonly name = 'gate'
  #child: ChildProcess | undefined
  #model: LLMock | undefined
  #answer = ''
  #subject = ''
  #base = ''
  #address = ''
  #url = ''
  #token = ''
  #output = ''
  readonly #isBare: boolean

  /** `bare`: without a gate, to measure what it costs. */
  constructor({ bare = false }: { bare?: boolean } = {}) {
    this.#isBare = bare
  }

  async start({ folder, secret, subject }: StartOptions): Promise<void> {
    this.#subject = subject.name
    this.#model = new LLMock({ port: 0, host: '127.0.0.1' })
    this.#model.on({}, () => ({ content: this.#answer }))
    await this.#model.start()
    writeSubject(folder, subject)
    writeFiles(folder, this.#isBare ? bareFiles : { ...gateFiles(this.#model.url), ...testFiles(subject) })
    const { OPENAI_API_KEY: _key, NODE_OPTIONS: _options, VITEST: _vitest, ...env } = process.env
    const child = spawn(process.execPath, [join(packageRoot, 'bin', 'mm.js'), '--root', folder, 'up', '--no-repl'], {
      cwd: folder,
      detached: true,
      env: { ...env, NO_COLOR: '1', APP_SECRET: secret },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    beginGroup(child.pid)
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-8_000)))
    this.#address = join(folder, 'runtime', 'http.json')
    await this.#comeUp()
    this.#base = (await this.#version()) ?? ''
  }

  async deliver(mutation: Mutation, text: string): Promise<Delivery> {
    this.#answer = answerFor(mutation, text)
    const { proposal_id: id, attempts, message, state } = await this.#improve(mutation.subject)
    if (id === null || state !== 'submitted') {
      const by = attempts.at(-1)?.refused_by ?? state
      return { verdict: 'refused', by, message: attempts.at(-1)?.message ?? message, live_at: null }
    }
    return this.#follow(id)
  }

  async #improve(service: string): Promise<Improvement> {
    const asked = { service, goal: 'Make it better, without harm to its callers.', provider: 'scripted', tries: 1 }
    try {
      return await this.#service<Improvement>('self-improver', 'improve', IMPROVE_MS, asked)
    } catch (thrown) {
      return { state: 'no answer', message: String(thrown), proposal_id: null, attempts: [] }
    }
  }

  /** As an operator: approves what waits, as often as it takes, and looks on until it is over. */
  async #follow(id: string): Promise<Delivery> {
    const until = performance.now() + VERDICT_MS
    let live_at: number | null = null
    for (;;) {
      const { state, message, approval_id } = await this.#show(id)
      if (state === 'waiting' && approval_id !== null) await this.#approve(approval_id)
      if (state === 'watching' || state === 'confirmed') live_at ??= performance.now()
      if (state === 'confirmed') return { verdict: 'promoted', by: null, message, live_at }
      if (state === 'restored' || state === 'undone')
        return { verdict: 'restored', by: 'verification', message, live_at }
      if (['refused', 'rejected', 'expired', 'stale', 'failed'].includes(state))
        return { verdict: 'refused', by: state === 'failed' ? 'switch' : 'policy', message, live_at }
      if (performance.now() > until) return { verdict: 'refused', by: `still ${state}`, message, live_at }
      await pause(LOOK_MS)
    }
  }

  /** A system that starts anew answers again. */
  async #show(id: string): Promise<Proposal> {
    const unknown = (thrown: unknown): Proposal => ({ state: 'unknown', message: String(thrown), approval_id: null })
    return this.#service<Proposal>('rollouts', 'show', 5_000, id).catch(unknown)
  }

  async #approve(id: string): Promise<void> {
    const decision = { by: 'benchmark', token: this.#token, reason: 'the checks have passed' }
    await this.#service('approvals', 'approve', 30_000, id, decision).catch(() => undefined)
  }

  async call({ service, method, args, aspect }: Call, deadlineMs: number): Promise<Outcome> {
    try {
      const { status, body } =
        aspect === 'tool'
          ? await this.#fetch('POST', `/api/tools/${service}_${method}`, args[0], deadlineMs)
          : await this.#fetch('POST', `/api/services/${service}/call`, { method, args }, deadlineMs)
      if (status !== 200) return { ok: false, error: `${body.error?.code}: ${body.error?.message}` }
      return { ok: true, value: aspect === 'tool' ? body['value'] : body['result'] }
    } catch (thrown) {
      return { ok: false, error: (thrown as { name?: string }).name === 'TimeoutError' ? LATE : String(thrown) }
    }
  }

  async status(): Promise<PeerStatus> {
    const version = await this.#version().catch(() => undefined)
    return { up: version !== undefined, candidate: version !== undefined && version !== this.#base }
  }

  cpuSeconds(): number {
    return groupCpuSeconds(this.#child?.pid ?? -1)
  }

  async ledger(): Promise<boolean> {
    const check = this.#service<{ valid: boolean }>('ledger', 'verify', 10_000)
    return (await check.catch(() => ({ valid: false }))).valid
  }

  async stop(): Promise<void> {
    await this.#model?.stop()
    await endProcess(this.#child)
  }

  /** What serves the subject: hashes of source and config; undefined when nothing does. */
  async #version(): Promise<string | undefined> {
    const { status, body } = await this.#fetch('GET', `/api/services/${this.#subject}`, undefined, 5_000)
    if (status !== 200 || body['state'] !== 'live') return undefined
    return `${String(body['source_hash'])} ${String(body['config_hash'])}`
  }

  async #service<T>(name: string, method: string, deadlineMs: number, ...args: unknown[]): Promise<T> {
    const asked = { method, args, deadline_ms: deadlineMs }
    const { status, body } = await this.#fetch('POST', `/api/services/${name}/call`, asked, deadlineMs + 1_000)
    if (status !== 200) throw new Error(`${name}.${method}: ${body.error?.code} ${body.error?.message}`)
    return body['result'] as T
  }

  async #fetch(method: string, path: string, body: unknown, ms: number): Promise<{ status: number; body: Body }> {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(ms),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: (await response.json()) as Body }
    } catch (thrown) {
      this.#locate()
      throw thrown
    }
  }

  /** Where it listens: elsewhere after it was started anew. False: nowhere now. */
  #locate(): boolean {
    if (!existsSync(this.#address)) return false
    const { url, token_file } = JSON.parse(readFileSync(this.#address, 'utf8')) as { url: string; token_file: string }
    this.#url = url
    this.#token = readFileSync(token_file, 'utf8').trim()
    return true
  }

  /** Until its address stands there and every service is live. */
  async #comeUp(): Promise<void> {
    const until = performance.now() + START_MS
    for (; performance.now() < until; await pause(50)) {
      if (this.#child?.exitCode !== null) break
      if (!this.#locate()) continue
      const { body } = await this.#fetch('GET', '/health', undefined, 5_000)
      const states = Object.values(body['services'] as Record<string, { state: string }>)
      if (states.length > 0 && states.every(({ state }) => state === 'live')) return
    }
    throw new Error(`the system does not come up:\n${this.#output}`)
  }
}
